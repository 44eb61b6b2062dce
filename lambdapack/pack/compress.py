"""Compresses zip members on several threads. The result is the same on any host and CPU count."""

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from lambdapack.pack.digest import ZipMember, sha256_digest
from lambdapack.tree.archive import ZIP_DEFLATED, ZIP_STORED
from lambdapack.tree.entry import Tree

DEFLATE_LEVEL: Final = 6
"""libdeflate's level. On real node_modules no larger than `zip -9` and far faster; see tests/bench/bench_zip.py."""

MAX_COMPRESSED_FILE_BYTES: Final = 1024**3
"""Bytes of the largest file that is compressed, in one buffer. Anything larger is stored in slices: Lambda refuses it
anyway (250 MiB unzipped), and memory stays bounded."""

WINDOW_BYTES: Final = 32 * 1024**2
"""Bytes of input that are handed out together. Two windows are on their way at a time, so memory stays bounded."""

LARGE_FILE_BYTES: Final = 1024**2
"""Bytes from which a file is started before the others of its window."""

BATCH_BYTES: Final = 256 * 1024
"""Bytes of input of one task: small files travel together, since a hand-over costs more than compressing one."""

MAX_BATCH_MEMBERS: Final = 256
"""Members of one task, so that thousands of empty files are shared out too."""

MAX_WORKERS: Final = 8
"""Above, the one thread that writes and hashes the zip is what holds things up."""


@dataclass(frozen=True, slots=True)
class PackedMember:
    """A member with its bytes as they go into the zip."""

    member: ZipMember
    method: int  # STORED or DEFLATED
    crc: int
    size: int  # bytes unpacked
    sha256: bytes  # of the unpacked bytes
    data: bytes | bytearray | None  # None: stored, to be read from the tree once more

    @property
    def packed_size(self) -> int:
        """Bytes in the zip."""
        return self.size if self.data is None else len(self.data)


def pack_members(
    tree: Tree, members: Sequence[ZipMember], workers: int | None = None
) -> Generator[PackedMember, None, None]:
    """Give every member packed, in their order, while others are still being compressed."""
    with ThreadPoolExecutor(workers or worker_count(), thread_name_prefix="pack") as pool:
        waiting: deque[list[Future[list[PackedMember]]]] = deque()
        try:
            for window in _windows(members):
                waiting.append(_submit_window(pool, tree, window))
                if len(waiting) > 1:
                    yield from _window_results(waiting.popleft())
            while waiting:
                yield from _window_results(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit_window(
    pool: ThreadPoolExecutor, tree: Tree, window: Sequence[Sequence[ZipMember]]
) -> list[Future[list[PackedMember]]]:
    """Start a window's large files first: one that began last would keep one thread busy and leave the others idle."""
    order = sorted(range(len(window)), key=lambda number: window[number][0].entry.size < LARGE_FILE_BYTES)
    futures = {number: pool.submit(_pack_batch, tree, window[number]) for number in order}
    return [futures[number] for number in range(len(window))]


def _window_results(futures: list[Future[list[PackedMember]]]) -> Iterator[PackedMember]:
    """Give what a window became, each batch let go before the next one is waited for."""
    futures.reverse()
    while futures:
        yield from futures.pop().result()


def worker_count() -> int:
    """Return how many threads to use: the CPUs that this process may run on, at most WORKERS_MAX."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    return min(os.cpu_count() or 1, MAX_WORKERS)


def _windows(members: Sequence[ZipMember]) -> Iterator[list[list[ZipMember]]]:
    """Give runs of batches of at most WINDOW bytes, a larger file alone."""
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
    """Give runs of members of at most BATCH bytes, a larger file alone."""
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


def _pack_batch(tree: Tree, batch: Sequence[ZipMember]) -> list[PackedMember]:
    return [pack_member(tree, member) for member in batch]


def pack_member(tree: Tree, member: ZipMember) -> PackedMember:
    """Return one member packed: deflated, or stored where that is not smaller."""
    import deflate  # noqa: PLC0415  # only when something is packed

    with member.contents(tree) as data:
        crc, sha256, size = deflate.crc32(data), sha256_digest(data), len(data)
        if size > MAX_COMPRESSED_FILE_BYTES:
            return PackedMember(member, ZIP_STORED, crc, size, sha256, None)
        if member.entry.target or not size:
            return PackedMember(member, ZIP_STORED, crc, size, sha256, bytes(data))
        small = deflate.deflate_compress(data, DEFLATE_LEVEL)
        if len(small) < size:
            return PackedMember(member, ZIP_DEFLATED, crc, size, sha256, small)
        return PackedMember(member, ZIP_STORED, crc, size, sha256, bytes(data))
