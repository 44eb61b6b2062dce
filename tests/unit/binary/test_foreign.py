import struct

import pytest

from lambdapack.binary.facts import Role
from lambdapack.binary.foreign import Foreign, read_mach_o, read_pe


def mach(cpu: int, subtype: int = 0, kind: int = 8, order: str = "<", magic: int = 0xFEEDFACF) -> bytes:
    return struct.pack(f"{order}IIIIIIII", magic, cpu, subtype, kind, 20, 2000, 0, 0)


def universal(*cpus: int, magic: int = 0xCAFEBABE, layout: str = ">IIIII") -> bytes:
    entry = [struct.pack(layout, cpu, 0, 0, 0, *([0] * (len(layout) - 5))) for cpu in cpus]
    return struct.pack(">II", magic, len(cpus)) + b"".join(entry)


def pe(machine: int, characteristics: int = 0x2022, at: int = 0x80) -> bytes:
    header = struct.pack("<4sHHIIIHH", b"PE\0\0", machine, 6, 0, 0, 0, 240, characteristics)
    return b"MZ".ljust(60, b"\0") + struct.pack("<I", at) + bytes(at - 64) + header


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (mach(0x100000C), Foreign(("arm64",), Role.LIBRARY)),
        (mach(0x100000C, subtype=0x80000002), Foreign(("arm64e",), Role.LIBRARY)),
        (mach(0x1000007, kind=2), Foreign(("x86_64",), Role.EXECUTABLE)),
        (mach(0x1000007, kind=1), Foreign(("x86_64",), Role.UNKNOWN)),
        (mach(7, magic=0xFEEDFACE), Foreign(("ia32",), Role.LIBRARY)),
        (mach(18, order=">", magic=0xFEEDFACE, kind=6), Foreign(("ppc",), Role.LIBRARY)),
        (mach(0x55), Foreign(("cpu 0x55",), Role.LIBRARY)),
        (mach(7, kind=9999), None),
        (mach(7)[:12], None),
        (universal(0x1000007, 0x100000C), Foreign(("x86_64", "arm64"), Role.UNKNOWN)),
        (universal(0x100000C, magic=0xCAFEBABF, layout=">IIQQII"), Foreign(("arm64",), Role.UNKNOWN)),
        (universal(0x1000007, 0x100000C)[:30], None),
        (universal(), None),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(2000), None),  # a Java class of Java 8
        (b"\xca\xfe\xba\xbe\0\0\0\x05" + bytes(2000), None),
        (b"", None),
    ],
)
def test_mach_o_is_read_for_its_machines_and_purpose(data: bytes, expected: Foreign | None) -> None:
    assert read_mach_o(memoryview(data)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pe(0x8664), Foreign(("x86_64",), Role.LIBRARY)),
        (pe(0xAA64, characteristics=0x22), Foreign(("arm64",), Role.EXECUTABLE)),
        (pe(0x14C, at=0x400), Foreign(("ia32",), Role.LIBRARY)),
        (pe(0x200), Foreign(("machine 0x200",), Role.LIBRARY)),
        (pe(0x8664)[:-1], None),
        (pe(0x8664).replace(b"PE\0\0", b"NE\0\0"), None),
        (b"MZ" + bytes(100), None),
        (b"MZ" + b"\xff" * 100, None),
        (b"MZ is how this text begins", None),
    ],
)
def test_pe_is_read_for_its_machine_and_purpose(data: bytes, expected: Foreign | None) -> None:
    assert read_pe(memoryview(data)) == expected
