"""A file's own hash tables, searched as the loader searches them. Never decodes a symbol."""

from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from typing import Protocol

from lambdapack.binary.definitions import DT_GNU_HASH, DT_HASH
from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.image import Image

_GNU = Struct("<IIII")  # nbuckets symoffset bloom_size bloom_shift
_SYSV = Struct("<II")  # nbucket nchain
_MASK = 0xFFFFFFFF


class HashTable(Protocol):
    """Where a file says how to find what it defines."""

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        ...

    def bounds(self) -> tuple[int, int]:
        """Return the first index that the table knows, and the one after its last."""
        ...


def open_hash(image: Image, dynamic: Dynamic) -> HashTable | None:
    """Return the table that glibc would use: DT_GNU_HASH before DT_HASH; None without either."""
    if DT_GNU_HASH in dynamic.tags:
        return GnuHash(image, dynamic.tags[DT_GNU_HASH])
    return SysvHash(image, dynamic.tags[DT_HASH]) if DT_HASH in dynamic.tags else None


@lru_cache(maxsize=1 << 15)
def gnu_hash(name: bytes) -> int:
    """Return the hash of DT_GNU_HASH (Bernstein's)."""
    value = 5381
    for byte in name:
        value = value * 33 + byte & _MASK
    return value


@lru_cache(maxsize=1 << 15)
def sysv_hash(name: bytes) -> int:
    """Return the hash of DT_HASH (System V gABI figure 5-13)."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        top = value & 0xF0000000
        value = (value ^ top >> 24) & ~top & _MASK
    return value


class GnuHash:
    """DT_GNU_HASH: a Bloom filter, buckets, and one chain in the order of the symbol table."""

    __slots__ = ("_bloom", "_buckets", "_chain", "_first", "_image", "_shift")

    def __init__(self, image: Image, address: int) -> None:
        buckets, self._first, words, self._shift = _GNU.unpack(image.at(address, _GNU.size))
        self._image = image
        self._bloom = image.at(address + _GNU.size, 8 * words).cast("Q")
        after = address + _GNU.size + 8 * words
        self._buckets = image.at(after, 4 * buckets).cast("I")
        chain = image.tail(after + 4 * buckets)
        self._chain = chain[: len(chain) // 4 * 4].cast("I")

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        if not self._bloom or not self._buckets:
            return
        value = gnu_hash(name)
        word = self._bloom[value // 64 & len(self._bloom) - 1]
        if not word >> value % 64 & word >> (value >> self._shift) % 64 & 1:
            return
        at = self._buckets[value % len(self._buckets)] - self._first
        while 0 <= at < len(self._chain):
            self._image.spend()
            found = self._chain[at]
            if found | 1 == value | 1:
                yield at + self._first
            if found & 1:
                return
            at += 1

    def bounds(self) -> tuple[int, int]:
        """Return the first index that the table knows, and the one after its last."""
        self._image.spend(len(self._buckets) // 8)
        at = max(self._buckets, default=0) - self._first
        if at < 0:
            return self._first, self._first  # nothing is exported
        while at < len(self._chain) and not self._chain[at] & 1:
            self._image.spend()
            at += 1
        return self._first, at + self._first + 1


class SysvHash:
    """DT_HASH: buckets, and a chain for each."""

    __slots__ = ("_buckets", "_chains", "_image")

    def __init__(self, image: Image, address: int) -> None:
        buckets, chains = _SYSV.unpack(image.at(address, _SYSV.size))
        self._image = image
        self._buckets = image.at(address + _SYSV.size, 4 * buckets).cast("I")
        self._chains = image.at(address + _SYSV.size + 4 * buckets, 4 * chains).cast("I")

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        if not self._buckets:
            return
        at = self._buckets[sysv_hash(name) % len(self._buckets)]
        while 0 < at < len(self._chains):
            self._image.spend()
            yield at
            at = self._chains[at]

    def bounds(self) -> tuple[int, int]:
        """Return the first index that the table knows, and the one after its last."""
        return 1, len(self._chains)
