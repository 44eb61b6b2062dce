"""Removes from an ELF file what only debuggers and linkers read: symbol tables and debug sections.

The loader reads program headers and what they map; sections that are not mapped lie behind that. As `strip` does, they
are cut off, and the section header table is written anew with the mapped ones. Where a file is laid out otherwise, or
carries data behind its sections (self-extracting programs), it stays as it is.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")  # Elf64_Ehdr
SEGMENT: Final = struct.Struct("<IIQQQQQQ")  # Elf64_Phdr
SECTION: Final = struct.Struct("<IIQQQQIIQQ")  # Elf64_Shdr

ELF64_LITTLE: Final = b"\x7fELF\x02\x01"
SHARED_OBJECT, EXECUTABLE = 3, 2  # ET_DYN, ET_EXEC
SHF_ALLOC: Final = 2
SHF_INFO_LINK: Final = 0x40
SHT_NOBITS, SHT_SYMTAB, SHT_STRTAB = 8, 2, 3
ALIGNMENT: Final = 8  # of the section header table


@dataclass(frozen=True, slots=True)
class StrippedElf:
    """A file without what is not mapped: how much of it stays, and what follows."""

    kept: int  # bytes of the beginning that stay, apart from the header
    header: bytes
    tail: bytes

    @property
    def size(self) -> int:
        """Bytes of the stripped file."""
        return self.kept + len(self.tail)

    def apply(self, data: memoryview) -> bytes:
        """Return the stripped file."""
        return b"".join((self.header, data[HEADER.size : self.kept], self.tail))


@dataclass(frozen=True, slots=True)
class _Section:
    index: int
    fields: tuple[int, ...]  # name, type, flags, address, offset, size, link, info, alignment, entry size
    name: bytes

    @property
    def end(self) -> int:
        return self.fields[4] + (0 if self.fields[1] == SHT_NOBITS else self.fields[5])

    @property
    def is_mapped(self) -> bool:
        return bool(self.fields[2] & SHF_ALLOC)


def strip_elf(data: memoryview) -> StrippedElf | None:
    """Return the file without symbol tables and debug sections; None without any, or with an unusual layout."""
    try:
        return _strip(data)
    except (struct.error, IndexError, ValueError):
        return None


def _strip(data: memoryview) -> StrippedElf | None:
    if len(data) < HEADER.size or bytes(data[:6]) != ELF64_LITTLE:
        return None
    fields = HEADER.unpack_from(data)
    kind, segment_offset, section_offset = fields[1], fields[5], fields[6]
    segment_count, section_size, section_count, names_index = fields[10], fields[11], fields[12], fields[13]
    if kind not in (SHARED_OBJECT, EXECUTABLE) or section_size != SECTION.size or not 0 < names_index < section_count:
        return None
    sections = _read_sections(data, section_offset, section_count, names_index)
    table_end = section_offset + section_count * SECTION.size
    if max(table_end, *(section.end for section in sections)) != len(data):
        return None  # something lies behind the sections that only the program itself finds
    mapped = [section for section in sections[1:] if section.is_mapped]
    segments = [SEGMENT.unpack_from(data, segment_offset + index * SEGMENT.size) for index in range(segment_count)]
    kept = max(
        segment_offset + segment_count * SEGMENT.size,
        *(segment[2] + segment[5] for segment in segments),
        *(section.end for section in mapped),
    )
    dropped = [section for section in sections[1:] if not section.is_mapped and section.index != names_index]
    if kept > len(data) or section_offset < kept or not any(map(_is_for_debuggers, dropped)):
        return None
    stripped = _lay_out(fields, kept, mapped)
    return stripped if stripped.size < len(data) else None


def _is_for_debuggers(section: _Section) -> bool:
    """Tell whether a section is worth a new file; a comment of the compiler alone is not."""
    return section.fields[1] == SHT_SYMTAB or section.name.startswith((b".debug", b".zdebug"))


def _read_sections(data: memoryview, offset: int, count: int, names_index: int) -> list[_Section]:
    rows = [SECTION.unpack_from(data, offset + index * SECTION.size) for index in range(count)]
    names = rows[names_index]
    texts = bytes(data[names[4] : names[4] + names[5]])
    return [_Section(index, row, texts[row[0] : texts.index(b"\0", row[0])]) for index, row in enumerate(rows)]


def _lay_out(header: tuple[object, ...], kept: int, mapped: Sequence[_Section]) -> StrippedElf:
    """Return the file with a table of the mapped sections and one with their names."""
    numbers = {section.index: number for number, section in enumerate(mapped, 1)}
    names, places = bytearray(b"\0"), list[int]()
    for section in mapped:
        places.append(len(names))
        names += section.name + b"\0"
    own = len(names)
    names += b".shstrtab\0"
    table = kept + len(names) + (-(kept + len(names)) % ALIGNMENT)
    rows = [SECTION.pack(*([0] * 10))]
    for section, place in zip(mapped, places, strict=True):
        _name, kind, flags, address, offset, size, link, info, alignment, entry = section.fields
        linked = numbers.get(info, 0) if flags & SHF_INFO_LINK else info
        rows.append(
            SECTION.pack(place, kind, flags, address, offset, size, numbers.get(link, 0), linked, alignment, entry)
        )
    rows.append(SECTION.pack(own, SHT_STRTAB, 0, 0, kept, len(names), 0, 0, 1, 0))
    tail = bytes(names) + bytes(table - kept - len(names)) + b"".join(rows)
    changed = (*header[:6], table, *header[7:12], len(rows), len(rows) - 1)
    return StrippedElf(kept, HEADER.pack(*changed), tail)
