"""The lockfiles inside a tree: the project's own, and what an install notes there. A broken one counts as absent."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.lock import Lock
from lambdapack.managers.registry import MANAGERS
from lambdapack.tree.entry import Entry, EntryKind, Tree, is_escaping_target, read_file

if TYPE_CHECKING:
    from lambdapack.managers.interface import PackageManager

FOREIGN_MANAGER_PATHS = {
    "node_modules/.pnpm/": "pnpm", "node_modules/.modules.yaml": "pnpm", "node_modules/.yarn-integrity": "yarn-classic",
    "node_modules/.yarn-state.yml": "yarn", "node_modules/.bun/": "bun", "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn",
    "bun.lock": "bun", "bun.lockb": "bun",
}  # fmt: skip
"""What pnpm, yarn and bun leave beside or inside a node_modules, surest first; package-lock.json tells nothing."""

PNPM_STORE = "node_modules/.pnpm/"
"""Stands in the links of a member of pnpm's workspace, whose own node_modules has no mark."""

PNPM_HOISTED_LINK = re.compile(r"(?:.*/)?node_modules/\.pnpm/node_modules/(?:@[^/]+/)?[^/]+")
"""A link of pnpm's for packages that ask for what they do not declare; it makes one for the project itself as well."""

MAX_LOCKFILE_BYTES = 64 * 1024 * 1024
"""Bytes of a lockfile that are read; those of big monorepos have 10 MB."""

LAYER_BASE = "nodejs"


@dataclass(frozen=True, slots=True)
class TreeLocks:
    """What a tree brings along about its own node_modules."""

    base: str = ""  # where node_modules lies: "", "nodejs" in a layer
    own: Lock | None = None  # the project's lockfile
    hidden: Lock | None = None  # the install's own note; dev packages that were left out are not in it
    manager: str = ""  # what made the node_modules when it was not npm: "pnpm", "yarn-classic", "yarn", "bun"

    @property
    def foreign(self) -> bool:
        """Whether another manager than npm made the node_modules."""
        return bool(self.manager)


def read_tree_locks(tree: Tree) -> TreeLocks:
    """Return the lockfiles of a function, or of a layer's nodejs/."""
    base = LAYER_BASE if any(path.startswith(f"{LAYER_BASE}/node_modules/") for path in tree.entries) else ""
    hidden = _read_first_lockfile(tree, base, ((manager, manager.installed_lockfile) for manager in MANAGERS))
    own = _read_first_lockfile(tree, base, ((manager, name) for manager in MANAGERS for name in manager.lockfiles))
    by_npm = hidden is not None and hidden.manager == "npm"
    return TreeLocks(base, own, hidden, "" if by_npm else _foreign_manager(tree, base))


def _foreign_manager(tree: Tree, base: str) -> str:
    marks = {posixpath.join(base, path): manager for path, manager in FOREIGN_MANAGER_PATHS.items()}
    names = tuple(marks)
    marked = {next(mark for mark in names if path.startswith(mark)) for path in tree.entries if path.startswith(names)}
    linked = any(entry.kind is EntryKind.SYMLINK and PNPM_STORE in entry.target for entry in tree.entries.values())
    return "pnpm" if linked else next((manager for mark, manager in marks.items() if mark in marked), "")


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


def is_unused_link(entry: Entry) -> bool:
    """Tell whether an entry is a link of pnpm's that leaves the tree: nothing that declares what it needs uses it."""
    is_link = entry.kind is EntryKind.SYMLINK and PNPM_HOISTED_LINK.fullmatch(entry.path) is not None
    return is_link and is_escaping_target(entry.path, entry.target)
