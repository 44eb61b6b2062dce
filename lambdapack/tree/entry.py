"""The entries of a tree, which paths and link targets they may have, and their index. Reads no file system."""

import mmap
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import HOSTILE_ARCHIVE
from lambdapack.model import LAYER_ROOT, TASK_ROOT


class EntryKind(Enum):
    """The type of an entry; readers refuse devices, sockets and hard links that leave the tree."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or symbolic link of a tree."""

    path: str  # relative to the tree's root, "/" between parts, no "." or "..", NFC not enforced
    kind: EntryKind
    mode: int  # permission bits as the source has them, 0 .. 0o777
    size: int  # bytes of a file, 0 for anything else
    target: str = ""  # where a symlink points, as written
    identity: str = field(default="", compare=False, repr=False)
    """A text that changes whenever the file's bytes may have changed, "" when the source cannot tell."""


def portable_mode(entry: Entry) -> int:
    """Return 755 for executables and directories, 777 for links, 644 for other files, whatever the umask."""
    if entry.kind is EntryKind.SYMLINK:
        return 0o777
    return 0o755 if entry.kind is EntryKind.DIRECTORY or entry.mode & 0o111 else 0o644


class Tree(Protocol):
    """An index of entries over a source of bytes, never unpacked on the host."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Path to entry, in byte order of the paths. Parent directories may have no entry (zips often omit them)."""
        ...

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes (memory-mapped if possible). KeyError when there is no such file."""
        ...


def read_file(tree: Tree, path: str) -> bytes:
    """Return a copy of a file's bytes."""
    with tree.view(path) as data:
        return bytes(data)


DRIVE_LETTER = re.compile(r"[A-Za-z]:")

ORDINARY_PATH = re.compile(r"(?:[A-Za-z0-9_@+~-][A-Za-z0-9_@+~.-]{0,99}(?:/(?=.)|\Z)){1,20}")
"""Matches nearly every path, which needs no further check: the checks cost as much as the rest of a directory walk."""

NAME_MAX = 255
"""Bytes of one part of a path that Linux can create: NAME_MAX of linux/limits.h. Longer is ENAMETOOLONG on Lambda."""

PATH_MAX = 4096
"""Bytes of a path or of a link's target, the closing zero included: PATH_MAX of linux/limits.h."""

LAMBDA_ROOTS = (LAYER_ROOT, TASK_ROOT)
"""Absolute link targets below these directories stay inside the package."""

MAX_SYMLINKS = 40
"""MAXSYMLINKS of Linux: a longer chain is ELOOP."""


def canonical_path(name: str) -> str:
    """Return an archive's name without "./", doubled and closing slashes; a leading slash and ".." stay."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/" * name.startswith("/") + "/".join(parts)


def path_objection(path: str) -> str | None:
    """Return why a canonical path must not be in a tree, None when it may."""
    if ORDINARY_PATH.fullmatch(path):
        return None
    if not path:
        return "it has no name"
    if path.startswith("/") or DRIVE_LETTER.match(path):
        return "it is an absolute path"
    if "\\" in path:
        return "it contains a backslash, which is a separator on Windows and an ordinary character on Linux"
    if "\0" in path:
        return "it contains a zero byte"
    parts = path.split("/")
    if ".." in parts:
        return "it points outside the archive"
    if not {"", "."}.isdisjoint(parts):
        return "it contains an empty path segment"
    return _length_objection(path, parts)


def _length_objection(path: str, parts: list[str]) -> str | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if size >= PATH_MAX or (size > NAME_MAX and any(len(part.encode()) > NAME_MAX for part in parts)):
        return "it is longer than Linux allows"
    return None


def target_objection(target: str) -> str | None:
    """Return why a text cannot be a link target, None when it can. Does not check where the link leads."""
    try:
        size = len(target.encode())
    except UnicodeEncodeError:
        return "its link target is not valid UTF-8"
    if not 0 < size < PATH_MAX or "\0" in target:
        return "its link target is not a valid path"
    return None


def hostile_entry_error(where: object, path: str, reason: str, *, hint: str | None = None) -> LambdapackError:
    """Return LP008 for an entry; the path is quoted, so that control characters in it have no effect."""
    return LambdapackError(HOSTILE_ARCHIVE, f"{where}: {path!r}: {reason}", hint=hint)


def admit_path(name: str, where: object) -> str:
    """Return the canonical path of an archive's entry, "" for its root; LP008 when it must not be unpacked."""
    path = canonical_path(name)
    reason = path_objection(path) if path else None
    if reason is not None:
        raise hostile_entry_error(where, name, reason)
    return path


def is_escaping_target(path: str, target: str) -> bool:
    """Tell whether the target of a symlink at `path` lies outside the tree, by its text alone.

    Absolute targets below /opt and /var/task are inside: Lambda puts layers and functions there.
    """
    if target.startswith("/"):
        real = "/" + posixpath.normpath(target).lstrip("/")
        return not any(real == root or real.startswith(f"{root}/") for root in LAMBDA_ROOTS)
    real = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return real == ".." or real.startswith("../")


def is_escaping_link(entries: Mapping[str, Entry], path: str) -> bool:
    """Tell whether the symlink at `path` leads out of the tree when other links on its way are followed too."""
    done, pending, link = path.split("/")[:-1], list[str](), entries[path]
    for _ in range(MAX_SYMLINKS):
        if link.target.startswith("/"):
            return is_escaping_target(link.path, "/".join((link.target, *pending)))
        pending[:0] = [part for part in link.target.split("/") if part not in ("", ".")]
        following = _walk_to_link(entries, done, pending)
        if following is None:
            return pending == [".."]
        link = following
    return False


def _walk_to_link(entries: Mapping[str, Entry], done: list[str], pending: list[str]) -> Entry | None:
    """Walk to the next link; None at the end, with [".."] left in `pending` when the walk left the tree."""
    while pending:
        step = pending.pop(0)
        if step == "..":
            if not done:
                pending[:] = [".."]
                return None
            done.pop()
            continue
        done.append(step)
        entry = entries.get("/".join(done))
        if entry is not None and entry.kind is EntryKind.SYMLINK:
            done.pop()
            return entry
    return None


def index_entries(entries: Iterable[Entry], where: object, *, hint: str | None = None) -> Mapping[str, Entry]:
    """Return path to entry in byte order; LP008 for a repeated path and for one below a file or a link.

    Unpacking an entry below a link would write to wherever the link points.
    """
    indexed: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in indexed:
            raise hostile_entry_error(where, entry.path, "it is listed twice", hint=hint)
        indexed[entry.path] = entry
    checked: set[str] = set()
    for path in indexed:
        for parent in ancestors(path, checked):
            above = indexed.get(parent)
            if above is not None and above.kind is not EntryKind.DIRECTORY:
                raise hostile_entry_error(
                    where, path, f"it lies below {parent!r}, which is a {above.kind.value}", hint=hint
                )
    return sort_entries(indexed)


def sort_entries(entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """Return the same entries sorted: the order of code points is the byte order of UTF-8."""
    return dict(sorted(entries.items()))


def ancestors(path: str, seen: set[str]) -> Iterator[str]:
    """Yield the directories above a path, innermost first, until one is in `seen`; adds them to `seen`."""
    while (path := path.rpartition("/")[0]) and path not in seen:
        seen.add(path)
        yield path


def file_entry(entries: Mapping[str, Entry], path: str) -> Entry:
    """Return the entry of a regular file; KeyError for anything else."""
    entry = entries[path]
    if entry.kind is not EntryKind.FILE:
        raise KeyError(path)
    return entry


@contextmanager
def lend(data: bytes | bytearray | memoryview | mmap.mmap) -> Iterator[memoryview]:
    """Give a read-only view of bytes, released at the end of the block; slices still referenced stay valid."""
    view = memoryview(data).toreadonly()
    try:
        yield view
    finally:
        release(view)


def release(buffer: memoryview | mmap.mmap) -> None:
    """Release a view or a mapping; if a traceback still holds a slice of it, the garbage collector does so later."""
    with suppress(BufferError):
        if isinstance(buffer, memoryview):
            buffer.release()
        else:
            buffer.close()
