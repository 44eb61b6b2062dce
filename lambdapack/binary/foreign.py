"""Mach-O and PE headers: whose binary it is. Never reads more than that, since Lambda loads neither."""

from dataclasses import dataclass
from struct import Struct

from lambdapack.binary.facts import Role


@dataclass(frozen=True, slots=True)
class Foreign:
    """A binary of another operating system."""

    machines: tuple[str, ...]
    role: Role


_MACH = {b"\xce\xfa\xed\xfe": "<", b"\xcf\xfa\xed\xfe": "<", b"\xfe\xed\xfa\xce": ">", b"\xfe\xed\xfa\xcf": ">"}
_FAT = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}  # magic to bytes of a fat_arch, fat_arch_64
MACH_MAGICS = (*_MACH, *_FAT)
PE_MAGIC = b"MZ"

# xnu osfmk/mach/machine.h and EXTERNAL_HEADERS/mach-o/loader.h, read 2026-11.
_CPUS = {
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
_SUBTYPE = 0xFFFFFF  # the byte above holds capabilities
_MACH_ROLES = {2: Role.EXECUTABLE, 6: Role.LIBRARY, 8: Role.LIBRARY}  # MH_EXECUTE, MH_DYLIB, MH_BUNDLE
_MACH_TYPES = range(1, 16)
_MOST_SLICES = 20
"""Of a universal binary. A Java class begins with the same bytes; there its version follows, 45 or more."""

# PE format, "Machine types" and "Characteristics" (Microsoft Learn, read 2026-11).
_PE_MACHINES = {0x14C: "ia32", 0x8664: "x86_64", 0xAA64: "arm64", 0xA641: "arm64ec", 0x1C4: "arm"}
_PE_DLL = 0x2000
_PE_OFFSET_AT = 60  # e_lfanew
_PE_HEADER = Struct("<4sHHIIIHH")  # signature Machine sections time symbols count optional_size Characteristics


def read_mach_o(data: memoryview) -> Foreign | None:
    """Return what a Mach-O file is for, one machine for each slice; None when it is no Mach-O after all."""
    magic = bytes(data[:4])
    if magic in _FAT:
        return _universal(data, _FAT[magic])
    if magic not in _MACH or len(data) < 16:
        return None
    cpu, subtype, kind = Struct(f"{_MACH[magic]}III").unpack_from(data, 4)
    return Foreign((_cpu(cpu, subtype),), _MACH_ROLES.get(kind, Role.UNKNOWN)) if kind in _MACH_TYPES else None


def _universal(data: memoryview, entry_bytes: int) -> Foreign | None:
    count = int.from_bytes(data[4:8], "big")
    if not 0 < count < _MOST_SLICES or len(data) < 8 + entry_bytes * count:
        return None
    layout = Struct(">II")
    slices = [layout.unpack_from(data, 8 + entry_bytes * each) for each in range(count)]
    if slices[0][0] not in _CPUS:
        return None
    return Foreign(tuple(dict.fromkeys(_cpu(*each) for each in slices)), Role.UNKNOWN)


def _cpu(cpu: int, subtype: int) -> str:
    if cpu == _CPU_ARM64 and subtype & _SUBTYPE == _SUBTYPE_ARM64E:
        return "arm64e"
    return _CPUS.get(cpu, f"cpu {cpu:#x}")


def read_pe(data: memoryview) -> Foreign | None:
    """Return what a PE file is for, None for a mere DOS program or text that begins with the same two letters."""
    if len(data) < _PE_OFFSET_AT + 4 or data[:2] != PE_MAGIC:
        return None
    at = int.from_bytes(data[_PE_OFFSET_AT : _PE_OFFSET_AT + 4], "little")
    header = data[at : at + _PE_HEADER.size]
    if len(header) < _PE_HEADER.size or bytes(header[:4]) != b"PE\0\0":
        return None
    _, machine, *_, characteristics = _PE_HEADER.unpack(header)
    name = _PE_MACHINES.get(machine, f"machine {machine:#x}")
    return Foreign((name,), Role.LIBRARY if characteristics & _PE_DLL else Role.EXECUTABLE)
