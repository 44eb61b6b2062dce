"""The dynamic section and the dynamic symbol table. Never judges them."""

from collections.abc import Iterable, Mapping
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
    PT_DYNAMIC,
    STB_LOCAL,
    STB_WEAK,
    STV_UNBOUND,
)
from lambdapack.binary.elf.image import MAX_PATH_BYTES, Damage, MappedImage, Segment, StringTable

MAX_DYNAMIC_ENTRIES = 1 << 16
"""Of a dynamic section; the largest of 69 npm packages' has 42."""
MAX_SEARCH_PATH_ELEMENTS = 1 << 12
"""Of a search path; sharp's, the longest known, has five."""
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
    """The tags, and the string table that they speak in."""

    tags: Mapping[int, int]  # the last of each wins, as in glibc's l_info
    needed_at: tuple[int, ...]  # string offsets, in file order
    strings: StringTable

    @property
    def needed(self) -> tuple[str, ...]:
        """DT_NEEDED, in file order; to ask twice changes nothing."""
        return tuple(dict.fromkeys(self.strings.text(number) for number in self.needed_at))

    def text(self, tag: int) -> str | None:
        """Return the string that a tag names, None without the tag."""
        return self.strings.text(self.tags[tag]) if tag in self.tags else None

    def paths(self, tag: int) -> tuple[str, ...]:
        """Return a search path, split at ":"; an empty element is the current directory, an empty path none.

        What is longer than the kernel opens is left out.
        """
        text = self.text(tag)
        found = text.split(":", MAX_SEARCH_PATH_ELEMENTS) if text else []
        if len(found) > MAX_SEARCH_PATH_ELEMENTS:
            raise Damage(ENDLESS_TABLES_DAMAGE)
        return tuple(each for each in found if len(each) <= MAX_PATH_BYTES)

    @property
    def flags(self) -> frozenset[str]:
        """The words of facts.Elf.flags that the tags set."""
        flags, flags_1 = self.tags.get(DT_FLAGS, 0), self.tags.get(DT_FLAGS_1, 0)
        found = {word for bit, word in _FLAG_WORDS if flags & bit} | {
            word for bit, word in _FLAG_1_WORDS if flags_1 & bit
        }
        return frozenset(found | ({"now"} if DT_BIND_NOW in self.tags else set()))


def read_dynamic(image: MappedImage, segments: tuple[Segment, ...]) -> DynamicSection | None:
    """Return the dynamic section, None when the file has none; Damage when it is cut off."""
    segment = next((each for each in segments if each.kind == PT_DYNAMIC), None)
    if segment is None or not segment.file_bytes:
        return None
    tags, needed = _read_tags(image, segment.address)
    if DT_STRTAB not in tags:
        raise Damage("its dynamic section has no string table")
    strings = StringTable(image, tags[DT_STRTAB], tags.get(DT_STRSZ, len(image.data)))
    return DynamicSection(tags, needed, strings)


def _read_tags(image: MappedImage, address: int) -> tuple[dict[int, int], tuple[int, ...]]:
    # The loader reads from p_vaddr to DT_NULL and does not care for p_filesz.
    table = image.tail(address)
    if len(table) < _DYNAMIC_ENTRY.size:
        raise Damage("its dynamic section is not in the file")
    tags: dict[int, int] = {}
    needed: dict[int, None] = {}
    for tag, value in _DYNAMIC_ENTRY.iter_unpack(table[: len(table) // _DYNAMIC_ENTRY.size * _DYNAMIC_ENTRY.size]):
        image.spend()
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
    """DT_SYMTAB. It has no length of its own: whatever lies in its segment may be asked for."""

    __slots__ = ("_bytes", "_halves", "_longs", "_words")

    def __init__(self, image: MappedImage, dynamic: DynamicSection) -> None:
        table = image.tail(dynamic.tags[DT_SYMTAB]) if DT_SYMTAB in dynamic.tags else image.data[:0]
        self._bytes = table[: len(table) // _SYMBOL_BYTES * _SYMBOL_BYTES]
        self._halves = self._bytes.cast("H")
        self._words = self._bytes.cast("I")
        self._longs = self._bytes.cast("Q")

    def __len__(self) -> int:
        return len(self._bytes) // _SYMBOL_BYTES

    def name(self, index: int) -> int:
        """Return where the name begins in the string table; Damage for a symbol that is not in the file."""
        if index >= len(self):
            raise Damage(f"symbol {index} is not in the file")
        return self._words[6 * index]

    def is_defined(self, index: int) -> bool:
        """Tell whether this file defines the symbol."""
        return index < len(self) and self._halves[12 * index + 3] != 0

    def is_local(self, index: int) -> bool:
        """Tell whether the loader leaves the symbol alone."""
        return self._bytes[_SYMBOL_BYTES * index + 4] >> 4 == STB_LOCAL

    def is_weak(self, index: int) -> bool:
        """Tell whether nobody need define it."""
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

    def undefined(self, indices: Iterable[int]) -> list[tuple[int, int]]:
        """Return (index, name offset) of those symbols that another file must define, in order of the table."""
        wanted = sorted(indices)
        if wanted and wanted[-1] >= len(self):
            raise Damage(f"symbol {wanted[-1]} is not in the file")
        words, halves = self._words, self._halves
        open_ones = [number for number in wanted if not halves[12 * number + 3]]
        return [(one, words[6 * one]) for one in open_ones if not self.is_local(one)]

    def offered(self, first: int, end: int) -> list[tuple[int, int]]:
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
