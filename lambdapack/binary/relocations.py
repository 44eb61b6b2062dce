"""Relocations: which symbols the loader binds, and which data points where. Never applies one."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.definitions import (
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
from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.image import Image
from lambdapack.binary.packed import android_relocations, relr_slots
from lambdapack.binary.table import SymbolTable

_ENTRY = Struct("<QQq")  # Elf64_Rela: r_offset r_info r_addend
_SLOT = Struct("<Q")
_TYPE = 0xFFFFFFFF  # of an r_info; the symbol's index is above


@dataclass(frozen=True, slots=True)
class Bindings:
    """Symbol indices by the moment the loader binds them."""

    at_load: frozenset[int]
    lazy: frozenset[int]  # only by calls through the PLT
    thread_offsets: bool  # thread-local data is reached the static way


def kinds(dynamic: Dynamic) -> frozenset[str]:
    """Return the unusual encodings of relocations that a file uses: relr, android."""
    found = {"relr"} if dynamic.tags.get(DT_RELRSZ) and DT_RELR in dynamic.tags else set()
    return frozenset(found | ({"android"} if {DT_ANDROID_REL, DT_ANDROID_RELA} & dynamic.tags.keys() else set()))


def read_bindings(image: Image, dynamic: Dynamic, types: RelocationTypes) -> Bindings:
    """Return which symbols relocations name; Damage when a table is not in the file.

    ld.so reaches a symbol only through a relocation, so no hash table has a say: gcc's DT_GNU_HASH of a file that
    exports nothing counts one symbol, whatever the table holds.
    """
    words: set[int] = set()
    for table, relative in _tables(image, dynamic):
        # Up to 99 % are RELATIVE, come first and name no symbol; the rest collapses at C speed.
        words.update(table[_ENTRY.size * relative :].cast("Q")[1::3].tolist())
    words.update(info for _, info, _ in _android(image, dynamic))
    now = "now" in dynamic.flags
    lazy = {word >> 32 for word in words if word & _TYPE == types.jump_slot and not now}
    at_load = {word >> 32 for word in words if word & _TYPE != types.jump_slot or now} - {0}
    offsets = any(word & _TYPE == types.thread_offset for word in words)
    return Bindings(frozenset(at_load), frozenset(lazy - at_load - {0}), offsets)


def pointers(image: Image, dynamic: Dynamic, types: RelocationTypes, symbols: SymbolTable) -> dict[int, int]:
    """Return slot address to target address, for the data that points into the file itself.

    RELATIVE in any encoding, and 64-bit absolute ones against a symbol that the file defines.
    """
    found: dict[int, int] = {}
    for table, relative in _tables(image, dynamic):
        image.spend(len(table) // _ENTRY.size)
        head, rest = table[: _ENTRY.size * relative], table[_ENTRY.size * relative :]
        found.update(zip(head.cast("Q")[0::3].tolist(), head.cast("q")[2::3].tolist(), strict=True))
        found.update(_targets(_ENTRY.iter_unpack(rest), types, symbols))
    found.update(_targets(_android(image, dynamic), types, symbols))
    if "relr" in kinds(dynamic):
        size = dynamic.tags[DT_RELRSZ] // _SLOT.size * _SLOT.size
        for slot in relr_slots(image, image.at(dynamic.tags[DT_RELR], size)):
            stored = image.tail(slot)[: _SLOT.size]
            if len(stored) == _SLOT.size:
                found[slot] = _SLOT.unpack(stored)[0]
    return found


def _tables(image: Image, dynamic: Dynamic) -> Iterator[tuple[memoryview, int]]:
    """Yield each table with the number of RELATIVE entries at its start."""
    for where, size_tag in ((DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)):
        size = dynamic.tags.get(size_tag, 0) // _ENTRY.size * _ENTRY.size
        if where in dynamic.tags and size:
            relative = dynamic.tags.get(DT_RELACOUNT, 0) if where == DT_RELA else 0
            yield image.at(dynamic.tags[where], size), min(relative, size // _ENTRY.size)


def _android(image: Image, dynamic: Dynamic) -> Iterator[tuple[int, int, int]]:
    if DT_ANDROID_RELA in dynamic.tags:
        table = image.at(dynamic.tags[DT_ANDROID_RELA], dynamic.tags.get(DT_ANDROID_RELASZ, 0))
        yield from android_relocations(image, table)


def _targets(
    entries: Iterator[tuple[int, int, int]], types: RelocationTypes, symbols: SymbolTable
) -> Iterator[tuple[int, int]]:
    for slot, info, addend in entries:
        kind = info & _TYPE
        if kind == types.relative:
            yield slot, addend
        elif kind == types.absolute and symbols.is_defined(info >> 32):
            yield slot, symbols.value(info >> 32) + addend
