"""A tree as a tar stream for the container engine, and a tar file as a tree. Never unpacks to disk."""

import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, TOO_LARGE
from lambdapack.tree.archive import MAX_ENTRIES, MappedFile
from lambdapack.tree.directory import PathFilter
from lambdapack.tree.entry import (
    Entry,
    EntryKind,
    Tree,
    admit_path,
    ancestors,
    file_entry,
    hostile_entry_error,
    index_entries,
    lend,
    path_objection,
    target_objection,
)

FIXED_MTIME = 315532800
"""1980-01-01T00:00:00Z in Unix seconds, the oldest time that a zip can store; every tar and zip entry has it."""

TAR_CHUNK_BYTES = 256 * 1024
"""Bytes of a chunk: large enough for an HTTP connection, small enough to keep many in memory."""


def tar_chunks(tree: Tree, prefix: str = "", owner: tuple[int, int] = (0, 0)) -> Iterator[bytes]:
    """Yield the bytes of a tar of a tree below `prefix`, in bounded memory.

    Modes are the entries' own (compose.make_readable sets 644 and 755). Every directory comes once and before its
    contents; of `prefix` only the last directory has an entry: one for /tmp or /var would change the container's own.
    """
    reason = path_objection(prefix) if prefix else None
    if reason is not None:
        raise hostile_entry_error("prefix", prefix, reason)
    pending = bytearray()
    for piece in _tar_pieces(tree, f"{prefix}/" if prefix else "", owner):
        pending += piece
        if len(pending) >= TAR_CHUNK_BYTES:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending + bytes(2 * tarfile.BLOCKSIZE))


def _tar_pieces(tree: Tree, prefix: str, owner: tuple[int, int]) -> Iterator[bytes]:
    if prefix:
        yield _tar_header(Entry(prefix, EntryKind.DIRECTORY, 0o755, 0), "", owner)
    known: set[str] = set()
    for path, entry in tree.entries.items():
        for parent in reversed(list(ancestors(path, known))):
            yield _tar_header(Entry(parent, EntryKind.DIRECTORY, 0o755, 0), prefix, owner)
        if entry.kind is not EntryKind.DIRECTORY or path not in known:
            known.add(path)
            yield _tar_header(entry, prefix, owner)
        if entry.kind is EntryKind.FILE:
            yield from _tar_contents(tree, entry)


def _tar_contents(tree: Tree, entry: Entry) -> Iterator[bytes]:
    with tree.view(entry.path) as data:
        for start in range(0, len(data), TAR_CHUNK_BYTES):
            yield bytes(data[start : start + TAR_CHUNK_BYTES])
    yield bytes(-entry.size % tarfile.BLOCKSIZE)


def _tar_header(entry: Entry, prefix: str, owner: tuple[int, int]) -> bytes:
    member = tarfile.TarInfo(prefix + entry.path.rstrip("/"))
    member.mtime = FIXED_MTIME
    member.uid, member.gid = owner
    member.size = entry.size
    member.mode = entry.mode
    match entry.kind:
        case EntryKind.DIRECTORY:
            member.type = tarfile.DIRTYPE
        case EntryKind.SYMLINK:
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        case EntryKind.FILE:
            pass
    return member.tobuf(tarfile.PAX_FORMAT, encoding="utf-8", errors="strict")


SpoolRange = tuple[int, int]
"""Offset and size of a file's bytes in the spool."""


class SpoolTree:
    """The entries of a tar file, open until `close`."""

    def __init__(self, path: Path, strip: str = "", *, keep: PathFilter | None = None) -> None:
        """Index the file; `strip` is the directory that the engine puts before every name. `keep` leaves entries out.

        LP007 when it is not a tar or is truncated, LP008 when an entry must not be unpacked or lies outside `strip`.
        """
        self._file = MappedFile(path)
        try:
            entries, self._places = _read_entries(self._file, strip.strip("/"), keep)
            self.entries = index_entries(entries, path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes: a slice of the mapped tar."""
        file_entry(self.entries, path)
        with lend(self._file.read_range(*self._places[path])) as data:
            yield data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _read_entries(
    file: MappedFile, strip: str, keep: PathFilter | None
) -> tuple[list[Entry], Mapping[str, SpoolRange]]:
    entries: list[Entry] = []
    ranges: dict[str, SpoolRange] = {}
    for member in _read_members(file):
        if len(entries) >= MAX_ENTRIES:
            raise LambdapackError(TOO_LARGE, f"{file.path}: it has more than {MAX_ENTRIES} entries")
        path = _strip_prefix(strip, member.name, file.path)
        if not path or (keep is not None and not keep(path, member.isdir())):
            continue
        if member.islnk():
            ranges[path] = _hard_link_range(member, strip, ranges, file.path)
        elif member.isreg():
            ranges[path] = _file_range(member, file)
        entries.append(_make_entry(path, member, ranges, file.path))
    return entries, ranges


def _read_members(file: MappedFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members; LP007 when the file does not end with a block of zeros, which tarfile does not check."""
    before = -1
    try:
        with tarfile.open(file.path, "r:", errorlevel=2) as archive:
            for member in archive:
                if member.size < 0 or archive.offset <= before:
                    raise _damaged_error(file.path, f"{member.name!r} has an impossible size")
                before = archive.offset
                yield member
            end = archive.offset
    except (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError) as error:
        raise _damaged_error(file.path, str(error)) from error
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{file.path}: {error.strerror or error}") from error
    if bytes(file.read_range(end, tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        raise _damaged_error(file.path, f"no entry can be read at offset {end}")


def _strip_prefix(strip: str, name: str, archive: Path) -> str:
    """Return a name without the leading directory that the engine adds, "" for that directory itself."""
    path = admit_path(name, archive)
    if not strip or not path:
        return path
    if path != strip and not path.startswith(f"{strip}/"):
        raise hostile_entry_error(archive, name, f"it lies outside {strip!r}")
    return path[len(strip) + 1 :]


def _hard_link_range(
    member: tarfile.TarInfo, strip: str, ranges: Mapping[str, SpoolRange], archive: Path
) -> SpoolRange:
    """Return the range that a hard link shares with an earlier file; podman names that file without the prefix."""
    target = admit_path(member.linkname, archive)
    for path in (target.removeprefix(f"{strip}/") if strip else target, target):
        if path in ranges:
            return ranges[path]
    raise hostile_entry_error(
        archive, member.name, f"it is a hard link to {member.linkname!r}, which is not an earlier file of the archive"
    )


def _file_range(member: tarfile.TarInfo, file: MappedFile) -> SpoolRange:
    if member.issparse():
        raise _damaged_error(file.path, f"{member.name!r} is a sparse file")
    if member.offset_data + member.size > file.size:
        raise _damaged_error(file.path, f"the file ends inside {member.name!r}")
    return member.offset_data, member.size


def _make_entry(path: str, member: tarfile.TarInfo, ranges: Mapping[str, SpoolRange], archive: Path) -> Entry:
    mode = member.mode & 0o777
    if path in ranges:
        return Entry(path, EntryKind.FILE, mode, ranges[path][1])
    if member.isdir():
        return Entry(path, EntryKind.DIRECTORY, mode, 0)
    if not member.issym():
        raise hostile_entry_error(archive, member.name, "it is a pipe, a device or an entry of an unknown type")
    reason = target_objection(member.linkname)
    if reason is not None:
        raise hostile_entry_error(archive, member.name, reason)
    return Entry(path, EntryKind.SYMLINK, 0o777, 0, member.linkname)


def _damaged_error(path: Path, cause: str) -> LambdapackError:
    return LambdapackError(BAD_TARGET, f"{path}: {cause}", hint=f"Create the archive again; `tar -tf {path}` tests it.")
