"""A tree in which every symlink has become what it points to."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from lambdapack.errors import UNRESOLVABLE_LINK, LambdapackError
from lambdapack.tree.entry import Entry, Kind, Tree
from lambdapack.tree.index import in_order
from lambdapack.tree.names import LINKS_AT_MOST

LARGEST = 200_000
"""Entries; links to directories that hold links multiply, and no function of 250 MB has as many files."""


class Resolved:
    """The same files with copies in place of links: for tools that follow or refuse symbolic links."""

    def __init__(self, tree: Tree, root: str) -> None:
        """Follow every link; LP012 for one that dangles, leaves the tree, or goes round in a circle.

        `root` is where Lambda puts the tree, /var/task or /opt: an absolute link below it stays in the tree.
        """
        self._tree = tree
        self._root = root
        self._below = _children(tree.entries)
        self._origin: dict[str, str] = {}
        found: dict[str, Entry] = {}
        for path, origin in self._walk("", "", ("",)):
            if len(found) >= LARGEST:
                raise _refused(path, f"following links gives more than {LARGEST} files")
            entry = tree.entries.get(origin) or Entry(origin, Kind.DIRECTORY, 0o755, 0)
            found[path] = replace(entry, path=path)
            self._origin[path] = origin
        self.entries: Mapping[str, Entry] = in_order(found)

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Lend a file's bytes; KeyError when there is no such file."""
        return self._tree.view(self._origin[path])

    def _walk(self, path: str, origin: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Give (path here, path in the tree) of everything below a directory."""
        for name in self._below[origin]:
            here, there = _join(path, name), self._real(_join(origin, name))
            if there in above:
                raise _refused(here, "it points to a directory that it is in itself")
            yield here, there
            if there in self._below:
                yield from self._walk(here, there, (*above, there))

    def _real(self, path: str) -> str:
        """Return the file or directory that a path names once every link on the way is followed."""
        pending, done, followed = path.split("/")[::-1], "", 0
        while pending:
            part = pending.pop()
            done = self._above(path, done) if part == ".." else _join(done, part)
            entry = self._tree.entries.get(done)
            if done not in self._below and entry is None:
                raise _refused(path, f"it points to {done!r}, which is not there")
            if entry is not None and entry.kind is Kind.SYMLINK:
                followed += 1
                if followed > LINKS_AT_MOST:
                    raise _refused(path, "its links go round in a circle")
                start, more = self._pointed(path, entry)
                done, pending = start, pending + more
        return done

    def _pointed(self, path: str, link: Entry) -> tuple[str, list[str]]:
        """Return the directory to go on from, and the parts still to go, last first."""
        start, target = link.path.rpartition("/")[0], link.target
        if target.startswith("/"):
            start, target = "", target.removeprefix(self._root)
            if target == link.target or target[:1] not in ("", "/"):
                raise _refused(path, f"it points out of the package, to {link.target!r}")
        return start, [part for part in target.split("/") if part not in ("", ".")][::-1]

    def _above(self, path: str, directory: str) -> str:
        if not directory:
            raise _refused(path, "it points out of the package")
        return directory.rpartition("/")[0]


def _refused(path: str, reason: str) -> LambdapackError:
    return LambdapackError(UNRESOLVABLE_LINK, f"{path}: {reason}")


def _children(entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """Return the names in each directory, also in those that have no entry of their own."""
    found: dict[str, dict[str, None]] = {"": {}}
    for entry in entries.values():
        if entry.kind is Kind.DIRECTORY:
            found.setdefault(entry.path, {})
        path = entry.path
        while path:
            path, _slash, name = path.rpartition("/")
            found.setdefault(path, {})[name] = None
    return {parent: list(names) for parent, names in found.items()}


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name
