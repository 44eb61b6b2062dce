"""What stands in a zip: one member for a file, a link or an empty directory. Decides names, modes and order."""

import hashlib
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass

from lambdapack.tree.entry import Entry, Kind, Tree, portable_mode
from lambdapack.tree.index import ancestors
from lambdapack.tree.mapped import lend


@dataclass(frozen=True, slots=True)
class Member:
    """An entry as it will stand in a zip."""

    name: str  # the entry's path; a directory's ends in "/"
    entry: Entry

    @property
    def permissions(self) -> int:
        """What every host gives the entry, whatever its umask."""
        return portable_mode(self.entry)

    @property
    def mode(self) -> int:
        """The permissions with the type bits of a Unix file."""
        match self.entry.kind:
            case Kind.FILE:
                return stat.S_IFREG | self.permissions
            case Kind.SYMLINK:
                return stat.S_IFLNK | self.permissions
            case Kind.DIRECTORY:
                return stat.S_IFDIR | self.permissions

    def contents(self, tree: Tree) -> AbstractContextManager[memoryview]:
        """Lend the bytes: a file's own, a link's target, none for a directory."""
        return tree.view(self.entry.path) if self.entry.kind is Kind.FILE else lend(self.entry.target.encode())


def members(tree: Tree) -> list[Member]:
    """Return what a zip of a tree holds, in byte order of the names.

    Directories are implied by what they hold, so only empty ones have a member: a program may want to write into one.
    """
    filled: set[str] = set()
    for path in tree.entries:
        for _parent in ancestors(path, filled):
            pass
    found = [
        Member(f"{path}/" if entry.kind is Kind.DIRECTORY else path, entry)
        for path, entry in tree.entries.items()
        if entry.kind is not Kind.DIRECTORY or path not in filled
    ]
    return sorted(found, key=lambda member: member.name)


def digest_of(data: memoryview) -> bytes:
    """Return the SHA-256 of a member's bytes."""
    return hashlib.sha256(data).digest()
