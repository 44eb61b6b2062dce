"""What a tree is made of. An entry says where and what; the tree that holds it gives the bytes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """What an entry is; devices, sockets and hard links out of the tree are refused by the readers."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree."""

    path: str  # relative to the tree's root, "/" between parts, no "." or "..", NFC not enforced
    kind: Kind
    mode: int  # permission bits as the source has them, 0 .. 0o777
    size: int  # bytes of a file, 0 for anything else
    target: str = ""  # where a symlink points, as written
    identity: str = field(default="", compare=False, repr=False)
    """What changes whenever the file's bytes may have changed, "" where the source of bytes cannot tell."""


def portable_mode(entry: Entry) -> int:
    """Return 755 for what may be executed and for directories, 777 for links, else 644; whatever the source's umask."""
    if entry.kind is Kind.SYMLINK:
        return 0o777
    return 0o755 if entry.kind is Kind.DIRECTORY or entry.mode & 0o111 else 0o644


class Tree(Protocol):
    """An index of entries over a source of bytes. Never unpacked on the host."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Path to entry, in byte order of the paths. Parents may be absent (zips often omit them)."""
        ...

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Open a file's bytes for reading (mmap where the source allows). KeyError when there is no such file."""
        ...


def read(tree: Tree, path: str) -> bytes:
    """Return a copy of a file's bytes."""
    with tree.view(path) as data:
        return bytes(data)


def head(tree: Tree, path: str, size: int) -> bytes:
    """Return a copy of the first bytes of a file, as many as there are of `size`."""
    with tree.view(path) as data:
        return bytes(data[:size])
