"""Relocations and symbols: which symbols a file leaves undefined or defines, and when the loader binds them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from struct import Struct
from typing import Protocol

from lambdapack.binary.elf.definitions import (
    DT_ANDROID_REL,
    DT_ANDROID_RELA,
    DT_ANDROID_RELASZ,
    DT_GNU_HASH,
    DT_HASH,
    DT_JMPREL,
    DT_PLTRELSZ,
    DT_RELA,
    DT_RELACOUNT,
    DT_RELASZ,
    DT_RELR,
    DT_RELRSZ,
    RelocationTypes,
)
from lambdapack.binary.elf.dynamic import DynamicSection, SymbolTable, VersionTables
from lambdapack.binary.elf.image import Damage, MappedImage
from lambdapack.binary.facts import Symbol

_RELR_WORD = Struct("<Q")
_BITMAP_SLOTS = 63  # slots that one bitmap word speaks of
_APS2_MAGIC = b"APS2"

# Flags of an APS2 group (bionic linker/linker_reloc_iterators.h, read 2026-11).
_GROUPED_BY_INFO = 1
_GROUPED_BY_OFFSET_DELTA = 2
_GROUPED_BY_ADDEND = 4
_HAS_ADDEND = 8


def unpack_relr_slots(image: MappedImage, table: memoryview) -> Iterator[int]:
    """Yield the addresses that a DT_RELR table relocates by the load address (System V gABI, draft 4.3)."""
    address = 0
    for (word,) in _RELR_WORD.iter_unpack(table):
        if not word & 1:
            image.count_steps()
            yield word
            address = word + _RELR_WORD.size
            continue
        bits = word >> 1
        image.count_steps(1 + bits.bit_count())
        while bits:
            lowest = bits & -bits
            yield address + _RELR_WORD.size * (lowest.bit_length() - 1)
            bits ^= lowest
        address += _RELR_WORD.size * _BITMAP_SLOTS


class _SignedLeb128:
    """A stream of signed LEB128 numbers."""

    __slots__ = ("_at", "_data", "_image")

    def __init__(self, image: MappedImage, data: memoryview) -> None:
        self._image = image
        self._data = data
        self._at = 0

    def next(self) -> int:
        value = shift = 0
        while True:
            self._image.count_steps()
            if self._at >= len(self._data) or shift > _BITMAP_SLOTS:
                raise Damage("its packed relocations are broken")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if byte & 0x40 else value


def unpack_android_relocations(image: MappedImage, table: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield (r_offset, r_info, r_addend) of an APS2 table (lld --pack-dyn-relocs=android)."""
    if table[:4] != _APS2_MAGIC:
        raise Damage("its packed relocations are broken")
    numbers = _SignedLeb128(image, table[4:])
    left, offset, info, addend = numbers.next(), numbers.next(), 0, 0
    while left > 0:
        size, flags = numbers.next(), numbers.next()
        step = numbers.next() if flags & _GROUPED_BY_OFFSET_DELTA else None
        if flags & _GROUPED_BY_INFO:
            info = numbers.next()
        if not flags & _HAS_ADDEND:
            addend = 0
        elif flags & _GROUPED_BY_ADDEND:
            addend += numbers.next()
        for _ in repeat(None, min(size, left)):
            image.count_steps()
            offset += numbers.next() if step is None else step
            info = info if flags & _GROUPED_BY_INFO else numbers.next()
            addend += numbers.next() if flags & _HAS_ADDEND and not flags & _GROUPED_BY_ADDEND else 0
            yield offset, info, addend
        left -= size


_RELA_ENTRY = Struct("<QQq")  # Elf64_Rela: r_offset r_info r_addend
_POINTER_SLOT = Struct("<Q")
_TYPE_MASK = 0xFFFFFFFF  # of an r_info; the symbol's index is above


@dataclass(frozen=True, slots=True)
class SymbolBindings:
    """Symbol indices by the moment the loader binds them."""

    at_load: frozenset[int]
    lazy: frozenset[int]  # only by calls through the PLT
    thread_offsets: bool  # thread-local data is reached the static way


def relocation_encodings(dynamic: DynamicSection) -> frozenset[str]:
    """Return the unusual encodings of relocations that a file uses: relr, android."""
    encodings = {"relr"} if dynamic.tags.get(DT_RELRSZ) and DT_RELR in dynamic.tags else set()
    return frozenset(encodings | ({"android"} if {DT_ANDROID_REL, DT_ANDROID_RELA} & dynamic.tags.keys() else set()))


def read_bindings(image: MappedImage, dynamic: DynamicSection, types: RelocationTypes) -> SymbolBindings:
    """Return which symbols relocations name; Damage when a table is not in the file.

    ld.so reaches a symbol only through a relocation, so hash tables do not count: gcc's DT_GNU_HASH of a file that
    exports nothing states one symbol, whatever the table contains.
    """
    words: set[int] = set()
    for table, relative in _rela_tables(image, dynamic):
        # Up to 99 % are RELATIVE, come first and name no symbol; the rest collapses at C speed.
        words.update(table[_RELA_ENTRY.size * relative :].cast("Q")[1::3].tolist())
    words.update(info for _, info, _ in _android_entries(image, dynamic))
    now = "now" in dynamic.flags
    lazy = {word >> 32 for word in words if word & _TYPE_MASK == types.jump_slot and not now}
    at_load = {word >> 32 for word in words if word & _TYPE_MASK != types.jump_slot or now} - {0}
    offsets = any(word & _TYPE_MASK == types.thread_offset for word in words)
    return SymbolBindings(frozenset(at_load), frozenset(lazy - at_load - {0}), offsets)


def read_pointers(
    image: MappedImage, dynamic: DynamicSection, types: RelocationTypes, symbols: SymbolTable
) -> dict[int, int]:
    """Return slot address to target address, for the data that points into the file itself.

    RELATIVE in any encoding, and 64-bit absolute ones against a symbol that the file defines.
    """
    pointers: dict[int, int] = {}
    for table, relative in _rela_tables(image, dynamic):
        image.count_steps(len(table) // _RELA_ENTRY.size)
        head, rest = table[: _RELA_ENTRY.size * relative], table[_RELA_ENTRY.size * relative :]
        pointers.update(zip(head.cast("Q")[0::3].tolist(), head.cast("q")[2::3].tolist(), strict=True))
        pointers.update(_pointer_targets(_RELA_ENTRY.iter_unpack(rest), types, symbols))
    pointers.update(_pointer_targets(_android_entries(image, dynamic), types, symbols))
    if "relr" in relocation_encodings(dynamic):
        size = dynamic.tags[DT_RELRSZ] // _POINTER_SLOT.size * _POINTER_SLOT.size
        for slot in unpack_relr_slots(image, image.bytes_at(dynamic.tags[DT_RELR], size)):
            stored = image.bytes_from(slot)[: _POINTER_SLOT.size]
            if len(stored) == _POINTER_SLOT.size:
                pointers[slot] = _POINTER_SLOT.unpack(stored)[0]
    return pointers


def _rela_tables(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[memoryview, int]]:
    """Yield each table with the number of RELATIVE entries at its start."""
    for table_tag, size_tag in ((DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)):
        size = dynamic.tags.get(size_tag, 0) // _RELA_ENTRY.size * _RELA_ENTRY.size
        if table_tag in dynamic.tags and size:
            relative = dynamic.tags.get(DT_RELACOUNT, 0) if table_tag == DT_RELA else 0
            yield image.bytes_at(dynamic.tags[table_tag], size), min(relative, size // _RELA_ENTRY.size)


def _android_entries(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, int, int]]:
    if DT_ANDROID_RELA in dynamic.tags:
        table = image.bytes_at(dynamic.tags[DT_ANDROID_RELA], dynamic.tags.get(DT_ANDROID_RELASZ, 0))
        yield from unpack_android_relocations(image, table)


def _pointer_targets(
    entries: Iterator[tuple[int, int, int]], types: RelocationTypes, symbols: SymbolTable
) -> Iterator[tuple[int, int]]:
    for slot, info, addend in entries:
        kind = info & _TYPE_MASK
        if kind == types.relative:
            yield slot, addend
        elif kind == types.absolute and symbols.is_defined(info >> 32):
            yield slot, symbols.value(info >> 32) + addend


_GNU_HASH_HEADER = Struct("<IIII")  # nbuckets symoffset bloom_size bloom_shift
_SYSV_HASH_HEADER = Struct("<II")  # nbucket nchain
_UINT32_MASK = 0xFFFFFFFF


class HashTable(Protocol):
    """The hash table by which the loader finds a file's definitions."""

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        ...

    def index_bounds(self) -> tuple[int, int]:
        """Return the first index of the table, and the one after its last."""
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
        buckets, self._first, words, self._shift = _GNU_HASH_HEADER.unpack(
            image.bytes_at(address, _GNU_HASH_HEADER.size)
        )
        self._image = image
        self._bloom = image.bytes_at(address + _GNU_HASH_HEADER.size, 8 * words).cast("Q")
        after = address + _GNU_HASH_HEADER.size + 8 * words
        self._buckets = image.bytes_at(after, 4 * buckets).cast("I")
        chain = image.bytes_from(after + 4 * buckets)
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
            self._image.count_steps()
            entry = self._chain[at]
            if entry | 1 == value | 1:
                yield at + self._first
            if entry & 1:
                return
            at += 1

    def index_bounds(self) -> tuple[int, int]:
        """Return the first index of the table, and the one after its last."""
        self._image.count_steps(len(self._buckets) // 8)
        at = max(self._buckets, default=0) - self._first
        if at < 0:
            return self._first, self._first  # nothing is exported
        while at < len(self._chain) and not self._chain[at] & 1:
            self._image.count_steps()
            at += 1
        return self._first, at + self._first + 1


class SysvHash:
    """DT_HASH: buckets, and a chain for each."""

    __slots__ = ("_buckets", "_chains", "_image")

    def __init__(self, image: MappedImage, address: int) -> None:
        buckets, chains = _SYSV_HASH_HEADER.unpack(image.bytes_at(address, _SYSV_HASH_HEADER.size))
        self._image = image
        self._buckets = image.bytes_at(address + _SYSV_HASH_HEADER.size, 4 * buckets).cast("I")
        self._chains = image.bytes_at(address + _SYSV_HASH_HEADER.size + 4 * buckets, 4 * chains).cast("I")

    def candidates(self, name: bytes) -> Iterator[int]:
        """Yield the indices of symbols that may have this name."""
        if not self._buckets:
            return
        at = self._buckets[sysv_hash(name) % len(self._buckets)]
        while 0 < at < len(self._chains):
            self._image.count_steps()
            yield at
            at = self._chains[at]

    def index_bounds(self) -> tuple[int, int]:
        """Return the first index of the table, and the one after its last."""
        return 1, len(self._chains)


def read_undefined_symbols(
    dynamic: DynamicSection, table: SymbolTable, versions: VersionTables, bindings: SymbolBindings
) -> tuple[Symbol, ...]:
    """Return the symbols that other files must define, in the order of the symbol table."""
    symbols = []
    for index, name in table.find_undefined(bindings.at_load | bindings.lazy):
        version = versions.version_of(index)
        symbols.append(
            Symbol(
                name=dynamic.strings.text_at(name),
                version=version.name,
                file=version.file,
                weak=table.is_weak(index),
                at_load=index in bindings.at_load,
            )
        )
    return tuple(symbols)


class DefinedSymbols:
    """The exported symbols of a file, found through its hash table as the loader does."""

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
        encoded = name.encode()
        for index in self._hash.candidates(encoded) if self._hash else ():
            at = self._table.name(index)
            if self._strings.raw[at : at + len(encoded) + 1] != encoded + b"\0" or not self._table.is_offered(index):
                continue
            if not self._versions.version_of(index).local:
                yield index

    def has(self, name: str) -> bool:
        """Tell whether others can bind to this name."""
        return any(True for _ in self.find(name))

    def select(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        """Return the definitions of these names in this file, in the order of the names."""
        symbols = []
        for name in names:
            for index in self.find(name):
                version = self._versions.version_of(index)
                symbols.append(Symbol(name, version.name, weak=self._table.is_weak(index), default=not version.hidden))
        return tuple(symbols)

    def list_all(self) -> Iterator[tuple[str, str | None]]:
        """Yield the name and version of every definition."""
        if self._hash is None:
            return
        for index, name in self._table.find_offered(*self._hash.index_bounds()):
            version = self._versions.version_of(index)
            if not version.local:
                yield self._strings.text_at(name), version.name
