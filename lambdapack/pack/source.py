"""What of a project's own files ships. Never looks into the host's node_modules, never believes an execute bit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.pack.executables import is_executable
from lambdapack.pack.ignore import OWN, compiled, load_ignore
from lambdapack.pack.manifest import SUFFIX
from lambdapack.tree.compose import Filtered, Remade
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Entry, Kind, Tree

LeftOut = tuple[str, str]
"""Path and reason; a directory stands for all that is in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a project that ship, and what does not."""

    tree: Tree
    left_out: tuple[LeftOut, ...]  # in byte order of the paths


def source_tree(directory: Path, *, executable: Sequence[str] = ()) -> Source:
    """Return the source of a function; `executable` are gitignore patterns of files that get mode 755.

    Modes come from content, so every host gives the same. LP006, LP007 and LP008 for what cannot be read or shipped.
    """
    ignore = load_ignore(directory)
    left_out: list[LeftOut] = []

    def keep(path: str, is_directory: bool) -> bool:  # noqa: FBT001  # the form that DirectoryTree asks in
        reason = ignore.reason(path, is_directory=is_directory)
        if reason is not None:
            left_out.append((path, reason))
        return reason is None

    tree = DirectoryTree(directory, keep=keep)
    archives = {path.removesuffix(SUFFIX) for path, _reason in left_out if path.endswith(SUFFIX)}
    left_out += [(path, OWN) for path in tree.entries if path in archives]
    # Directories are implied by their files; an empty one is not in a clone, so it must not make another zip.
    shipped = Filtered(tree, lambda entry: entry.path not in archives and entry.kind is not Kind.DIRECTORY)
    return Source(_with_modes(shipped, executable), tuple(sorted(left_out)))


def _with_modes(tree: Tree, executable: Sequence[str]) -> Tree:
    named = compiled([(pattern, "executable") for pattern in executable if pattern.strip()])

    def change(entry: Entry) -> Entry:
        if entry.kind is not Kind.FILE:
            return entry
        return replace(entry, mode=0o755 if named.match_file(entry.path) or _runs(tree, entry) else 0o644)

    return Remade(tree, change)


def _runs(tree: Tree, entry: Entry) -> bool:
    with tree.view(entry.path) as data:
        return is_executable(data)
