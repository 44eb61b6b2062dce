"""Relocations, packed ones too: which symbols the loader binds, and where data points. Applies none."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from struct import Struct

from lambdapack.binary.elf.definitions import (
    DT_ANDROID_REL,
    DT_ANDROID_RELA,
    DT_ANDROID_RELASZ,
    DT_JMPREL,
    DT_PLTRELSZ,
    DT_RELA,
    DT_RELACOUNT,
    DT_RELASZ,
    DT_RELR,
    DT_RELRSZ,
    RelocationTypes,
)
from lambdapack.binary.elf.dynamic import DynamicSection, SymbolTable
from lambdapack.binary.elf.image import Damage, MappedImage

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
    where = 0
    for (word,) in _RELR_WORD.iter_unpack(table):
        if not word & 1:
            image.spend()
            yield word
            where = word + _RELR_WORD.size
            continue
        bits = word >> 1
        image.spend(1 + bits.bit_count())
        while bits:
            lowest = bits & -bits
            yield where + _RELR_WORD.size * (lowest.bit_length() - 1)
            bits ^= lowest
        where += _RELR_WORD.size * _BITMAP_SLOTS


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
            self._image.spend()
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
            image.spend()
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
    found = {"relr"} if dynamic.tags.get(DT_RELRSZ) and DT_RELR in dynamic.tags else set()
    return frozenset(found | ({"android"} if {DT_ANDROID_REL, DT_ANDROID_RELA} & dynamic.tags.keys() else set()))


def read_bindings(image: MappedImage, dynamic: DynamicSection, types: RelocationTypes) -> SymbolBindings:
    """Return which symbols relocations name; Damage when a table is not in the file.

    ld.so reaches a symbol only through a relocation, so no hash table has a say: gcc's DT_GNU_HASH of a file that
    exports nothing counts one symbol, whatever the table holds.
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
    found: dict[int, int] = {}
    for table, relative in _rela_tables(image, dynamic):
        image.spend(len(table) // _RELA_ENTRY.size)
        head, rest = table[: _RELA_ENTRY.size * relative], table[_RELA_ENTRY.size * relative :]
        found.update(zip(head.cast("Q")[0::3].tolist(), head.cast("q")[2::3].tolist(), strict=True))
        found.update(_pointer_targets(_RELA_ENTRY.iter_unpack(rest), types, symbols))
    found.update(_pointer_targets(_android_entries(image, dynamic), types, symbols))
    if "relr" in relocation_encodings(dynamic):
        size = dynamic.tags[DT_RELRSZ] // _POINTER_SLOT.size * _POINTER_SLOT.size
        for slot in unpack_relr_slots(image, image.at(dynamic.tags[DT_RELR], size)):
            stored = image.tail(slot)[: _POINTER_SLOT.size]
            if len(stored) == _POINTER_SLOT.size:
                found[slot] = _POINTER_SLOT.unpack(stored)[0]
    return found


def _rela_tables(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[memoryview, int]]:
    """Yield each table with the number of RELATIVE entries at its start."""
    for where, size_tag in ((DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)):
        size = dynamic.tags.get(size_tag, 0) // _RELA_ENTRY.size * _RELA_ENTRY.size
        if where in dynamic.tags and size:
            relative = dynamic.tags.get(DT_RELACOUNT, 0) if where == DT_RELA else 0
            yield image.at(dynamic.tags[where], size), min(relative, size // _RELA_ENTRY.size)


def _android_entries(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, int, int]]:
    if DT_ANDROID_RELA in dynamic.tags:
        table = image.at(dynamic.tags[DT_ANDROID_RELA], dynamic.tags.get(DT_ANDROID_RELASZ, 0))
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
