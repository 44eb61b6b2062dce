"""Symbol versions that a file needs and defines, and the x86-64 level that its notes demand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.elf.definitions import (
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    GNU_PROPERTY_X86_ISA_1_NEEDED,
    NT_GNU_PROPERTY_TYPE_0,
    PT_GNU_PROPERTY,
    PT_NOTE,
    VER_FLG_BASE,
    VER_FLG_WEAK,
)
from lambdapack.binary.elf.dynamic import DynamicSection
from lambdapack.binary.elf.image import MappedImage, Segment
from lambdapack.binary.facts import VersionNeed

_NOTE_HEADER = Struct("<III")  # n_namesz n_descsz n_type
_PROPERTY_HEADER = Struct("<II")  # pr_type pr_datasz
_ISA_BITS = Struct("<I")
_PROPERTY_ALIGNMENT = 8  # bytes, of 64-bit property notes
_ISA_LEVELS = ((8, "x86-64-v4"), (4, "x86-64-v3"), (2, "x86-64-v2"))
"""Bits of GNU_PROPERTY_X86_ISA_1_NEEDED (x86-64 psABI 1.0, "Program Property"); bit 1 is the baseline."""


def read_isa_needed(image: MappedImage, segments: tuple[Segment, ...]) -> str | None:
    """Return the highest x86-64 level that glibc would demand of the CPU, None for the baseline or no note."""
    notes = [segment for segment in segments if segment.kind == PT_GNU_PROPERTY]
    notes = notes or [segment for segment in segments if segment.kind == PT_NOTE]
    bits = 0
    for segment in notes:
        for kind, value in _gnu_properties(image, image.data[segment.offset : segment.offset + segment.file_bytes]):
            if kind == GNU_PROPERTY_X86_ISA_1_NEEDED and len(value) >= _ISA_BITS.size:
                bits |= _ISA_BITS.unpack_from(value)[0]
    return next((name for bit, name in _ISA_LEVELS if bits & bit), None)


def _gnu_properties(image: MappedImage, notes: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at + _NOTE_HEADER.size <= len(notes):
        image.spend()
        name_bytes, size, kind = _NOTE_HEADER.unpack_from(notes, at)
        start = at + _NOTE_HEADER.size + _align_up(name_bytes, 4)
        if kind == NT_GNU_PROPERTY_TYPE_0 and bytes(notes[at + _NOTE_HEADER.size : start]) == b"GNU\0":
            yield from _property_entries(image, notes[start : start + size])
        at = start + _align_up(size, 4)


def _property_entries(image: MappedImage, properties: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at + _PROPERTY_HEADER.size <= len(properties):
        image.spend()
        kind, size = _PROPERTY_HEADER.unpack_from(properties, at)
        yield kind, properties[at + _PROPERTY_HEADER.size : at + _PROPERTY_HEADER.size + size]
        at += _PROPERTY_HEADER.size + _align_up(size, _PROPERTY_ALIGNMENT)


def _align_up(size: int, to: int) -> int:
    return -(-size // to) * to


_NEED_ENTRY = Struct("<HHIII")  # vn_version vn_cnt vn_file vn_aux vn_next
_NEED_AUX_ENTRY = Struct("<IHHII")  # vna_hash vna_flags vna_other vna_name vna_next
_DEFINITION_ENTRY = Struct("<HHHHIII")  # vd_version vd_flags vd_ndx vd_cnt vd_hash vd_aux vd_next
_DEFINITION_NAME = Struct("<I")  # vda_name
_HIDDEN_BIT = 0x8000  # in .gnu.version: "name@VERSION", bound to only by who names the version
_INDEX_MASK = 0x7FFF


@dataclass(frozen=True, slots=True)
class SymbolVersion:
    """What .gnu.version says of a symbol."""

    name: str | None = None  # None: unversioned
    file: str | None = None  # the SONAME that must define it; references only
    hidden: bool = False
    local: bool = False  # VER_NDX_LOCAL: nobody else binds to it


UNVERSIONED = SymbolVersion()


@dataclass(frozen=True, slots=True)
class VersionTables:
    """The version sections of one file."""

    needs: tuple[VersionNeed, ...]
    definitions: tuple[str, ...]  # without the base one, which names the file itself
    by_value: Mapping[int, SymbolVersion]  # an entry of .gnu.version to its meaning
    values: memoryview | None  # DT_VERSYM, one a symbol

    def of(self, symbol: int) -> SymbolVersion:
        """Return the version of a symbol by its index; unversioned beyond the table."""
        if self.values is None or symbol >= len(self.values):
            return UNVERSIONED
        return self.by_value.get(self.values[symbol], UNVERSIONED)


def read_versions(image: MappedImage, dynamic: DynamicSection) -> VersionTables:
    """Return the versions of a file; Damage when a chain leaves the file or never ends."""
    by_value = {0: SymbolVersion(local=True), _HIDDEN_BIT: SymbolVersion(local=True)}
    needs: list[VersionNeed] = []
    for index, need in _read_needs(image, dynamic):
        needs.append(need)
        _set_version(by_value, index, need.version, need.file)
    definitions: list[str] = []
    for index, base, name in _read_definitions(image, dynamic):
        if not base:
            definitions.append(name)
            _set_version(by_value, index, name, None)
    return VersionTables(tuple(needs), tuple(definitions), by_value, _version_values(image, dynamic))


def _set_version(by_value: dict[int, SymbolVersion], index: int, name: str, file: str | None) -> None:
    if index > 1:  # 0 and 1 are reserved: local, global without a version
        by_value[index] = SymbolVersion(name, file)
        by_value[index | _HIDDEN_BIT] = SymbolVersion(name, file, hidden=True)


def _version_values(image: MappedImage, dynamic: DynamicSection) -> memoryview | None:
    if DT_VERSYM not in dynamic.tags:
        return None
    table = image.tail(dynamic.tags[DT_VERSYM])
    return table[: len(table) // 2 * 2].cast("H")


def _read_needs(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, VersionNeed]]:
    # Like the loader: the counts are not looked at, a zero offset to the next one ends each chain.
    at, more = dynamic.tags.get(DT_VERNEED, 0), DT_VERNEED in dynamic.tags
    while more:
        image.spend()
        _, _, file, first, following = _NEED_ENTRY.unpack(image.at(at, _NEED_ENTRY.size))
        name = dynamic.strings.text(file)
        for flags, index, version in _need_auxiliaries(image, at + first):
            yield index, VersionNeed(name, dynamic.strings.text(version), bool(flags & VER_FLG_WEAK))
        at, more = at + following, following != 0


def _need_auxiliaries(image: MappedImage, at: int) -> Iterator[tuple[int, int, int]]:
    following = 1
    while following:
        image.spend()
        _, flags, index, name, following = _NEED_AUX_ENTRY.unpack(image.at(at, _NEED_AUX_ENTRY.size))
        yield flags, index & _INDEX_MASK, name
        at += following


def _read_definitions(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, bool, str]]:
    at, more = dynamic.tags.get(DT_VERDEF, 0), DT_VERDEF in dynamic.tags
    while more:
        image.spend()
        _, flags, index, _, _, first, following = _DEFINITION_ENTRY.unpack(image.at(at, _DEFINITION_ENTRY.size))
        (name,) = _DEFINITION_NAME.unpack(image.at(at + first, _DEFINITION_NAME.size))
        yield index & _INDEX_MASK, bool(flags & VER_FLG_BASE), dynamic.strings.text(name)
        at, more = at + following, following != 0
