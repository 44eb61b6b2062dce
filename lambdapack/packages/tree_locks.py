"""The lockfiles inside a tree: the project's own, and what an install notes there. A broken one counts as absent."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.lock import Lock
from lambdapack.managers.registry import MANAGERS
from lambdapack.tree.entry import EntryKind, Tree, read_file

if TYPE_CHECKING:
    from lambdapack.managers.interface import PackageManager

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
    own: Lock | None = None  # the project's lockfile
    hidden: Lock | None = None  # the install's own note; dev packages that were left out are not in it
    foreign: bool = False  # another manager made the node_modules


def read_tree_locks(tree: Tree) -> TreeLocks:
    """Return the lockfiles of a function, or of a layer's nodejs/."""
    base = LAYER_BASE if any(path.startswith(f"{LAYER_BASE}/node_modules/") for path in tree.entries) else ""
    hidden = _read_first_lockfile(tree, base, ((manager, manager.installed_lockfile) for manager in MANAGERS))
    own = _read_first_lockfile(tree, base, ((manager, name) for manager in MANAGERS for name in manager.lockfiles))
    marks = tuple(posixpath.join(base, path) for path in FOREIGN_MANAGER_PATHS)
    marked = any(path.startswith(marks) for path in tree.entries)
    return TreeLocks(base, own, hidden, foreign=marked and hidden is None)


def _read_first_lockfile(tree: Tree, base: str, places: Iterable["tuple[PackageManager, str]"]) -> Lock | None:
    for manager, name in places:
        path = posixpath.join(base, name)
        entry = tree.entries.get(path)
        if entry is None or entry.kind is not EntryKind.FILE or entry.size > MAX_LOCKFILE_BYTES:
            continue
        lock = _parse_lockfile(manager, tree, path)
        return lock if lock is not None and lock.version > 1 else None
    return None


def _parse_lockfile(manager: "PackageManager", tree: Tree, path: str) -> Lock | None:
    label = Path(path)  # a name for messages: nothing opens it
    try:
        return manager.parse(read_file(tree, path).decode("utf-8-sig"), label)
    except (LambdapackError, UnicodeDecodeError):
        return None
