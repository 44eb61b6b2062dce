"""The dynamic symbol table by index. Never asks a section header how long it is."""

from collections.abc import Iterable

from lambdapack.binary.definitions import DT_SYMTAB, STB_LOCAL, STB_WEAK, STV_UNBOUND
from lambdapack.binary.dynamic import Dynamic
from lambdapack.binary.image import Damage, Image

_ENTRY = 24  # bytes of an Elf64_Sym: st_name(4) st_info(1) st_other(1) st_shndx(2) st_value(8) st_size(8)


class SymbolTable:
    """DT_SYMTAB. It has no length of its own: whatever lies in its segment may be asked for."""

    __slots__ = ("_bytes", "_halves", "_longs", "_words")

    def __init__(self, image: Image, dynamic: Dynamic) -> None:
        table = image.tail(dynamic.tags[DT_SYMTAB]) if DT_SYMTAB in dynamic.tags else image.data[:0]
        self._bytes = table[: len(table) // _ENTRY * _ENTRY]
        self._halves = self._bytes.cast("H")
        self._words = self._bytes.cast("I")
        self._longs = self._bytes.cast("Q")

    def __len__(self) -> int:
        return len(self._bytes) // _ENTRY

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
        return self._bytes[_ENTRY * index + 4] >> 4 == STB_LOCAL

    def is_weak(self, index: int) -> bool:
        """Tell whether nobody need define it."""
        return self._bytes[_ENTRY * index + 4] >> 4 == STB_WEAK

    def is_offered(self, index: int) -> bool:
        """Tell whether other files may bind to it."""
        return (
            self.is_defined(index)
            and not self.is_local(index)
            and self._bytes[_ENTRY * index + 5] & 3 not in STV_UNBOUND
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
        open_ones = [each for each in wanted if not halves[12 * each + 3]]
        return [(each, words[6 * each]) for each in open_ones if not self.is_local(each)]

    def offered(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return (index, name offset) of every symbol in a range that others may bind to, at C speed."""
        end = min(end, len(self))
        names = self._words[6 * first : 6 * end : 6].tolist()
        infos = self._bytes[_ENTRY * first + 4 : _ENTRY * end : _ENTRY].tolist()
        others = self._bytes[_ENTRY * first + 5 : _ENTRY * end : _ENTRY].tolist()
        sections = self._halves[12 * first + 3 : 12 * end : 12].tolist()
        rows = zip(range(first, end), names, infos, others, sections, strict=True)
        return [
            (index, name)
            for index, name, info, other, section in rows
            if section and info >> 4 != STB_LOCAL and other & 3 not in STV_UNBOUND
        ]
