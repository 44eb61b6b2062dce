"""The files that node sees in Lambda, as far as module resolution asks for them. Never looks at this host."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from lambdapack.tree.entry import MAX_SYMLINKS, Entry, EntryKind, Tree, read_file


class FileSystem(Protocol):
    """Absolute paths; a directory is there when anything lies in it."""

    def real(self, path: str) -> str:
        """Return a path with its links followed; a name that is not there stays as it is."""
        ...

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        ...

    def is_directory(self, path: str) -> bool:
        """Tell whether a path leads to a directory."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of the file that a path leads to."""
        ...

    def names(self, directory: str) -> Sequence[str]:
        """Return the names in a directory, sorted; () when it is none."""
        ...


class PlacedTrees:
    """Trees at their places: layers at /opt, the function at /var/task; a later file replaces an earlier one."""

    def __init__(self, trees: Sequence[tuple[str, Tree]]) -> None:
        """Index (root, tree) pairs, lowest first; the trees stay open while this is used."""
        self._files: dict[str, tuple[Tree, str]] = {}
        self._links: dict[str, str] = {}
        self._directories: set[str] = {"/"}
        for root, tree in trees:
            for path, entry in tree.entries.items():
                self._place(f"{root}/{path}", entry, tree)
            self._directories.update(_ancestry(root))
        for path in (*self._files, *self._links):
            self._add_parents(path)
        self._names: dict[str, list[str]] | None = None

    def _place(self, path: str, entry: Entry, tree: Tree) -> None:
        self._files.pop(path, None)
        self._links.pop(path, None)
        if entry.kind is EntryKind.FILE:
            self._files[path] = (tree, entry.path)
        elif entry.kind is EntryKind.SYMLINK:
            self._links[path] = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        else:
            self._directories.add(path)
            self._add_parents(path)

    def _add_parents(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        while parent and parent not in self._directories:
            self._directories.add(parent)
            parent = parent.rpartition("/")[0]

    def real(self, path: str) -> str:
        """Return a path with its links followed; a name that is not there stays as it is."""
        path = posixpath.normpath(path)
        for _ in range(MAX_SYMLINKS if self._links else 0):
            link = next((part for part in _ancestry(path) if part in self._links), None)
            if link is None:
                break
            path = posixpath.normpath(self._links[link] + path[len(link) :])
        return path

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        return path in self._files or self.real(path) in self._files

    def is_directory(self, path: str) -> bool:
        """Tell whether a path leads to a directory, with an entry of its own or only with children."""
        return path in self._directories or self.real(path) in self._directories

    def read(self, path: str) -> bytes:
        """Return the bytes of the file that a path leads to; KeyError without one."""
        tree, own = self._files[self.real(path)]
        return read_file(tree, own)

    def names(self, directory: str) -> Sequence[str]:
        """Return the names in a directory, sorted; () when it is none."""
        if self._names is None:
            found: dict[str, set[str]] = {}
            for path in (*self._files, *self._links, *self._directories):
                parent, _, name = path.rpartition("/")
                found.setdefault(parent or "/", set()).add(name)
            self._names = {parent: sorted(names) for parent, names in found.items()}
        return self._names.get(self.real(directory), [])


def _ancestry(path: str) -> Iterator[str]:
    """Yield the path's leading directories, outermost first, then itself."""
    end = path.find("/", 1)
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)
    yield path


def node_modules_above(directory: str) -> Iterator[str]:
    """Yield the node_modules that require() looks in: none right inside another one, innermost first."""
    while True:
        if posixpath.basename(directory) != "node_modules":
            yield posixpath.join(directory, "node_modules")
        if directory in {"/", ""}:
            return
        directory = posixpath.dirname(directory)


class PackageFiles:
    """The package.json files of a file system, each read once."""

    def __init__(self, files: FileSystem, *, objects_only: bool) -> None:
        """Keep the files; `objects_only`: node refuses JSON that is no object (from 22 on; 20 takes it for empty)."""
        self._files = files
        self._objects_only = objects_only
        self._known: dict[str, Mapping[str, object] | None] = {}

    def read(self, directory: str) -> Mapping[str, object] | None:
        """Return the package.json of a directory, None without one; InvalidPackageConfig when node refuses it."""
        if directory not in self._known:
            self._known[directory] = self._read(posixpath.join(directory, "package.json"))
        found = self._known[directory]
        if found is not None and INVALID in found:
            raise InvalidPackageConfigError(posixpath.join(directory, "package.json"))
        return found

    def _read(self, path: str) -> Mapping[str, object] | None:
        import json  # noqa: PLC0415  # only when a package.json is read

        if not self._files.is_file(path):
            return None
        try:
            value = json.loads(self._files.read(path).decode("utf-8-sig", "replace"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            return {INVALID: True}
        if not isinstance(value, dict):
            return {INVALID: True} if self._objects_only else {}
        return value

    def scope(self, path: str) -> tuple[str, Mapping[str, object]] | None:
        """Return the nearest package.json above a file and its directory; the search ends at a node_modules."""
        directory = posixpath.dirname(path)
        while True:
            if directory.endswith("/node_modules"):
                return None
            found = self.read(directory)
            if found is not None:
                return directory, found
            if directory in {"/", ""}:
                return None
            directory = posixpath.dirname(directory)


INVALID = "\0invalid"
"""Marks a package.json that node refuses; no JSON key of a real one."""


class InvalidPackageConfigError(Exception):
    """A package.json that node refuses, by its path."""


def _refuse(_constant: str) -> object:
    """NaN and Infinity are no JSON."""
    raise ValueError
