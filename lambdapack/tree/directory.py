"""A directory of this host as a tree. Never follows links, never writes."""

import mmap
import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, TOO_LARGE
from lambdapack.tree.archive import MAX_ENTRIES
from lambdapack.tree.entry import (
    Entry,
    EntryKind,
    file_entry,
    hostile_entry_error,
    path_objection,
    release,
    sort_entries,
    target_objection,
)
from lambdapack.tree.identity import file_identity

PathFilter = Callable[[str, bool], bool]
"""Called with a path and whether it is a directory; False leaves it out, and a directory with everything in it."""

MIN_MAPPED_BYTES = 64 * 1024
"""Bytes from which a file is mapped: below, one read costs less than mapping and page faults."""

READ_ONLY_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

JUNCTION_TAG = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)
"""Reparse tag of a Windows junction, a link that reports itself as a directory. None on other hosts."""

LEAVE_OUT_HINT = "Remove it, or name it in .lambdapackignore."


class DirectoryTree:
    """The files below a directory, indexed once when it is made."""

    def __init__(self, root: Path, *, keep: PathFilter | None = None) -> None:
        """Index the directory; LP007 for an unreadable entry, LP008 for a socket, device or pipe."""
        self._root = str(root)
        if not os.path.isdir(self._root):  # noqa: PTH112  # the str is what scandir gets
            reason = "it is not a directory" if os.path.lexists(self._root) else "there is no such directory"
            raise LambdapackError(BAD_TARGET, f"{root}: {reason}")
        self.entries = sort_entries(
            {entry.path: entry for entry in _walk_directory(self._root, keep or (lambda _path, _is_dir: True))}
        )

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes; LP007 when the file is gone or has changed since it was indexed."""
        entry = file_entry(self.entries, path)
        file = f"{self._root}{os.sep}{path}" if os.sep == "/" else os.path.join(self._root, *path.split("/"))  # noqa: PTH118
        data = _map_file(file, entry.size) if entry.size >= MIN_MAPPED_BYTES else _read(file, entry.size)
        view = memoryview(data)
        try:
            yield view
        finally:
            release(view)
            if isinstance(data, mmap.mmap):
                release(data)


def _walk_directory(root: str, keep: PathFilter) -> Iterator[Entry]:
    pending, count = [""], 0
    while pending:
        directory = pending.pop()
        for dir_entry in _list_directory(os.path.join(root, directory)):  # noqa: PTH118  # hot: once a directory
            path = f"{directory}/{dir_entry.name}" if directory else dir_entry.name
            entry = _entry(dir_entry, path, root, keep)
            if entry is None:
                continue
            if entry.kind is EntryKind.DIRECTORY:
                pending.append(path)
            count += 1
            if count > MAX_ENTRIES:
                raise LambdapackError(TOO_LARGE, f"{root}: it has more than {MAX_ENTRIES} entries", hint=LEAVE_OUT_HINT)
            yield entry


def _list_directory(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as dir_entries:
            return list(dir_entries)
    except OSError as error:
        raise _unreadable_error(directory, error) from error


def _entry(dir_entry: os.DirEntry[str], path: str, root: str, keep: PathFilter) -> Entry | None:
    try:
        status = dir_entry.stat(follow_symlinks=False)
    except OSError as error:
        raise _unreadable_error(dir_entry.path, error) from error
    mode = status.st_mode
    directory = stat.S_ISDIR(mode) and not _is_junction(status)
    if not keep(path, directory):
        return None
    reason = path_objection(path)
    if reason is not None:
        raise hostile_entry_error(root, path, reason, hint=LEAVE_OUT_HINT)
    if stat.S_ISREG(mode):
        return Entry(path, EntryKind.FILE, _permissions(mode, 0o644), status.st_size, "", file_identity(status))
    if stat.S_ISLNK(mode) or (stat.S_ISDIR(mode) and not directory):
        return Entry(path, EntryKind.SYMLINK, 0o777, 0, _read_target(dir_entry.path, path, root))
    if directory:
        return Entry(path, EntryKind.DIRECTORY, _permissions(mode, 0o755), 0)
    raise hostile_entry_error(root, path, "it is a socket, a pipe or a device", hint=LEAVE_OUT_HINT)


def _permissions(mode: int, portable: int) -> int:
    """Return the permission bits; Windows invents them from the file extension, so every file gets `portable` there."""
    return portable if os.name == "nt" else stat.S_IMODE(mode) & 0o777


def _is_junction(status: os.stat_result) -> bool:
    return JUNCTION_TAG is not None and getattr(status, "st_reparse_tag", 0) == JUNCTION_TAG


def _read_target(link: str, path: str, root: str) -> str:
    try:
        target = os.readlink(link)  # noqa: PTH115  # Path would change the text
    except OSError as error:
        raise _unreadable_error(link, error) from error
    if os.name == "nt":
        target = translate_windows_target(target, path, root)
    reason = target_objection(target)
    if reason is not None:
        raise hostile_entry_error(root, path, reason, hint=LEAVE_OUT_HINT)
    return target


def translate_windows_target(target: str, path: str, root: str) -> str:
    r"""Return the target of a Windows link in Linux form: with "/", and relative when it stays below `root`.

    npm and pnpm create junctions on Windows, which are always absolute and read back as \\?\C:\project\...
    """
    target = target.removeprefix("\\\\?\\").replace("\\", "/")
    base = root.removeprefix("\\\\?\\").replace("\\", "/").rstrip("/") + "/"
    if not target.lower().startswith(base.lower()):
        return target
    return posixpath.relpath("/" + target[len(base) :], posixpath.join("/", posixpath.dirname(path)))


def _read(file: str, size: int) -> bytes:
    try:
        descriptor = os.open(file, READ_ONLY_FLAGS)
        try:
            data = os.read(descriptor, size + 1)
            while 0 < len(data) < size and (chunk := os.read(descriptor, size + 1 - len(data))):
                data += chunk
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable_error(file, error) from error
    if len(data) != size:
        raise _changed_error(file)
    return data


def _map_file(file: str, size: int) -> mmap.mmap:
    try:
        descriptor = os.open(file, READ_ONLY_FLAGS)
        try:
            if os.fstat(descriptor).st_size == size:
                return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable_error(file, error) from error
    raise _changed_error(file)


def _changed_error(file: str) -> LambdapackError:
    return LambdapackError(BAD_TARGET, f"{file!r}: it changed while lambdapack read it", hint="Repeat the command.")


def _unreadable_error(file: str, error: OSError) -> LambdapackError:
    return LambdapackError(BAD_TARGET, f"{file!r}: {error.strerror or error}", hint="Check its owner and permissions.")
