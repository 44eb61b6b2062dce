"""An ELF file's headers, its segments, and its bytes by virtual address. Never reads outside the file."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from struct import Struct

from lambdapack.binary.budget import StepBudget
from lambdapack.binary.elf.definitions import PF_X, PT_INTERP, PT_LOAD, RELOCATION_TYPES
from lambdapack.binary.facts import CUT_HEADERS_DAMAGE, ET_DYN, ET_EXEC

MAX_PATH_BYTES = 4096
"""Bytes of a path, Linux PATH_MAX: the kernel opens no longer one."""
BYTES_PER_STEP = 8
BASE_STEPS = 250_000
MAX_STEPS = 1_000_000
"""A step is one record or 16 bytes of a name. An honest file's records do not overlap and take more than 8 bytes each;
a file that costs more steps is hostile and loops. A step takes about half a microsecond. Of the addons and
libraries of 69 npm packages none took more than 1200 steps; to list the 89 600 exports of Node.js 22 takes 530 000."""

STEPS_TAKEN_AT_ONCE = 1000


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
    """File bytes by virtual address. Every loop over counts that the file states calls `count_steps`."""

    __slots__ = ("_budget", "_loads", "_shared_left", "_starts", "_steps_left", "data")

    def __init__(self, data: memoryview, segments: tuple[Segment, ...], budget: StepBudget | None = None) -> None:
        self.data = data
        self._loads = sorted(
            (segment for segment in segments if segment.kind == PT_LOAD), key=lambda segment: segment.address
        )
        self._starts = [load.address for load in self._loads]
        own = min(len(data) // BYTES_PER_STEP, MAX_STEPS)
        self._budget = budget or StepBudget()
        self._steps_left = own
        self._shared_left = min(BASE_STEPS, MAX_STEPS - own)

    def count_steps(self, steps: int = 1) -> None:
        """Count units of work; Damage when the file causes more than its size justifies."""
        self._steps_left -= steps
        if self._steps_left < 0:
            more = max(-self._steps_left, STEPS_TAKEN_AT_ONCE)
            self._shared_left -= more
            if self._shared_left < 0:
                raise Damage("its tables overlap or have no end")
            self._budget.take(more)
            self._steps_left += more

    def _segment(self, address: int) -> Segment | None:
        at = bisect_right(self._starts, address) - 1
        return self._loads[at] if at >= 0 else None

    def bytes_from(self, address: int) -> memoryview:
        """Return the bytes from an address to the end of its segment, empty when the file has none there."""
        segment = self._segment(address)
        if segment is None or address >= segment.address + segment.file_bytes:
            return self.data[:0]
        start = segment.offset + address - segment.address
        return self.data[start : segment.offset + segment.file_bytes]

    def bytes_at(self, address: int, size: int) -> memoryview:
        """Return exactly `size` bytes at an address, or raise Damage."""
        data = self.bytes_from(address)[:size]
        if len(data) < size:
            raise Damage(f"{size} bytes at address {address:#x} are not in the file")
        return data

    def is_code(self, address: int) -> bool:
        """Tell whether an address lies in an executable segment."""
        segment = self._segment(address)
        return segment is not None and address < segment.address + segment.memory_bytes and bool(segment.flags & PF_X)


class StringTable:
    """A copy of the dynamic string table: thousands of names are read from it."""

    __slots__ = ("_image", "raw")

    def __init__(self, image: MappedImage, address: int, size: int) -> None:
        self._image = image
        self.raw = bytes(image.bytes_from(address)[:size])
        if not self.raw:
            raise Damage("its string table is not in the file")

    def name_at(self, offset: int) -> bytes:
        """Return the name that begins at an offset, empty beyond the table."""
        end = self.raw.find(b"\0", offset)
        name = self.raw[offset : end if end >= 0 else len(self.raw)]
        self._image.count_steps(1 + len(name) // 16)
        return name

    def text_at(self, offset: int) -> str:
        """Return the name at an offset as text; bytes that are not UTF-8 are replaced."""
        return self.name_at(offset).decode("utf-8", "replace")


ELF_HEADER_BYTES = 64
"""Bytes of a 64-bit ELF header. The loader rejects a shorter file as too short (glibc elf/dl-load.c)."""
PAGE_BYTES = 4096
"""Bytes of a memory page on both CPUs of Lambda; read 2026-11 in glibc's messages about alignment."""

_HEADER_AFTER_IDENT = Struct(
    "<HHIQQQIHHH"
)  # e_type e_machine e_version e_entry e_phoff e_shoff e_flags e_ehsize e_phentsize e_phnum
_PROGRAM_HEADER_32 = Struct("<IIIII12x")  # p_type p_offset p_vaddr p_paddr p_filesz, and three more
_TABLE_AT_32 = Struct("<I")  # e_phoff
_TABLE_SIZE_32 = Struct("<HH")  # e_phentsize e_phnum
_HEADER_32_BYTES = 52
_PROGRAM_HEADER = Struct("<IIQQQQQQ")  # p_type p_flags p_offset p_vaddr p_paddr p_filesz p_memsz p_align


@dataclass(frozen=True, slots=True)
class ElfHeader:
    """The ELF header. Fields beyond the end of a truncated file are zero."""

    bits: int  # 32, 64, 0 for anything else
    little_endian: bool
    machine: int
    os_abi: int
    abi_version: int
    type: int
    table_offset: int = 0  # e_phoff
    table_count: int = 0  # e_phnum
    damage: str = ""  # in the order of glibc's open_verify (elf/dl-load.c)
    is_readable: bool = False  # 64-bit, little-endian and whole: the rest of the file can be looked at


def read_header(data: memoryview) -> ElfHeader:
    """Return the header of a file that begins with ELF_MAGIC; never raises."""
    ident = bytes(data[:20]).ljust(20, b"\0")
    halves = Struct(">HH" if ident[5] == 2 else "<HH")
    kind, machine = halves.unpack_from(ident, 16)
    bits = {1: 32, 2: 64}.get(ident[4], 0)
    plain = ElfHeader(
        bits=bits,
        little_endian=ident[5] == 1,
        type=kind,
        machine=machine,
        os_abi=ident[7],
        abi_version=ident[8],
    )
    if len(data) < ELF_HEADER_BYTES:
        return replace(plain, damage="file too short")
    if bits != 64 or not plain.little_endian:
        return replace(plain, damage=_class_damage(plain))
    _, _, version, _, offset, _, _, _, entry_bytes, count = _HEADER_AFTER_IDENT.unpack_from(data, 16)
    has_known_entries = entry_bytes == _PROGRAM_HEADER.size
    damage = _ident_damage(ident)
    if not damage and version != 1:
        damage = "ELF file version does not match current one"
    if not damage and plain.type in {ET_DYN, ET_EXEC} and not has_known_entries:
        damage = "ELF file's phentsize not the expected size"
    return replace(
        plain, table_offset=offset, table_count=count if has_known_entries else 0, damage=damage, is_readable=True
    )


def _class_damage(header: ElfHeader) -> str:
    # Another class or machine is no damage: the loader passes over such a file.
    if header.bits == 0:
        return "invalid ELF header"
    is_supported = header.bits == 64 and header.machine in RELOCATION_TYPES
    return "ELF file data encoding not little-endian" if is_supported and not header.little_endian else ""


def _ident_damage(ident: bytes) -> str:
    if ident[6] != 1:
        return "ELF file version ident does not match current one"
    if ident[7] not in {0, 3}:
        return "ELF file OS ABI invalid"
    # ELFOSABI_GNU may ask for ABI 1 to 3 (sysdeps/gnu/ldsodefs.h VALID_ELF_ABIVERSION).
    if ident[8] and not (ident[7] == 3 and ident[8] < 4):
        return "ELF file ABI version invalid"
    return "nonzero padding in e_ident" if any(ident[9:16]) else ""


def read_segments(data: memoryview, header: ElfHeader) -> tuple[Segment, ...]:
    """Return the program headers, or raise Damage when the file ends before them."""
    end = _table_end(header)
    if end > len(data):
        raise Damage(CUT_HEADERS_DAMAGE)
    segments = []
    for kind, flags, offset, address, _, file_bytes, memory_bytes, align in _PROGRAM_HEADER.iter_unpack(
        data[header.table_offset : end]
    ):
        segments.append(Segment(kind, flags, offset, address, file_bytes, memory_bytes, align))
    return tuple(segments)


def load_damage(header: ElfHeader, segments: tuple[Segment, ...]) -> str:
    """Return the loader's error about the PT_LOAD segments of a file that glibc maps itself, "" when there is none."""
    loads = [segment for segment in segments if segment.kind == PT_LOAD]
    if not loads:
        return "object file has no loadable segments" if header.type in {ET_DYN, ET_EXEC} else ""
    if header.type != ET_DYN or any(segment.kind == PT_INTERP for segment in segments):
        return ""  # the kernel maps executables, and does not mind
    # glibc up to 2.34, Amazon Linux 2023's (elf/dl-load.c _dl_map_object_from_fd); later ones accept more.
    if any(segment.align % PAGE_BYTES for segment in loads):
        return "ELF load command alignment not page-aligned"
    if any((segment.address - segment.offset) & (segment.align - 1) for segment in loads):
        return "ELF load command address/offset not properly aligned"
    return ""


def _table_end(header: ElfHeader) -> int:
    return header.table_offset + header.table_count * _PROGRAM_HEADER.size


def count_missing(header: ElfHeader, segments: tuple[Segment, ...], size: int) -> tuple[int, int]:
    """Return how many bytes and whole pages a file of `size` bytes is shorter than its headers state."""
    mapped = max(
        (segment.offset + segment.file_bytes for segment in segments if segment.kind == PT_LOAD and segment.file_bytes),
        default=0,
    )
    end = max(mapped, _table_end(header))
    return max(0, end - size), max(0, -(-end // PAGE_BYTES) - -(-size // PAGE_BYTES))


def read_interpreter_32(data: memoryview) -> str | None:
    """Return PT_INTERP's text of a 32-bit little-endian file, the only fact read from such programs."""
    if len(data) < _HEADER_32_BYTES:
        return None
    (offset,), (entry_bytes, count) = _TABLE_AT_32.unpack_from(data, 28), _TABLE_SIZE_32.unpack_from(data, 42)
    if entry_bytes != _PROGRAM_HEADER_32.size:
        return None
    table = data[offset : offset + entry_bytes * count]
    for kind, start, _, _, size in _PROGRAM_HEADER_32.iter_unpack(table[: len(table) // entry_bytes * entry_bytes]):
        if kind == PT_INTERP:
            return _read_path(data, start, size)
    return None


def read_interpreter(data: memoryview, segments: tuple[Segment, ...]) -> str | None:
    """Return PT_INTERP's text, None when there is none in the file."""
    for segment in segments:
        if segment.kind == PT_INTERP:
            return _read_path(data, segment.offset, segment.file_bytes)
    return None


def _read_path(data: memoryview, offset: int, size: int) -> str | None:
    text = bytes(data[offset : offset + min(size, MAX_PATH_BYTES)]).split(b"\0", 1)[0]
    return text.decode("utf-8", "replace") or None
