"""A zip read where it lies. Never unpacks, never believes a size that compression cannot reach."""

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lambdapack.errors import BAD_TARGET, HOSTILE_ARCHIVE, LambdapackError
from lambdapack.tree.entry import Entry, Kind
from lambdapack.tree.identity import identity
from lambdapack.tree.index import file_entry, index
from lambdapack.tree.mapped import MappedFile, lend
from lambdapack.tree.names import PATH_MAX, admitted, refused, target_objection

if TYPE_CHECKING:
    from zipfile import ZipInfo

TOTAL_MAX = 4 * 1024**3
"""Bytes that all entries together may declare: 16 times what Lambda unpacks (262144000, FACTS section 4), so that a
package that is far too big is still judged, and a bomb is not."""

RATIO_MAX = 1032
"""Deflate's best: 258 bytes of output for 2 bits of input (zlib's technical notes, "Maximum Compression Factor")."""

UNIX_SYSTEMS = (3, 19)
"""APPNOTE.TXT 4.4.2: "made by" Unix and macOS; only there are the upper 16 bits of the attributes a mode.

A zip from Windows has none. What Lambda gives such files is not documented; unzip and Go read them as 644 and 755
without a link among them, and so do we."""

STORED, DEFLATED = 0, 8
ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # APPNOTE.TXT 4.4.4: bit 0, strong encryption, masked headers
UTF_8 = 0x0800
LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, name length, extra length
LOCAL_SIGNATURE = b"PK\x03\x04"


class ZipTree:
    """The entries of a zip archive, open until `close`."""

    def __init__(self, path: Path) -> None:
        """Read the central directory; LP007 when it is no sound zip, LP008 when an entry must not be unpacked."""
        self._file = MappedFile(path)
        self._checked: set[str] = set()
        try:
            self._members = _members(path)
            self.entries = index((self._entry(*item) for item in self._members.items()), path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Lend a file's bytes: a slice of the mapped zip when stored, else unpacked into memory (LP007, LP008)."""
        file_entry(self.entries, path)
        with lend(self._contents(path, self._members[path])) as data:
            yield data

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _entry(self, path: str, info: "ZipInfo") -> Entry:
        mode = info.external_attr >> 16 if info.create_system in UNIX_SYSTEMS else 0
        kind = _kind(path, info, mode, self._file.path)
        if kind is Kind.SYMLINK:
            return Entry(path, kind, 0o777, 0, self._target(path, info))
        if info.create_system not in UNIX_SYSTEMS:
            mode = 0o755 if kind is Kind.DIRECTORY else 0o644
        if kind is Kind.DIRECTORY:
            return Entry(path, kind, mode & 0o777, 0)
        return Entry(path, kind, mode & 0o777, info.file_size, "", self._identity(info))

    def _identity(self, info: "ZipInfo") -> str:
        return identity(self._file.status, info.CRC, info.header_offset, info.compress_size)

    def _target(self, path: str, info: "ZipInfo") -> str:
        if info.file_size >= PATH_MAX:
            raise refused(self._file.path, path, "it is a link with a target longer than a path can be")
        target = bytes(self._contents(path, info)).decode("utf-8", "surrogateescape")
        reason = target_objection(target)
        if reason is not None:
            raise refused(self._file.path, path, reason)
        return target

    def _contents(self, path: str, info: "ZipInfo") -> memoryview | bytearray:
        packed = self._packed(path, info)
        data = packed if info.compress_type == STORED else self._inflated(path, packed, info.file_size)
        if path not in self._checked:
            import deflate  # noqa: PLC0415  # only when a zip is read

            if deflate.crc32(data) != info.CRC:
                raise _corrupt(self._file.path, f"{path!r}: its bytes do not have the recorded CRC")
            self._checked.add(path)
        return data

    def _packed(self, path: str, info: "ZipInfo") -> memoryview:
        header = self._file.piece(info.header_offset, LOCAL_HEADER.size)
        signature, name_size, extra_size = LOCAL_HEADER.unpack(header)
        if signature != LOCAL_SIGNATURE:
            raise _corrupt(self._file.path, f"{path!r}: there is no entry where the directory says")
        start = info.header_offset + LOCAL_HEADER.size
        if self._file.piece(start, name_size) != _raw_name(info):
            raise refused(self._file.path, path, "the entry has another name than the directory says")
        return self._file.piece(start + name_size + extra_size, info.compress_size)

    def _inflated(self, path: str, packed: memoryview, size: int) -> bytearray:
        import deflate  # noqa: PLC0415  # only when a zip is read

        try:
            data: bytearray = deflate.deflate_decompress(packed, size) if size else bytearray()
        except deflate.DeflateError as error:
            raise self._overflow_or_damage(path, packed, size) from error
        if len(data) != size or (not size and self._grows(packed, 0)):
            raise self._overflow_or_damage(path, packed, size)
        return data

    def _overflow_or_damage(self, path: str, packed: memoryview, size: int) -> LambdapackError:
        if self._grows(packed, size):
            return refused(self._file.path, path, f"it unpacks to more than the {size} bytes that it declares")
        return _corrupt(self._file.path, f"{path!r}: its compressed data are damaged")

    @staticmethod
    def _grows(packed: memoryview, size: int) -> bool:
        import zlib  # noqa: PLC0415  # only when something is wrong

        try:
            return len(zlib.decompressobj(-15).decompress(packed, size + 1)) > size
        except zlib.error:
            return False


def _members(path: Path) -> "dict[str, ZipInfo]":
    found: dict[str, ZipInfo] = {}
    total = 0
    for info in _directory(path):
        name = admitted(_name(info), path)
        if not name:
            raise refused(path, info.orig_filename, "it has no name")
        if name in found:
            raise refused(path, name, "it is there twice")
        _check_packing(path, name, info)
        total += info.file_size
        found[name] = info
    if total > TOTAL_MAX:
        raise LambdapackError(HOSTILE_ARCHIVE, f"{path}: it declares {total} bytes, more than {TOTAL_MAX}")
    return found


def _directory(path: Path) -> "list[ZipInfo]":
    import zipfile  # noqa: PLC0415  # only when a zip is read

    broken = (zipfile.BadZipFile, struct.error, ValueError, OverflowError, EOFError, IndexError, NotImplementedError)
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except broken as error:
        raise _corrupt(path, f"{error}") from error
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror or error}") from error


def _check_packing(path: Path, name: str, info: "ZipInfo") -> None:
    if info.flag_bits & ENCRYPTED:
        raise refused(path, name, "it is encrypted")
    if info.compress_type == STORED and info.file_size != info.compress_size:
        raise _corrupt(path, f"{name!r}: it is stored, but with two sizes")
    if info.compress_type not in (STORED, DEFLATED):
        raise LambdapackError(BAD_TARGET, f"{path}: {name!r}: compression method {info.compress_type} is not deflate")
    if info.file_size > RATIO_MAX * info.compress_size:
        raise refused(path, name, f"{info.compress_size} bytes cannot unpack to the {info.file_size} that it declares")


def _raw_name(info: "ZipInfo") -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF_8 else "cp437")


def _name(info: "ZipInfo") -> str:
    """Return the name as Linux sees it: bytes; zip tools there often write UTF-8 without the flag that says so."""
    if info.flag_bits & UTF_8:
        return info.orig_filename
    try:
        return _raw_name(info).decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _kind(path: str, info: "ZipInfo", mode: int, where: os.PathLike[str]) -> Kind:
    form = stat.S_IFMT(mode)
    if form not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise refused(where, path, "it is a socket, a pipe or a device")
    slash = info.orig_filename.endswith("/")
    if form == stat.S_IFLNK and slash:
        raise refused(where, path, "it is a link with the name of a directory")
    if slash or form == stat.S_IFDIR:
        return Kind.DIRECTORY
    return Kind.SYMLINK if form == stat.S_IFLNK else Kind.FILE


def _corrupt(path: Path, cause: str) -> LambdapackError:
    return LambdapackError(BAD_TARGET, f"{path}: {cause}", hint=f"Make it again; `unzip -t {path}` tests it.")
