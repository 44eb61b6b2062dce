"""Writes a tree as a zip, compressed on several threads. The same tree gives the same bytes on every host.

Zip64 records appear only where a file, the zip or the number of members needs them.
"""

import hashlib
import os
import struct
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.pack.digest import ContentDigest, ZipMember, base64_digest, sha256_digest, zip_members
from lambdapack.pack.output import check_writable, replace_file
from lambdapack.tree.archive import UTF8_FLAG, ZIP_DEFLATED, ZIP_STORED
from lambdapack.tree.entry import EntryKind, Tree

DEFLATE_LEVELS: Final = {"fast": 1, "default": 6, "best": 12}
"""libdeflate's levels by the words of `--compress`. On real node_modules "default" is no larger than `zip -9` and far
faster; see tests/bench/bench_zip.py."""

DEFAULT_COMPRESSION: Final = "default"

MAX_COMPRESSED_FILE_BYTES: Final = 1024**3
"""Bytes of the largest file that is compressed, in one buffer. Anything larger is stored in slices: Lambda refuses it
anyway (250 MiB unzipped), and memory stays bounded."""

WINDOW_BYTES: Final = 32 * 1024**2
"""Bytes of input that are submitted together. At most two windows are in progress, so memory stays bounded."""

LARGE_FILE_BYTES: Final = 1024**2
"""Bytes from which a file is started before the others of its window."""

BATCH_BYTES: Final = 256 * 1024
"""Bytes of input of one task: small files share a task, since starting one costs more than compressing a small file."""

MAX_BATCH_MEMBERS: Final = 256
"""Members of one task, so that thousands of empty files are distributed too."""

MAX_WORKERS: Final = 8
"""Threads; with more, the single thread that writes and hashes the zip is the bottleneck."""


@dataclass(frozen=True, slots=True)
class PackedMember:
    """A member with its bytes as written into the zip."""

    member: ZipMember
    method: int  # STORED or DEFLATED
    crc: int
    size: int  # bytes unpacked
    sha256: bytes  # of the unpacked bytes
    data: bytes | bytearray | memoryview | None  # None: stored, to be read from the tree once more

    @property
    def packed_size(self) -> int:
        """Bytes in the zip."""
        return self.size if self.data is None else len(self.data)


class PackedFiles(Protocol):
    """Files that were compressed before, by the path that they have in the tree to be packed."""

    def find_packed(self, member: ZipMember) -> PackedMember | None:
        """Return a member as it was compressed with the wanted compression, None when it has to be compressed."""
        ...


class NoPackedFiles:
    """Nothing was compressed before."""

    def find_packed(self, member: ZipMember) -> PackedMember | None:  # noqa: ARG002  # of all such sources
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class Compression:
    """How members are compressed."""

    level: str = DEFAULT_COMPRESSION  # a word of DEFLATE_LEVELS
    workers: int | None = None  # threads; None: as many as the host allows
    known: PackedFiles = field(default_factory=NoPackedFiles)


DEFAULTS: Final = Compression()


def pack_members(
    tree: Tree, members: Sequence[ZipMember], compression: Compression = DEFAULTS
) -> Generator[PackedMember, None, None]:
    """Yield every member compressed, in order, while later ones are still being compressed."""
    level = DEFLATE_LEVELS[compression.level]
    spliced = [compression.known.find_packed(member) for member in members]
    fresh = [member for member, packed in zip(members, spliced, strict=True) if packed is None]
    with closing(_compress_members(tree, fresh, level, compression.workers)) as compressed:
        for packed in spliced:
            yield packed if packed is not None else next(compressed)


def _compress_members(
    tree: Tree, members: Sequence[ZipMember], level: int, workers: int | None
) -> Generator[PackedMember, None, None]:
    if not members:
        return
    with ThreadPoolExecutor(workers or worker_count(), thread_name_prefix="pack") as pool:
        waiting: deque[list[Future[list[PackedMember]]]] = deque()
        try:
            for window in _windows(members):
                waiting.append(_submit_window(pool, tree, window, level))
                if len(waiting) > 1:
                    yield from _window_results(waiting.popleft())
            while waiting:
                yield from _window_results(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit_window(
    pool: ThreadPoolExecutor, tree: Tree, window: Sequence[Sequence[ZipMember]], level: int
) -> list[Future[list[PackedMember]]]:
    """Start a window's large files first: one that starts last would keep one thread busy while the others idle."""
    numbers = sorted(range(len(window)), key=lambda number: window[number][0].entry.size < LARGE_FILE_BYTES)
    futures = {number: pool.submit(_pack_batch, tree, window[number], level) for number in numbers}
    return [futures[number] for number in range(len(window))]


def _window_results(futures: list[Future[list[PackedMember]]]) -> Iterator[PackedMember]:
    """Yield the results of a window, releasing each batch before waiting for the next."""
    futures.reverse()
    while futures:
        yield from futures.pop().result()


def worker_count() -> int:
    """Return how many threads to use: the CPUs that this process may run on, at most MAX_WORKERS."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    return min(os.cpu_count() or 1, MAX_WORKERS)


def _windows(members: Sequence[ZipMember]) -> Iterator[list[list[ZipMember]]]:
    """Yield lists of batches of at most WINDOW_BYTES; a larger file is alone."""
    window: list[list[ZipMember]] = []
    size = 0
    for batch in _batches(members):
        weight = sum(member.entry.size for member in batch)
        if window and size + weight > WINDOW_BYTES:
            yield window
            window, size = [], 0
        window.append(batch)
        size += weight
    if window:
        yield window


def _batches(members: Sequence[ZipMember]) -> Iterator[list[ZipMember]]:
    """Yield lists of members of at most BATCH_BYTES; a larger file is alone."""
    batch: list[ZipMember] = []
    size = 0
    for member in members:
        if batch and (size + member.entry.size > BATCH_BYTES or len(batch) == MAX_BATCH_MEMBERS):
            yield batch
            batch, size = [], 0
        batch.append(member)
        size += member.entry.size
    if batch:
        yield batch


def _pack_batch(tree: Tree, batch: Sequence[ZipMember], level: int) -> list[PackedMember]:
    return [pack_member(tree, member, level) for member in batch]


def pack_member(tree: Tree, member: ZipMember, level: int = DEFLATE_LEVELS[DEFAULT_COMPRESSION]) -> PackedMember:
    """Return one member compressed, or stored when compression does not make it smaller."""
    import deflate  # noqa: PLC0415  # only when something is packed

    with member.contents(tree) as data:
        crc, sha256, size = deflate.crc32(data), sha256_digest(data), len(data)
        if size > MAX_COMPRESSED_FILE_BYTES:
            return PackedMember(member, ZIP_STORED, crc, size, sha256, None)
        if member.entry.target or not size:
            return PackedMember(member, ZIP_STORED, crc, size, sha256, bytes(data))
        small = deflate.deflate_compress(data, level)
        if len(small) < size:
            return PackedMember(member, ZIP_DEFLATED, crc, size, sha256, small)
        return PackedMember(member, ZIP_STORED, crc, size, sha256, bytes(data))


@dataclass(frozen=True, slots=True)
class Archive:
    """A deployment package or a layer."""

    path: Path
    code_digest: str  # base64 of SHA-256 over the zip's bytes: AWS's CodeSha256
    content_digest: str  # "sha256:..." over names, modes and contents; the same whatever compressed it
    zip_bytes: int
    unzipped_bytes: int
    entries: int


LOCAL_RECORD: Final = struct.Struct("<4sHHHHHIIIHH")  # 4.3.7
CENTRAL_RECORD: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
END_RECORD: Final = struct.Struct("<4sHHHHIIH")  # 4.3.16
END_64_RECORD: Final = struct.Struct("<4sQHHIIQQQQ")  # 4.3.14
LOCATOR_64_RECORD: Final = struct.Struct("<4sIQI")  # 4.3.15

DOS_DATE: Final = 0x0021
"""1980-01-01, the oldest date that MS-DOS writes (4.4.6): year since 1980 << 9, month << 5, day. The time is 0."""

MADE_BY_UNIX: Final = 3 << 8
"""4.4.2: made by Unix, so that the upper half of the attributes is a mode; fixed so that Windows hosts agree."""

DOS_DIRECTORY: Final = 0x10
ZIP_VERSION: Final = 20  # 4.4.3: deflate and directories
ZIP_64_VERSION: Final = 45
MAX_UINT16: Final = 0xFFFF
MAX_UINT32: Final = 0xFFFFFFFF


def local_header(packed: PackedMember) -> bytes:
    """Return the local header, which precedes a member's bytes."""
    name = packed.member.name.encode()
    large = packed.size >= MAX_UINT32 or packed.packed_size >= MAX_UINT32
    extra = _zip_64_extra(packed.size, packed.packed_size) if large else b""
    fields = (*_common_fields(packed, large), *_size_fields(packed, large), len(name), len(extra))
    return LOCAL_RECORD.pack(b"PK\x03\x04", *fields) + name + extra


def central_header(packed: PackedMember, offset: int) -> bytes:
    """Return a member's record in the central directory; `offset` is that of its local header."""
    name = packed.member.name.encode()
    large = packed.size >= MAX_UINT32 or packed.packed_size >= MAX_UINT32
    far = offset >= MAX_UINT32
    extra = _zip_64_extra(*((packed.size, packed.packed_size) if large else ()), *((offset,) if far else ()))
    attributes = packed.member.mode << 16 | (DOS_DIRECTORY if packed.member.entry.kind is EntryKind.DIRECTORY else 0)
    version, *rest = _common_fields(packed, large or far)
    fields = (
        MADE_BY_UNIX | version,
        version,
        *rest,
        *_size_fields(packed, large),
        len(name),
        len(extra),
        0,
        0,
        0,
        attributes,
    )
    return CENTRAL_RECORD.pack(b"PK\x01\x02", *fields, MAX_UINT32 if far else offset) + name + extra


def end_records(count: int, size: int, offset: int) -> bytes:
    """Return the end records of a zip with `count` directory records of `size` bytes at `offset`."""
    classic = (min(count, MAX_UINT16), min(count, MAX_UINT16), min(size, MAX_UINT32), min(offset, MAX_UINT32))
    end = END_RECORD.pack(b"PK\x05\x06", 0, 0, *classic, 0)
    if count < MAX_UINT16 and size < MAX_UINT32 and offset < MAX_UINT32:
        return end
    version = (MADE_BY_UNIX | ZIP_64_VERSION, ZIP_64_VERSION)
    end_64 = END_64_RECORD.pack(b"PK\x06\x06", END_64_RECORD.size - 12, *version, 0, 0, count, count, size, offset)
    return end_64 + LOCATOR_64_RECORD.pack(b"PK\x06\x07", 0, offset + size, 1) + end


def _common_fields(packed: PackedMember, wide: bool) -> tuple[int, ...]:  # noqa: FBT001  # private, named at each call
    flags = 0 if packed.member.name.isascii() else UTF8_FLAG
    return (ZIP_64_VERSION if wide else ZIP_VERSION, flags, packed.method, 0, DOS_DATE, packed.crc)


def _size_fields(packed: PackedMember, large: bool) -> tuple[int, int]:  # noqa: FBT001  # private, named at each call
    return (MAX_UINT32, MAX_UINT32) if large else (packed.packed_size, packed.size)


def _zip_64_extra(*values: int) -> bytes:
    """4.5.3: unpacked size, packed size, offset; each only where its field of 32 bits is full."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


COPY_SLICE_BYTES = 1024 * 1024
"""Bytes copied at a time from a file that is too large to be compressed."""


def write_zip(tree: Tree, path: Path, *, observer: Observer = SILENT, compression: Compression = DEFAULTS) -> Archive:
    """Write a tree as the zip `path`; on failure the path is as it was before.

    LP009 when it cannot be written; errors of the tree propagate.
    """
    _refuse_other_files(path)
    members = zip_members(tree)
    total = sum(zip_member.entry.size for zip_member in members)
    with observer.task(f"Writing {path.name}", total, "B") as advance, replace_file(path) as file:
        return _ZipWriter(file, path, tree).write(members, compression, advance)


def check_zip_output(path: Path) -> None:
    """Raise LP009 when `write_zip` would refuse the path or cannot write there."""
    check_writable(path)
    _refuse_other_files(path)


def _refuse_other_files(path: Path) -> None:
    """Raise LP009 when the existing file is not a zip: `--output src/index.js` is a typing error."""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(2)
        if start not in (b"", b"PK"):
            hint = "Name a zip with `--output`, or remove the existing file."
            raise LambdapackError(OUTPUT, f"{path}: the existing file is not a zip", hint=hint)


class _ZipWriter:
    """Writes one zip; counts and hashes every byte in one place."""

    def __init__(self, file: BinaryIO, path: Path, tree: Tree) -> None:
        self._file = file
        self._path = path
        self._tree = tree
        self._hash = hashlib.sha256()
        self._offset = 0

    def write(self, members: list[ZipMember], compression: Compression, advance: Advance) -> Archive:
        content = ContentDigest()
        directory = bytearray()
        unzipped = 0
        with closing(pack_members(self._tree, members, compression)) as stream:
            for packed in stream:
                directory += central_header(packed, self._offset)
                for piece in self._pieces(packed):
                    self._put(piece)
                content.add(packed.member, packed.sha256)
                unzipped += packed.size
                advance(packed.member.entry.size)
        self._put(bytes(directory))
        self._put(end_records(len(members), len(directory), self._offset - len(directory)))
        self._file.flush()
        code = base64_digest(self._hash.digest())
        return Archive(self._path, code, content.text(), self._offset, unzipped, len(members))

    def _pieces(self, packed: PackedMember) -> Iterator[bytes | bytearray | memoryview]:
        yield local_header(packed)
        if packed.data is not None:
            yield packed.data
            return
        with packed.member.contents(self._tree) as data:
            for start in range(0, len(data), COPY_SLICE_BYTES):
                yield data[start : start + COPY_SLICE_BYTES]

    def _put(self, piece: bytes | bytearray | memoryview) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self._offset += len(piece)
