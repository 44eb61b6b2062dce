"""The dynamic section, the dynamic symbol table and the symbol versions of an ELF file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.elf.definitions import (
    DF_1_NODEFLIB,
    DF_1_NODELETE,
    DF_1_NOOPEN,
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DF_STATIC_TLS,
    DT_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_NULL,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    GNU_PROPERTY_X86_ISA_1_NEEDED,
    NT_GNU_PROPERTY_TYPE_0,
    PT_DYNAMIC,
    PT_GNU_PROPERTY,
    PT_NOTE,
    STB_LOCAL,
    STB_WEAK,
    STV_UNBOUND,
    VER_FLG_BASE,
    VER_FLG_WEAK,
)
from lambdapack.binary.elf.image import MAX_PATH_BYTES, Damage, MappedImage, Segment, StringTable
from lambdapack.binary.facts import VersionNeed

MAX_DYNAMIC_ENTRIES = 1 << 16
"""Entries of a dynamic section; the largest in 69 npm packages has 42."""
MAX_SEARCH_PATH_ELEMENTS = 1 << 12
"""Elements of a search path; the longest known, sharp's, has five."""
ENDLESS_TABLES_DAMAGE = "its tables overlap or have no end"

_DYNAMIC_ENTRY = Struct("<qQ")
_FLAG_WORDS = ((DF_BIND_NOW, "now"), (DF_STATIC_TLS, "static-tls"))
_FLAG_1_WORDS = (
    (DF_1_NOW, "now"),
    (DF_1_PIE, "pie"),
    (DF_1_NOOPEN, "noopen"),
    (DF_1_NODEFLIB, "nodeflib"),
    (DF_1_NODELETE, "nodelete"),
)


@dataclass(frozen=True, slots=True)
class DynamicSection:
    """The tags of a dynamic section and their string table."""

    tags: Mapping[int, int]  # the last of each wins, as in glibc's l_info
    needed_at: tuple[int, ...]  # string offsets, in file order
    strings: StringTable

    @property
    def needed(self) -> tuple[str, ...]:
        """DT_NEEDED in file order, without duplicates."""
        return tuple(dict.fromkeys(self.strings.text_at(number) for number in self.needed_at))

    def text(self, tag: int) -> str | None:
        """Return the string that a tag names, None without the tag."""
        return self.strings.text_at(self.tags[tag]) if tag in self.tags else None

    def paths(self, tag: int) -> tuple[str, ...]:
        """Return a search path, split at ":"; an empty element is the current directory, an empty path none.

        Leaves out elements longer than PATH_MAX, which the kernel does not open.
        """
        text = self.text(tag)
        elements = text.split(":", MAX_SEARCH_PATH_ELEMENTS) if text else []
        if len(elements) > MAX_SEARCH_PATH_ELEMENTS:
            raise Damage(ENDLESS_TABLES_DAMAGE)
        return tuple(element for element in elements if len(element) <= MAX_PATH_BYTES)

    @property
    def flags(self) -> frozenset[str]:
        """The flags that the tags set, in the words of facts.Elf.flags."""
        flags, flags_1 = self.tags.get(DT_FLAGS, 0), self.tags.get(DT_FLAGS_1, 0)
        words = {word for bit, word in _FLAG_WORDS if flags & bit} | {
            word for bit, word in _FLAG_1_WORDS if flags_1 & bit
        }
        return frozenset(words | ({"now"} if DT_BIND_NOW in self.tags else set()))


def read_dynamic(image: MappedImage, segments: tuple[Segment, ...]) -> DynamicSection | None:
    """Return the dynamic section, None when the file has none; Damage when it is truncated."""
    segment = next((segment for segment in segments if segment.kind == PT_DYNAMIC), None)
    if segment is None or not segment.file_bytes:
        return None
    tags, needed = _read_tags(image, segment.address)
    if DT_STRTAB not in tags:
        raise Damage("its dynamic section has no string table")
    strings = StringTable(image, tags[DT_STRTAB], tags.get(DT_STRSZ, len(image.data)))
    return DynamicSection(tags, needed, strings)


def _read_tags(image: MappedImage, address: int) -> tuple[dict[int, int], tuple[int, ...]]:
    # The loader reads from p_vaddr to DT_NULL and does not care for p_filesz.
    table = image.bytes_from(address)
    if len(table) < _DYNAMIC_ENTRY.size:
        raise Damage("its dynamic section is not in the file")
    tags: dict[int, int] = {}
    needed: dict[int, None] = {}
    for tag, value in _DYNAMIC_ENTRY.iter_unpack(table[: len(table) // _DYNAMIC_ENTRY.size * _DYNAMIC_ENTRY.size]):
        image.count_steps()
        if len(tags) + len(needed) > MAX_DYNAMIC_ENTRIES:
            raise Damage(ENDLESS_TABLES_DAMAGE)
        if tag == DT_NULL:
            break
        if tag == DT_NEEDED:
            needed[value] = None
        else:
            tags[tag] = value
    return tags, tuple(needed)


_SYMBOL_BYTES = 24  # bytes of an Elf64_Sym: st_name(4) st_info(1) st_other(1) st_shndx(2) st_value(8) st_size(8)


class SymbolTable:
    """DT_SYMTAB. The table states no length: any index inside its segment is accepted."""

    __slots__ = ("_bytes", "_halves", "_longs", "_words")

    def __init__(self, image: MappedImage, dynamic: DynamicSection) -> None:
        table = image.bytes_from(dynamic.tags[DT_SYMTAB]) if DT_SYMTAB in dynamic.tags else image.data[:0]
        self._bytes = table[: len(table) // _SYMBOL_BYTES * _SYMBOL_BYTES]
        self._halves = self._bytes.cast("H")
        self._words = self._bytes.cast("I")
        self._longs = self._bytes.cast("Q")

    def __len__(self) -> int:
        return len(self._bytes) // _SYMBOL_BYTES

    def name(self, index: int) -> int:
        """Return the offset of the name in the string table; Damage for a symbol outside the file."""
        if index >= len(self):
            raise Damage(f"symbol {index} is not in the file")
        return self._words[6 * index]

    def is_defined(self, index: int) -> bool:
        """Tell whether this file defines the symbol."""
        return index < len(self) and self._halves[12 * index + 3] != 0

    def is_local(self, index: int) -> bool:
        """Tell whether the symbol is local, so that the loader ignores it."""
        return self._bytes[_SYMBOL_BYTES * index + 4] >> 4 == STB_LOCAL

    def is_weak(self, index: int) -> bool:
        """Tell whether the symbol is weak: it may stay undefined."""
        return self._bytes[_SYMBOL_BYTES * index + 4] >> 4 == STB_WEAK

    def is_offered(self, index: int) -> bool:
        """Tell whether other files may bind to it."""
        return (
            self.is_defined(index)
            and not self.is_local(index)
            and self._bytes[_SYMBOL_BYTES * index + 5] & 3 not in STV_UNBOUND
        )

    def value(self, index: int) -> int:
        """Return st_value, the address."""
        return self._longs[3 * index + 1]

    def size(self, index: int) -> int:
        """Return st_size in bytes, 0 when unknown."""
        return self._longs[3 * index + 2]

    def find_undefined(self, indices: Iterable[int]) -> list[tuple[int, int]]:
        """Return (index, name offset) of those symbols that another file must define, in order of the table."""
        sorted_indices = sorted(indices)
        if sorted_indices and sorted_indices[-1] >= len(self):
            raise Damage(f"symbol {sorted_indices[-1]} is not in the file")
        words, halves = self._words, self._halves
        open_ones = [number for number in sorted_indices if not halves[12 * number + 3]]
        return [(index, words[6 * index]) for index in open_ones if not self.is_local(index)]

    def find_offered(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return (index, name offset) of every symbol in a range that others may bind to, at C speed."""
        end = min(end, len(self))
        names = self._words[6 * first : 6 * end : 6].tolist()
        infos = self._bytes[_SYMBOL_BYTES * first + 4 : _SYMBOL_BYTES * end : _SYMBOL_BYTES].tolist()
        others = self._bytes[_SYMBOL_BYTES * first + 5 : _SYMBOL_BYTES * end : _SYMBOL_BYTES].tolist()
        sections = self._halves[12 * first + 3 : 12 * end : 12].tolist()
        rows = zip(range(first, end), names, infos, others, sections, strict=True)
        return [
            (index, name)
            for index, name, info, other, section in rows
            if section and info >> 4 != STB_LOCAL and other & 3 not in STV_UNBOUND
        ]


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
        image.count_steps()
        name_bytes, size, kind = _NOTE_HEADER.unpack_from(notes, at)
        start = at + _NOTE_HEADER.size + _align_up(name_bytes, 4)
        if kind == NT_GNU_PROPERTY_TYPE_0 and bytes(notes[at + _NOTE_HEADER.size : start]) == b"GNU\0":
            yield from _property_entries(image, notes[start : start + size])
        at = start + _align_up(size, 4)


def _property_entries(image: MappedImage, properties: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at + _PROPERTY_HEADER.size <= len(properties):
        image.count_steps()
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
    """The version of one symbol, from .gnu.version."""

    name: str | None = None  # None: unversioned
    file: str | None = None  # the SONAME that must define it; references only
    hidden: bool = False
    local: bool = False  # VER_NDX_LOCAL: other files do not bind to it


UNVERSIONED = SymbolVersion()


@dataclass(frozen=True, slots=True)
class VersionTables:
    """The version sections of one file."""

    needs: tuple[VersionNeed, ...]
    definitions: tuple[str, ...]  # without the base one, which names the file itself
    by_value: Mapping[int, SymbolVersion]  # an entry of .gnu.version to its meaning
    values: memoryview | None  # DT_VERSYM, one a symbol

    def version_of(self, symbol: int) -> SymbolVersion:
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
    table = image.bytes_from(dynamic.tags[DT_VERSYM])
    return table[: len(table) // 2 * 2].cast("H")


def _read_needs(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, VersionNeed]]:
    # Like the loader: the counts are not looked at, a zero offset to the next one ends each chain.
    at, more = dynamic.tags.get(DT_VERNEED, 0), DT_VERNEED in dynamic.tags
    while more:
        image.count_steps()
        _, _, file, first, following = _NEED_ENTRY.unpack(image.bytes_at(at, _NEED_ENTRY.size))
        name = dynamic.strings.text_at(file)
        for flags, index, version in _need_auxiliaries(image, at + first):
            yield index, VersionNeed(name, dynamic.strings.text_at(version), bool(flags & VER_FLG_WEAK))
        at, more = at + following, following != 0


def _need_auxiliaries(image: MappedImage, at: int) -> Iterator[tuple[int, int, int]]:
    following = 1
    while following:
        image.count_steps()
        _, flags, index, name, following = _NEED_AUX_ENTRY.unpack(image.bytes_at(at, _NEED_AUX_ENTRY.size))
        yield flags, index & _INDEX_MASK, name
        at += following


def _read_definitions(image: MappedImage, dynamic: DynamicSection) -> Iterator[tuple[int, bool, str]]:
    at, more = dynamic.tags.get(DT_VERDEF, 0), DT_VERDEF in dynamic.tags
    while more:
        image.count_steps()
        _, flags, index, _, _, first, following = _DEFINITION_ENTRY.unpack(image.bytes_at(at, _DEFINITION_ENTRY.size))
        (name,) = _DEFINITION_NAME.unpack(image.bytes_at(at + first, _DEFINITION_NAME.size))
        yield index & _INDEX_MASK, bool(flags & VER_FLG_BASE), dynamic.strings.text_at(name)
        at, more = at + following, following != 0
