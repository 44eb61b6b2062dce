"""The hash function's expected values are those of the System V ABI, as `readelf -V` prints them for real files."""

import struct

import pytest

from images.lab import openssl

SHT_PROGBITS, SHT_STRTAB, SHT_VERDEF = 1, 3, 0x6FFFFFFD
OLD_HASH = struct.pack("<I", openssl.elf_hash(openssl.OLD))
NEW_HASH = struct.pack("<I", openssl.elf_hash(openssl.NEW))


def elf(*sections: tuple[int, bytes]) -> bytes:
    """A 64-bit little-endian ELF file that has nothing but sections."""
    bodies, rows, offset = b"", b"", 64
    for kind, body in sections:
        rows += struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, offset + len(bodies), len(body), 0, 0, 1, 0)
        bodies += body
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQ", 3, 62, 1, 0, 0, 64 + len(bodies))
    return header + struct.pack("<IHHHHHH", 0, 64, 0, 0, 64, len(sections), 0) + bodies + rows


@pytest.mark.parametrize(
    ("name", "expected"), [(b"GLIBC_2.2.5", 0x09691A75), (b"GLIBC_2.17", 0x06969197), (b"GLIBC_2.34", 0x069691B4)]
)
def test_the_hash_is_the_system_v_one(name: bytes, expected: int) -> None:
    assert openssl.elf_hash(name) == expected


def test_the_name_and_its_hash_change_and_nothing_else() -> None:
    code = b"code " + OLD_HASH + b" " + openssl.OLD + b"\0"
    before = elf((SHT_PROGBITS, code), (SHT_VERDEF, b"...." + OLD_HASH), (SHT_STRTAB, b"\0" + openssl.OLD + b"\0x\0"))
    after = elf((SHT_PROGBITS, code), (SHT_VERDEF, b"...." + NEW_HASH), (SHT_STRTAB, b"\0" + openssl.NEW + b"\0x\0"))
    assert openssl.renamed(before) == after


@pytest.mark.parametrize(
    "binary",
    [
        b"#!/bin/sh\n# OPENSSL_3.0.0\0",
        elf((SHT_STRTAB, b"\0libz.so.1\0")),
        elf((SHT_STRTAB, b"\0" + openssl.OLD + b"\0")),
    ],
    ids=["a script", "another library", "a mere string"],
)
def test_files_that_do_not_need_the_version_stay(binary: bytes) -> None:
    assert openssl.renamed(binary) is None
