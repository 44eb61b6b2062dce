"""File formats by magic bytes and by name, and the headers of Mach-O and PE files."""

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.facts import BinaryRole, Format

ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class ForeignBinary:
    """A binary of another operating system."""

    machines: tuple[str, ...]
    role: BinaryRole


_MACH_BYTE_ORDERS = {
    b"\xce\xfa\xed\xfe": "<",
    b"\xcf\xfa\xed\xfe": "<",
    b"\xfe\xed\xfa\xce": ">",
    b"\xfe\xed\xfa\xcf": ">",
}
_UNIVERSAL_ENTRY_BYTES = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}  # magic to bytes of a fat_arch, fat_arch_64
MACH_O_MAGICS = (*_MACH_BYTE_ORDERS, *_UNIVERSAL_ENTRY_BYTES)
PE_MAGIC = b"MZ"

# xnu osfmk/mach/machine.h and EXTERNAL_HEADERS/mach-o/loader.h, read 2026-11.
_MACH_CPUS = {
    7: "ia32",
    0x1000007: "x86_64",
    12: "arm",
    0x100000C: "arm64",
    0x200000C: "arm64_32",
    18: "ppc",
    0x1000012: "ppc64",
}
_CPU_ARM64 = 0x100000C
_SUBTYPE_ARM64E = 2
_SUBTYPE_MASK = 0xFFFFFF  # the byte above holds capabilities
_MACH_ROLES = {
    2: BinaryRole.EXECUTABLE,
    6: BinaryRole.LIBRARY,
    8: BinaryRole.LIBRARY,
}  # MH_EXECUTE, MH_DYLIB, MH_BUNDLE
_MACH_TYPES = range(1, 16)
_MAX_SLICES = 20
"""Slices of a universal binary. A Java class starts with the same bytes, followed by its version, 45 or more."""

# PE format, "Machine types" and "Characteristics" (Microsoft Learn, read 2026-11).
_PE_MACHINES = {0x14C: "ia32", 0x8664: "x86_64", 0xAA64: "arm64", 0xA641: "arm64ec", 0x1C4: "arm"}
_PE_DLL = 0x2000
_PE_OFFSET_AT = 60  # e_lfanew
_PE_HEADER = Struct("<4sHHIIIHH")  # signature Machine sections time symbols count optional_size Characteristics


def read_mach_o(data: memoryview) -> ForeignBinary | None:
    """Return machines and role of a Mach-O file, one machine per slice; None for other files."""
    magic = bytes(data[:4])
    if magic in _UNIVERSAL_ENTRY_BYTES:
        return _read_universal(data, _UNIVERSAL_ENTRY_BYTES[magic])
    if magic not in _MACH_BYTE_ORDERS or len(data) < 16:
        return None
    cpu, subtype, kind = Struct(f"{_MACH_BYTE_ORDERS[magic]}III").unpack_from(data, 4)
    return (
        ForeignBinary((_mach_cpu_name(cpu, subtype),), _MACH_ROLES.get(kind, BinaryRole.UNKNOWN))
        if kind in _MACH_TYPES
        else None
    )


def _read_universal(data: memoryview, entry_bytes: int) -> ForeignBinary | None:
    count = int.from_bytes(data[4:8], "big")
    if not 0 < count < _MAX_SLICES or len(data) < 8 + entry_bytes * count:
        return None
    layout = Struct(">II")
    slices = [layout.unpack_from(data, 8 + entry_bytes * index) for index in range(count)]
    if slices[0][0] not in _MACH_CPUS:
        return None
    return ForeignBinary(tuple(dict.fromkeys(_mach_cpu_name(*fields) for fields in slices)), BinaryRole.UNKNOWN)


def _mach_cpu_name(cpu: int, subtype: int) -> str:
    if cpu == _CPU_ARM64 and subtype & _SUBTYPE_MASK == _SUBTYPE_ARM64E:
        return "arm64e"
    return _MACH_CPUS.get(cpu, f"cpu {cpu:#x}")


def read_pe(data: memoryview) -> ForeignBinary | None:
    """Return machine and role of a PE file; None for a DOS program, or text that begins with the same two letters."""
    if len(data) < _PE_OFFSET_AT + 4 or data[:2] != PE_MAGIC:
        return None
    at = int.from_bytes(data[_PE_OFFSET_AT : _PE_OFFSET_AT + 4], "little")
    header = data[at : at + _PE_HEADER.size]
    if len(header) < _PE_HEADER.size or bytes(header[:4]) != b"PE\0\0":
        return None
    _, machine, *_, characteristics = _PE_HEADER.unpack(header)
    name = _PE_MACHINES.get(machine, f"machine {machine:#x}")
    return ForeignBinary((name,), BinaryRole.LIBRARY if characteristics & _PE_DLL else BinaryRole.EXECUTABLE)


MAGIC_HEAD_BYTES = 64
"""Bytes that are enough to rule a file out; most of a package's files are read no further."""
MIN_NATIVE_BYTES = 28
"""No native file is smaller: a Mach-O header for 32 bits."""
TEXT_SAMPLE_BYTES = 512  # looked at to tell text from data
MAX_PRINTED_CHARACTERS = 60  # of a file that is no binary, in a message

_ARCHIVE_MAGICS = (b"!<arch>\n", b"!<thin>\n")
_DEBIAN_MAGIC = b"debian-binary"  # a .deb is an ar archive too
_NATIVE_MAGICS = (ELF_MAGIC, *MACH_O_MAGICS, PE_MAGIC, *_ARCHIVE_MAGICS)
_OTHER_MAGICS = (
    (b"version https://git-lfs.github.com/spec/", Format.LFS_POINTER),
    (b"\x1f\x8b", Format.GZIP),
    (b"PK\x03\x04", Format.ZIP),
    (b"\0asm", Format.WASM),
)
_MARKUP_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<error")
_NATIVE_NAME = re.compile(r"\.(?:node|so(?:\.[0-9]+)*)\Z")
_BLANKS = re.compile(r"[ \t\r\n]+")
_ADDON_EXTENSIONS = (".node", ".bare")  # of Node.js, and of the runtime Bare, which no Node.js can load


def has_native_name(path: str) -> bool:
    """Tell whether a file of this name can only be a native one: .node, .so, .so.1.2."""
    return _NATIVE_NAME.search(path) is not None


def has_addon_name(path: str) -> bool:
    """Tell whether require() of Node.js or Bare loads a file of this name as an addon."""
    return path.endswith(_ADDON_EXTENSIONS)


def may_be_native(head: bytes) -> bool:
    """Tell whether a file with these first bytes may be native."""
    return head.startswith(_NATIVE_MAGICS)


def is_static_library(head: bytes) -> bool:
    """Tell whether this is a static library."""
    return head.startswith(_ARCHIVE_MAGICS) and head[8 : 8 + len(_DEBIAN_MAGIC)] != _DEBIAN_MAGIC


def classify_non_native(head: bytes, size: int) -> Format:
    """Return the format of a file that is not native. `head`: the first TEXT_SAMPLE_BYTES, or all."""
    if size == 0:
        return Format.EMPTY
    by_magic = next((form for magic, form in _OTHER_MAGICS if head.startswith(magic)), None)
    if by_magic is not None:
        return by_magic
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP_STARTS):
        return Format.HTML
    return Format.TEXT if _is_text(head, whole=size <= len(head)) else Format.UNKNOWN


def _is_text(head: bytes, *, whole: bool) -> bool:
    try:
        getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def printable_start(head: bytes) -> str:
    """Return how a file begins, on one line, with escapes for what cannot be shown."""
    text = head.decode("utf-8", "backslashreplace")
    words = _BLANKS.sub(" ", text).strip(" ")[:MAX_PRINTED_CHARACTERS]
    return "".join(word if word.isprintable() else f"\\x{ord(word):02x}" for word in words)
