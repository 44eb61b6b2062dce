"""GNU property notes: the x86-64 level that a file says it needs. Never guesses from instructions."""

from collections.abc import Iterator
from struct import Struct

from lambdapack.binary.definitions import (
    GNU_PROPERTY_X86_ISA_1_NEEDED,
    NT_GNU_PROPERTY_TYPE_0,
    PT_GNU_PROPERTY,
    PT_NOTE,
)
from lambdapack.binary.image import Image, Segment

_NOTE = Struct("<III")  # n_namesz n_descsz n_type
_PROPERTY = Struct("<II")  # pr_type pr_datasz
_BITS = Struct("<I")
_ALIGN = 8  # bytes, of 64-bit property notes
_LEVELS = ((8, "x86-64-v4"), (4, "x86-64-v3"), (2, "x86-64-v2"))
"""Bits of GNU_PROPERTY_X86_ISA_1_NEEDED (x86-64 psABI 1.0, "Program Property"); bit 1 is the baseline."""


def isa_needed(image: Image, segments: tuple[Segment, ...]) -> str | None:
    """Return the highest x86-64 level that glibc would demand of the CPU, None for the baseline or no note."""
    notes = [each for each in segments if each.kind == PT_GNU_PROPERTY]
    notes = notes or [each for each in segments if each.kind == PT_NOTE]
    bits = 0
    for each in notes:
        for kind, value in _properties(image, image.data[each.offset : each.offset + each.file_bytes]):
            if kind == GNU_PROPERTY_X86_ISA_1_NEEDED and len(value) >= _BITS.size:
                bits |= _BITS.unpack_from(value)[0]
    return next((name for bit, name in _LEVELS if bits & bit), None)


def _properties(image: Image, notes: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at + _NOTE.size <= len(notes):
        image.spend()
        name_bytes, size, kind = _NOTE.unpack_from(notes, at)
        start = at + _NOTE.size + _aligned(name_bytes, 4)
        if kind == NT_GNU_PROPERTY_TYPE_0 and bytes(notes[at + _NOTE.size : start]) == b"GNU\0":
            yield from _entries(image, notes[start : start + size])
        at = start + _aligned(size, 4)


def _entries(image: Image, properties: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at + _PROPERTY.size <= len(properties):
        image.spend()
        kind, size = _PROPERTY.unpack_from(properties, at)
        yield kind, properties[at + _PROPERTY.size : at + _PROPERTY.size + size]
        at += _PROPERTY.size + _aligned(size, _ALIGN)


def _aligned(size: int, to: int) -> int:
    return -(-size // to) * to
