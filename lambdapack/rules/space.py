"""The files of function and layers at the paths they have in Lambda. Never looks at this host."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from lambdapack.binary.facts import Binary
from lambdapack.rules.facts import Facts
from lambdapack.tree.entry import Entry, Kind

LINKS_AT_MOST = 40
"""MAXSYMLINKS of Linux: a longer chain is ELOOP."""


@dataclass(frozen=True, slots=True)
class Space:
    """Absolute path to entry and to binary."""

    entries: Mapping[str, Entry]
    binaries: Mapping[str, Binary]
    links: Mapping[str, str]  # absolute path of a symlink to the absolute path it names

    def real(self, path: str) -> str:
        """Return a path with its links followed; a name that is not there stays as it is."""
        path = posixpath.normpath(path)
        for _ in range(LINKS_AT_MOST if self.links else 0):
            link = next((each for each in _ancestry(path) if each in self.links), None)
            if link is None:
                break
            path = posixpath.normpath(self.links[link] + path[len(link) :])
        return path

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        entry = self.entries.get(self.real(path))
        return entry is not None and entry.kind is Kind.FILE

    def is_directory(self, path: str) -> bool:
        """Tell whether a path leads to a directory, with an entry of its own or only with children."""
        real = self.real(path)
        entry = self.entries.get(real)
        if entry is not None:
            return entry.kind is Kind.DIRECTORY
        return any(each.startswith(f"{real}/") for each in self.entries)

    def binary(self, path: str) -> Binary | None:
        """Return the native file that a path leads to."""
        return self.binaries.get(self.real(path))


def _ancestry(path: str) -> list[str]:
    """The path's leading directories, outermost first, then itself."""
    parts = path.split("/")[1:]
    return ["/" + "/".join(parts[: end + 1]) for end in range(len(parts))]


def lay_out(facts: Facts) -> Space:
    """Return the space of a function with its layers; a later layer's file replaces an earlier one's."""
    entries: dict[str, Entry] = {}
    binaries: dict[str, Binary] = {}
    for each in (*facts.layers, facts):
        entries.update((posixpath.join(each.root, path), entry) for path, entry in each.entries.items())
        binaries.update((posixpath.join(each.root, found.path), found) for found in each.inventory.binaries)
    links = {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        for path, entry in entries.items()
        if entry.kind is Kind.SYMLINK
    }
    return Space(entries, binaries, links)
