"""The bytes of an ELF file by virtual address. Never reads outside the file, and bounds all work."""

from bisect import bisect_right
from dataclasses import dataclass

from lambdapack.binary.elf.definitions import PF_X, PT_LOAD

MAX_PATH_BYTES = 4096
"""Linux PATH_MAX: the kernel opens no longer path."""
BYTES_PER_STEP = 8
BASE_STEPS = 250_000
MAX_STEPS = 1_000_000
"""A step is one record or 16 bytes of a name. An honest file's records do not overlap and take more than 8 bytes each;
what costs more steps than these goes round in a hostile file. A step takes about half a microsecond. Of the addons and
libraries of 69 npm packages none took more than 1200 steps; to list the 89 600 exports of Node.js 22 takes 530 000."""


class Damage(Exception):  # noqa: N818  # a fact about the file, not our error
    """The file cannot be read further. The text is the loader's own where it has one."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One program header."""

    kind: int  # p_type
    flags: int  # p_flags
    offset: int  # in the file
    address: int  # p_vaddr
    file_bytes: int  # p_filesz
    memory_bytes: int  # p_memsz
    align: int


class MappedImage:
    """File bytes by virtual address. Whoever loops over the file's own counts pays with `spend`."""

    __slots__ = ("_credit", "_loads", "_starts", "data")

    def __init__(self, data: memoryview, segments: tuple[Segment, ...]) -> None:
        self.data = data
        self._loads = sorted((each for each in segments if each.kind == PT_LOAD), key=lambda each: each.address)
        self._starts = [load.address for load in self._loads]
        self._credit = min(len(data) // BYTES_PER_STEP + BASE_STEPS, MAX_STEPS)

    def spend(self, steps: int = 1) -> None:
        """Pay for work. Damage when the file asks for more than its size justifies."""
        self._credit -= steps
        if self._credit < 0:
            raise Damage("its tables overlap or have no end")

    def _segment(self, address: int) -> Segment | None:
        at = bisect_right(self._starts, address) - 1
        return self._loads[at] if at >= 0 else None

    def tail(self, address: int) -> memoryview:
        """Return the bytes from an address to the end of its segment, empty when the file holds none there."""
        segment = self._segment(address)
        if segment is None or address >= segment.address + segment.file_bytes:
            return self.data[:0]
        start = segment.offset + address - segment.address
        return self.data[start : segment.offset + segment.file_bytes]

    def at(self, address: int, size: int) -> memoryview:
        """Return exactly `size` bytes at an address, or raise Damage."""
        found = self.tail(address)[:size]
        if len(found) < size:
            raise Damage(f"{size} bytes at address {address:#x} are not in the file")
        return found

    def is_code(self, address: int) -> bool:
        """Tell whether an address lies in an executable segment."""
        segment = self._segment(address)
        return segment is not None and address < segment.address + segment.memory_bytes and bool(segment.flags & PF_X)


class StringTable:
    """The dynamic string table, in a copy, since names are cut out of it by the thousand."""

    __slots__ = ("_image", "raw")

    def __init__(self, image: MappedImage, address: int, size: int) -> None:
        self._image = image
        self.raw = bytes(image.tail(address)[:size])
        if not self.raw:
            raise Damage("its string table is not in the file")

    def cut(self, offset: int) -> bytes:
        """Return the name that begins at an offset, empty beyond the table."""
        end = self.raw.find(b"\0", offset)
        name = self.raw[offset : end if end >= 0 else len(self.raw)]
        self._image.spend(1 + len(name) // 16)
        return name

    def text(self, offset: int) -> str:
        """Return the name at an offset as text; bytes that are not UTF-8 are replaced."""
        return self.cut(offset).decode("utf-8", "replace")
