import struct

import pytest

from lambdapack.binary.facts import BinaryRole
from lambdapack.binary.format import ForeignBinary, read_mach_o, read_pe


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
        (mach(0x100000C), ForeignBinary(("arm64",), BinaryRole.LIBRARY)),
        (mach(0x100000C, subtype=0x80000002), ForeignBinary(("arm64e",), BinaryRole.LIBRARY)),
        (mach(0x1000007, kind=2), ForeignBinary(("x86_64",), BinaryRole.EXECUTABLE)),
        (mach(0x1000007, kind=1), ForeignBinary(("x86_64",), BinaryRole.UNKNOWN)),
        (mach(7, magic=0xFEEDFACE), ForeignBinary(("ia32",), BinaryRole.LIBRARY)),
        (mach(18, order=">", magic=0xFEEDFACE, kind=6), ForeignBinary(("ppc",), BinaryRole.LIBRARY)),
        (mach(0x55), ForeignBinary(("cpu 0x55",), BinaryRole.LIBRARY)),
        (mach(7, kind=9999), None),
        (mach(7)[:12], None),
        (universal(0x1000007, 0x100000C), ForeignBinary(("x86_64", "arm64"), BinaryRole.UNKNOWN)),
        (universal(0x100000C, magic=0xCAFEBABF, layout=">IIQQII"), ForeignBinary(("arm64",), BinaryRole.UNKNOWN)),
        (universal(0x1000007, 0x100000C)[:30], None),
        (universal(), None),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(2000), None),  # a Java class of Java 8
        (b"\xca\xfe\xba\xbe\0\0\0\x05" + bytes(2000), None),
        (b"", None),
    ],
)
def test_mach_o_is_read_for_its_machines_and_purpose(data: bytes, expected: ForeignBinary | None) -> None:
    assert read_mach_o(memoryview(data)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pe(0x8664), ForeignBinary(("x86_64",), BinaryRole.LIBRARY)),
        (pe(0xAA64, characteristics=0x22), ForeignBinary(("arm64",), BinaryRole.EXECUTABLE)),
        (pe(0x14C, at=0x400), ForeignBinary(("ia32",), BinaryRole.LIBRARY)),
        (pe(0x200), ForeignBinary(("machine 0x200",), BinaryRole.LIBRARY)),
        (pe(0x8664)[:-1], None),
        (pe(0x8664).replace(b"PE\0\0", b"NE\0\0"), None),
        (b"MZ" + bytes(100), None),
        (b"MZ" + b"\xff" * 100, None),
        (b"MZ is how this text begins", None),
    ],
)
def test_pe_is_read_for_its_machine_and_purpose(data: bytes, expected: ForeignBinary | None) -> None:
    assert read_pe(memoryview(data)) == expected
