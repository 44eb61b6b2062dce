"""A zip archive as a tree, memory-mapped and never unpacked to disk. Refuses sizes that deflate cannot reach."""

import mmap
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, HOSTILE_ARCHIVE, TOO_LARGE
from lambdapack.tree.entry import (
    PATH_MAX,
    Entry,
    EntryKind,
    admit_path,
    file_entry,
    hostile_entry_error,
    index_entries,
    lend,
    release,
    target_objection,
)
from lambdapack.tree.identity import file_identity

if TYPE_CHECKING:
    from zipfile import ZipInfo

MAX_DECLARED_BYTES = 4 * 1024**3
"""Bytes that all entries together may declare: 16 times what Lambda unpacks (docs/facts.md#4-limits), so that a
package far beyond Lambda's limit is still verified, and a zip bomb is refused."""

MAX_PACKED_RATIO = 64
"""Bytes that a byte of an archive may unpack to where the whole is larger than Lambda takes. No npm package
reaches ten; a zip bomb has a thousand."""

UNSUSPICIOUS_BYTES = 250 * 1024**2
"""Bytes up to which any archive is unpacked: what Lambda takes (docs/facts.md#4-limits)."""

MAX_MEMBER_BYTES = 512 * 1024**2
"""Bytes of one entry, which is inflated as a whole: twice what Lambda takes of all together."""

MAX_ENTRIES = 200_000
"""Entries of an archive or directory; 250 MB of small files of npm packages are about 50,000."""

MAX_DEFLATE_RATIO = 1032
"""Deflate's best: 258 bytes of output for 2 bits of input (zlib's technical notes, "Maximum Compression Factor")."""

UNIX_SYSTEMS = (3, 19)
"""APPNOTE.TXT 4.4.2: "made by" Unix and macOS; only there are the upper 16 bits of the attributes a mode.

A zip from Windows has none. AWS does not document the mode that Lambda gives such files; unzip and Go use 644 and 755
and create no links, and lambdapack does the same."""

ZIP_STORED, ZIP_DEFLATED = 0, 8
ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000  # APPNOTE.TXT 4.4.4: bit 0, strong encryption, masked headers
UTF8_FLAG = 0x0800
LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, name length, extra length
CENTRAL_HEADER_BYTES = 46  # APPNOTE.TXT 4.3.12, without name, extra field and comment
CENTRAL_SIGNATURE = rb"PK\x01\x02"
LOCAL_SIGNATURE = b"PK\x03\x04"


class ZipTree:
    """The entries of a zip archive, open until `close`."""

    def __init__(self, path: Path) -> None:
        """Read the central directory; LP007 when it is not a valid zip, LP008 when an entry must not be unpacked."""
        self._file = MappedFile(path)
        self._checked: set[str] = set()
        try:
            self._refuse_many_entries()
            self._members = _read_members(path)
            self.entries = index_entries((self._make_entry(*item) for item in self._members.items()), path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes: a slice of the mapped zip, or inflated into memory (LP007, LP008)."""
        file_entry(self.entries, path)
        with lend(self._contents(path, self._members[path])) as data:
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

    def _refuse_many_entries(self) -> None:
        """Count the headers before any is read: an entry in memory takes ten times the bytes of its header."""
        if self._file.size < MAX_ENTRIES * CENTRAL_HEADER_BYTES:
            return
        found = sum(1 for _header in re.finditer(CENTRAL_SIGNATURE, self._file.read_range(0, self._file.size)))
        if found > MAX_ENTRIES:
            raise LambdapackError(TOO_LARGE, f"{self._file.path}: it has {found} entries, more than {MAX_ENTRIES}")

    def _make_entry(self, path: str, info: "ZipInfo") -> Entry:
        mode = info.external_attr >> 16 if info.create_system in UNIX_SYSTEMS else 0
        kind = _member_kind(path, info, mode, self._file.path)
        if kind is EntryKind.SYMLINK:
            return Entry(path, kind, 0o777, 0, self._link_target(path, info))
        if info.create_system not in UNIX_SYSTEMS:
            mode = 0o755 if kind is EntryKind.DIRECTORY else 0o644
        if kind is EntryKind.DIRECTORY:
            return Entry(path, kind, mode & 0o777, 0)
        return Entry(path, kind, mode & 0o777, info.file_size, "", self._member_identity(info))

    def _member_identity(self, info: "ZipInfo") -> str:
        return file_identity(self._file.status, info.CRC, info.header_offset, info.compress_size)

    def _link_target(self, path: str, info: "ZipInfo") -> str:
        if info.file_size >= PATH_MAX:
            raise hostile_entry_error(self._file.path, path, "its link target is longer than Linux allows a path to be")
        target = bytes(self._contents(path, info)).decode("utf-8", "surrogateescape")
        reason = target_objection(target)
        if reason is not None:
            raise hostile_entry_error(self._file.path, path, reason)
        return target

    def _contents(self, path: str, info: "ZipInfo") -> memoryview | bytearray:
        packed = self._compressed_bytes(path, info)
        data = packed if info.compress_type == ZIP_STORED else self._inflate(path, packed, info.file_size)
        if path not in self._checked:
            import deflate  # noqa: PLC0415  # only when a zip is read

            if deflate.crc32(data) != info.CRC:
                raise _corrupt_error(self._file.path, f"{path!r}: the CRC of its bytes differs from the recorded one")
            self._checked.add(path)
        return data

    def _compressed_bytes(self, path: str, info: "ZipInfo") -> memoryview:
        header = self._file.read_range(info.header_offset, LOCAL_HEADER.size)
        signature, name_size, extra_size = LOCAL_HEADER.unpack(header)
        if signature != LOCAL_SIGNATURE:
            raise _corrupt_error(self._file.path, f"{path!r}: the central directory points at no entry")
        start = info.header_offset + LOCAL_HEADER.size
        if self._file.read_range(start, name_size) != _raw_name(info):
            raise hostile_entry_error(self._file.path, path, "its name differs from the one in the central directory")
        return self._file.read_range(start + name_size + extra_size, info.compress_size)

    def _inflate(self, path: str, packed: memoryview, size: int) -> bytearray:
        import deflate  # noqa: PLC0415  # only when a zip is read

        try:
            data: bytearray = deflate.deflate_decompress(packed, size) if size else bytearray()
        except deflate.DeflateError as error:
            raise self._inflate_error(path, packed, size) from error
        if len(data) != size or (not size and self._inflates_beyond(packed, 0)):
            raise self._inflate_error(path, packed, size)
        return data

    def _inflate_error(self, path: str, packed: memoryview, size: int) -> LambdapackError:
        if self._inflates_beyond(packed, size):
            return hostile_entry_error(
                self._file.path, path, f"it unpacks to more than the {size} bytes that it declares"
            )
        return _corrupt_error(self._file.path, f"{path!r}: its compressed data are damaged")

    @staticmethod
    def _inflates_beyond(packed: memoryview, size: int) -> bool:
        import zlib  # noqa: PLC0415  # only when something is wrong

        try:
            return len(zlib.decompressobj(-15).decompress(packed, size + 1)) > size
        except zlib.error:
            return False


def _read_members(path: Path) -> "dict[str, ZipInfo]":
    members: dict[str, ZipInfo] = {}
    total = 0
    for info in _read_central_directory(path):
        name = admit_path(_member_name(info), path)
        if not name:
            raise hostile_entry_error(path, info.orig_filename, "it has no name")
        if name in members:
            raise hostile_entry_error(path, name, "it is listed twice")
        _check_member(path, name, info)
        total += info.file_size
        members[name] = info
    if total > MAX_DECLARED_BYTES:
        raise LambdapackError(HOSTILE_ARCHIVE, f"{path}: it declares {total} bytes, more than {MAX_DECLARED_BYTES}")
    packed = path.stat().st_size
    if total > max(UNSUSPICIOUS_BYTES, MAX_PACKED_RATIO * packed):
        raise LambdapackError(TOO_LARGE, f"{path}: its {packed} bytes would unpack to {total}")
    return members


def _read_central_directory(path: Path) -> "list[ZipInfo]":
    import zipfile  # noqa: PLC0415  # only when a zip is read

    broken = (zipfile.BadZipFile, struct.error, ValueError, OverflowError, EOFError, IndexError, NotImplementedError)
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except broken as error:
        raise _corrupt_error(path, f"{error}") from error
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror or error}") from error


def _check_member(path: Path, name: str, info: "ZipInfo") -> None:
    if info.flag_bits & ENCRYPTED_FLAGS:
        raise hostile_entry_error(path, name, "it is encrypted")
    if info.compress_type == ZIP_STORED and info.file_size != info.compress_size:
        raise _corrupt_error(path, f"{name!r}: it is stored uncompressed, but its two sizes differ")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise LambdapackError(BAD_TARGET, f"{path}: {name!r}: compression method {info.compress_type} is not deflate")
    if info.file_size > MAX_DEFLATE_RATIO * info.compress_size:
        raise hostile_entry_error(
            path, name, f"{info.compress_size} bytes cannot unpack to the {info.file_size} that it declares"
        )
    if info.file_size > MAX_MEMBER_BYTES:
        raise LambdapackError(TOO_LARGE, f"{path}: {name!r} has {info.file_size} bytes, more than {MAX_MEMBER_BYTES}")


def _raw_name(info: "ZipInfo") -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF8_FLAG else "cp437")


def _member_name(info: "ZipInfo") -> str:
    """Return the name as Linux sees it; zip tools there often write UTF-8 without setting the UTF-8 flag."""
    if info.flag_bits & UTF8_FLAG:
        return info.orig_filename
    try:
        return _raw_name(info).decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _member_kind(path: str, info: "ZipInfo", mode: int, archive: os.PathLike[str]) -> EntryKind:
    form = stat.S_IFMT(mode)
    if form not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise hostile_entry_error(archive, path, "it is a socket, a pipe or a device")
    slash = info.orig_filename.endswith("/")
    if form == stat.S_IFLNK and slash:
        raise hostile_entry_error(archive, path, "it is a link with the name of a directory")
    if slash or form == stat.S_IFDIR:
        return EntryKind.DIRECTORY
    return EntryKind.SYMLINK if form == stat.S_IFLNK else EntryKind.FILE


def _corrupt_error(path: Path, cause: str) -> LambdapackError:
    return LambdapackError(
        BAD_TARGET, f"{path}: {cause}", hint=f"Create the archive again; `unzip -t {path}` tests it."
    )


class MappedFile:
    """The bytes of an archive on disk, open until `close`."""

    def __init__(self, path: Path) -> None:
        """Map the file; LP007 when it is missing, unreadable, empty or not a regular file."""
        self.path = path
        if path.exists() and not path.is_file():
            raise LambdapackError(BAD_TARGET, f"{path}: it is not a regular file")
        try:
            with path.open("rb") as file:
                self.status = os.fstat(file.fileno())
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise LambdapackError(BAD_TARGET, f"{path}: it is empty") from error
        except OSError as error:
            raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror}") from error
        self.size = len(self._map)

    def read_range(self, start: int, size: int) -> memoryview:
        """Return `size` bytes from `start`; LP007 when the file is shorter."""
        if not 0 <= start <= start + size <= self.size:
            raise LambdapackError(BAD_TARGET, f"{self.path}: the file is truncated: {start + size} bytes are needed")
        return memoryview(self._map)[start : start + size]

    def close(self) -> None:
        """Close the file; Windows cannot replace an open one."""
        release(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
