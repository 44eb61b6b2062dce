"""The lockfiles that lie in a tree itself: the project's, and npm's note of what it put down. A broken one is none."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors import LambdapackError
from lambdapack.project.lockfile import NAMES, parse_lockfile
from lambdapack.project.nouns import Lockfile
from lambdapack.tree.entry import Kind, Tree, read

HIDDEN = "node_modules/.package-lock.json"
"""What npm 7 and later write after each install (arborist lib/arborist/reify.js); only they do."""

FOREIGN_MARKS = (
    "node_modules/.pnpm/", "node_modules/.modules.yaml", "node_modules/.yarn-integrity", "node_modules/.yarn-state.yml",
    "node_modules/.bun/", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb",
)  # fmt: skip
"""What pnpm, yarn and bun leave beside or inside a node_modules; package-lock.json says nothing about theirs."""

LARGEST = 64 * 1024 * 1024
"""Bytes of a lockfile that are read; those of big monorepos have 10 MB."""

LAYER_BASE = "nodejs"


@dataclass(frozen=True, slots=True)
class TreeLocks:
    """What a tree brings along about its own node_modules."""

    base: str = ""  # where node_modules lies: "", "nodejs" in a layer
    own: Lockfile | None = None  # the project's lockfile
    hidden: Lockfile | None = None  # npm's note; dev packages that were left out are not in it
    foreign: bool = False  # another manager made the node_modules


def read_tree_locks(tree: Tree) -> TreeLocks:
    """Return the lockfiles of a function, or of a layer's nodejs/."""
    base = LAYER_BASE if any(path.startswith(f"{LAYER_BASE}/node_modules/") for path in tree.entries) else ""
    hidden = _first(tree, base, (HIDDEN,))
    marks = tuple(posixpath.join(base, each) for each in FOREIGN_MARKS)
    marked = any(path.startswith(marks) for path in tree.entries)
    return TreeLocks(base, _first(tree, base, NAMES), hidden, foreign=marked and hidden is None)


def _first(tree: Tree, base: str, names: Iterable[str]) -> Lockfile | None:
    for name in names:
        path = posixpath.join(base, name)
        entry = tree.entries.get(path)
        if entry is None or entry.kind is not Kind.FILE or entry.size > LARGEST:
            continue
        found = _parsed(tree, path)
        return found if found is not None and found.version > 1 else None
    return None


def _parsed(tree: Tree, path: str) -> Lockfile | None:
    named = Path(path)  # a name for messages: nothing opens it
    try:
        return parse_lockfile(read(tree, path).decode("utf-8-sig"), named)
    except (LambdapackError, UnicodeDecodeError):
        return None
