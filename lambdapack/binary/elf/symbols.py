"""The symbols that a file leaves undefined or defines, found through its hash tables."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from struct import Struct
from typing import Protocol

from lambdapack.binary.elf.definitions import DT_GNU_HASH, DT_HASH
from lambdapack.binary.elf.dynamic import DynamicSection, SymbolTable
from lambdapack.binary.elf.image import MappedImage
from lambdapack.binary.elf.relocations import SymbolBindings
from lambdapack.binary.elf.versions import VersionTables
from lambdapack.binary.facts import Symbol

_GNU_HASH_HEADER = Struct("<IIII")  # nbuckets symoffset bloom_size bloom_shift
_SYSV_HASH_HEADER = Struct("<II")  # nbucket nchain
_UINT32_MASK = 0xFFFFFFFF


class HashTable(Protocol):
    """Where a file says how to find what it defines."""

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        ...

    def bounds(self) -> tuple[int, int]:
        """Return the first index that the table knows, and the one after its last."""
        ...


def open_hash_table(image: MappedImage, dynamic: DynamicSection) -> HashTable | None:
    """Return the table that glibc would use: DT_GNU_HASH before DT_HASH; None without either."""
    if DT_GNU_HASH in dynamic.tags:
        return GnuHash(image, dynamic.tags[DT_GNU_HASH])
    return SysvHash(image, dynamic.tags[DT_HASH]) if DT_HASH in dynamic.tags else None


@lru_cache(maxsize=1 << 15)
def gnu_hash(name: bytes) -> int:
    """Return the hash of DT_GNU_HASH (Bernstein's)."""
    value = 5381
    for byte in name:
        value = value * 33 + byte & _UINT32_MASK
    return value


@lru_cache(maxsize=1 << 15)
def sysv_hash(name: bytes) -> int:
    """Return the hash of DT_HASH (System V gABI figure 5-13)."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        top = value & 0xF0000000
        value = (value ^ top >> 24) & ~top & _UINT32_MASK
    return value


class GnuHash:
    """DT_GNU_HASH: a Bloom filter, buckets, and one chain in the order of the symbol table."""

    __slots__ = ("_bloom", "_buckets", "_chain", "_first", "_image", "_shift")

    def __init__(self, image: MappedImage, address: int) -> None:
        buckets, self._first, words, self._shift = _GNU_HASH_HEADER.unpack(image.at(address, _GNU_HASH_HEADER.size))
        self._image = image
        self._bloom = image.at(address + _GNU_HASH_HEADER.size, 8 * words).cast("Q")
        after = address + _GNU_HASH_HEADER.size + 8 * words
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

    def __init__(self, image: MappedImage, address: int) -> None:
        buckets, chains = _SYSV_HASH_HEADER.unpack(image.at(address, _SYSV_HASH_HEADER.size))
        self._image = image
        self._buckets = image.at(address + _SYSV_HASH_HEADER.size, 4 * buckets).cast("I")
        self._chains = image.at(address + _SYSV_HASH_HEADER.size + 4 * buckets, 4 * chains).cast("I")

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


def read_undefined_symbols(
    dynamic: DynamicSection, table: SymbolTable, versions: VersionTables, bindings: SymbolBindings
) -> tuple[Symbol, ...]:
    """Return what the loader must find elsewhere, in the order of the symbol table."""
    found = []
    for index, name in table.undefined(bindings.at_load | bindings.lazy):
        version = versions.of(index)
        found.append(
            Symbol(
                name=dynamic.strings.text(name),
                version=version.name,
                file=version.file,
                weak=table.is_weak(index),
                at_load=index in bindings.at_load,
            )
        )
    return tuple(found)


class DefinedSymbols:
    """What a file offers to others, found through its own hash table as the loader would."""

    __slots__ = ("_hash", "_strings", "_table", "_versions")

    def __init__(
        self, image: MappedImage, dynamic: DynamicSection, table: SymbolTable, versions: VersionTables
    ) -> None:
        self._hash = open_hash_table(image, dynamic)
        self._strings = dynamic.strings
        self._table = table
        self._versions = versions

    def find(self, name: str) -> Iterator[int]:
        """Yield the index of each definition of a name: one for each version."""
        wanted = name.encode()
        for index in self._hash.candidates(wanted) if self._hash else ():
            at = self._table.name(index)
            if self._strings.raw[at : at + len(wanted) + 1] != wanted + b"\0" or not self._table.is_offered(index):
                continue
            if not self._versions.of(index).local:
                yield index

    def has(self, name: str) -> bool:
        """Tell whether others can bind to this name."""
        return any(True for _ in self.find(name))

    def among(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        """Return the definitions of those names that are defined here, in the order of the names."""
        found = []
        for name in names:
            for index in self.find(name):
                version = self._versions.of(index)
                found.append(Symbol(name, version.name, weak=self._table.is_weak(index), default=not version.hidden))
        return tuple(found)

    def all(self) -> Iterator[tuple[str, str | None]]:
        """Yield the name and version of every definition."""
        if self._hash is None:
            return
        for index, name in self._table.offered(*self._hash.bounds()):
            version = self._versions.of(index)
            if not version.local:
                yield self._strings.text(name), version.name
