"""The lockfiles inside a tree: the project's own, and npm's hidden lockfile. A broken one counts as absent."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.npm.lockfile import LOCKFILE_NAMES, parse_lockfile
from lambdapack.project.project import Lockfile
from lambdapack.tree.entry import EntryKind, Tree, read_file

HIDDEN_LOCKFILE = "node_modules/.package-lock.json"
"""What npm 7 and later write after each install (arborist lib/arborist/reify.js); only they do."""

FOREIGN_MANAGER_PATHS = (
    "node_modules/.pnpm/", "node_modules/.modules.yaml", "node_modules/.yarn-integrity", "node_modules/.yarn-state.yml",
    "node_modules/.bun/", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb",
)  # fmt: skip
"""What pnpm, yarn and bun leave beside or inside a node_modules; package-lock.json says nothing about theirs."""

MAX_LOCKFILE_BYTES = 64 * 1024 * 1024
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
    hidden = _read_first_lockfile(tree, base, (HIDDEN_LOCKFILE,))
    marks = tuple(posixpath.join(base, path) for path in FOREIGN_MANAGER_PATHS)
    marked = any(path.startswith(marks) for path in tree.entries)
    return TreeLocks(base, _read_first_lockfile(tree, base, LOCKFILE_NAMES), hidden, foreign=marked and hidden is None)


def _read_first_lockfile(tree: Tree, base: str, names: Iterable[str]) -> Lockfile | None:
    for name in names:
        path = posixpath.join(base, name)
        entry = tree.entries.get(path)
        if entry is None or entry.kind is not EntryKind.FILE or entry.size > MAX_LOCKFILE_BYTES:
            continue
        lockfile = _parse_lockfile(tree, path)
        return lockfile if lockfile is not None and lockfile.version > 1 else None
    return None


def _parse_lockfile(tree: Tree, path: str) -> Lockfile | None:
    label = Path(path)  # a name for messages: nothing opens it
    try:
        return parse_lockfile(read_file(tree, path).decode("utf-8-sig"), label)
    except (LambdapackError, UnicodeDecodeError):
        return None
