"""The entries of a tree: path, kind, mode, size, and an identity that changes with the bytes. Reads no file system."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class EntryKind(Enum):
    """What an entry is; devices, sockets and hard links out of the tree are refused by the readers."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree."""

    path: str  # relative to the tree's root, "/" between parts, no "." or "..", NFC not enforced
    kind: EntryKind
    mode: int  # permission bits as the source has them, 0 .. 0o777
    size: int  # bytes of a file, 0 for anything else
    target: str = ""  # where a symlink points, as written
    identity: str = field(default="", compare=False, repr=False)
    """What changes whenever the file's bytes may have changed, "" where the source of bytes cannot tell."""


def portable_mode(entry: Entry) -> int:
    """Return 755 for what may be executed and for directories, 777 for links, else 644; whatever the source's umask."""
    if entry.kind is EntryKind.SYMLINK:
        return 0o777
    return 0o755 if entry.kind is EntryKind.DIRECTORY or entry.mode & 0o111 else 0o644


class Tree(Protocol):
    """An index of entries over a source of bytes. Never unpacked on the host."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Path to entry, in byte order of the paths. Parents may be absent (zips often omit them)."""
        ...

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Open a file's bytes for reading (mmap where the source allows). KeyError when there is no such file."""
        ...


def read_file(tree: Tree, path: str) -> bytes:
    """Return a copy of a file's bytes."""
    with tree.view(path) as data:
        return bytes(data)


def read_head(tree: Tree, path: str, size: int) -> bytes:
    """Return a copy of the first bytes of a file, as many as there are of `size`."""
    with tree.view(path) as data:
        return bytes(data[:size])


NANOSECONDS_PER_SECOND = 1_000_000_000
"""Nanoseconds."""

SETTLED_NANOSECONDS = 2 * NANOSECONDS_PER_SECOND
"""Nanoseconds after its last change from which a file's times betray the next one. git calls a younger file "racily
clean": it can be written twice within one tick of its file system's clock. FAT's ticks are 2 s, all others finer."""


def file_identity(status: os.stat_result, *more: int) -> str:
    """Return a text that changes whenever the bytes of a file may have changed, "" where nothing can promise that.

    Device, inode, size, time of the last write, and the time of the last change, which no program can set. Windows has
    no such time. One without a fraction of a second is made up by a read-only image (squashfs, ISO 9660) or too coarse.
    `more` are numbers that name a part of the file.
    """
    if os.name == "nt" or not status.st_ino or not status.st_ctime_ns % NANOSECONDS_PER_SECOND:
        return ""
    part = "".join(f":{number}" for number in more) if more else ""
    times = f"{status.st_ctime_ns}:{status.st_mtime_ns}"
    return f"{times}:{status.st_dev}:{status.st_ino}:{status.st_size}{part}"


def is_settled(text: str, now: int) -> bool:
    """Tell whether an identity was old enough at `now` (nanoseconds of Unix time) to betray any later change."""
    if not text:
        return False
    changed, written = text.split(":", 2)[:2]
    return max(int(changed), int(written)) < now - SETTLED_NANOSECONDS
