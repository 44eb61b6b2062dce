"""Relocation tables in compressed encodings: RELR and Android's APS2. Never yields more than its file could hold."""

from collections.abc import Iterator
from itertools import repeat
from struct import Struct

from lambdapack.binary.image import Damage, Image

_WORD = Struct("<Q")
_BITS = 63  # slots that one bitmap word speaks of
_APS2 = b"APS2"

# Flags of an APS2 group (bionic linker/linker_reloc_iterators.h, read 2026-11).
_GROUPED_BY_INFO = 1
_GROUPED_BY_OFFSET_DELTA = 2
_GROUPED_BY_ADDEND = 4
_HAS_ADDEND = 8


def relr_slots(image: Image, table: memoryview) -> Iterator[int]:
    """Yield the addresses that a DT_RELR table relocates by the load address (System V gABI, draft 4.3)."""
    where = 0
    for (word,) in _WORD.iter_unpack(table):
        if not word & 1:
            image.spend()
            yield word
            where = word + _WORD.size
            continue
        bits = word >> 1
        image.spend(1 + bits.bit_count())
        while bits:
            lowest = bits & -bits
            yield where + _WORD.size * (lowest.bit_length() - 1)
            bits ^= lowest
        where += _WORD.size * _BITS


class _Signed:
    """A stream of signed LEB128 numbers."""

    __slots__ = ("_at", "_data", "_image")

    def __init__(self, image: Image, data: memoryview) -> None:
        self._image = image
        self._data = data
        self._at = 0

    def next(self) -> int:
        value = shift = 0
        while True:
            self._image.spend()
            if self._at >= len(self._data) or shift > _BITS:
                raise Damage("its packed relocations are broken")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if byte & 0x40 else value


def android_relocations(image: Image, table: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield (r_offset, r_info, r_addend) of an APS2 table (lld --pack-dyn-relocs=android)."""
    if table[:4] != _APS2:
        raise Damage("its packed relocations are broken")
    numbers = _Signed(image, table[4:])
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
