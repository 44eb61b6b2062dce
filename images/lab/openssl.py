"""Makes the field's OpenSSL trap: the system's programs want a newer libcrypto than the one in /var/lang/lib.

In the official images LD_LIBRARY_PATH starts with /var/lang/lib, whose OpenSSL is older than the system's, so
dnf, python3 and node-gyp die of "/var/lang/lib/libcrypto.so.3: version `OPENSSL_3.4.0' not found"
(aws/aws-lambda-base-images #137, #164, #482). Here the system's copies are renamed, not /var/lang's: an addon
that wants OPENSSL_3.0.0 loads in the bare image, as it does on Lambda.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

OLD: Final = b"OPENSSL_3.0.0"
NEW: Final = b"OPENSSL_3.4.0"
"""Of the same length, so that it fits in place."""

VERSION_SECTIONS: Final = (0x6FFFFFFD, 0x6FFFFFFE)
"""SHT_GNU_verdef and SHT_GNU_verneed: both hold the ELF hash of the version's name."""
SHT_STRTAB: Final = 3
ELF64: Final = b"\x7fELF\x02\x01"


class _Section(NamedTuple):
    """A row of the section header table (Elf64_Shdr)."""

    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int


def elf_hash(name: bytes) -> int:
    """The System V hash that symbol versions are looked up by."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value


def renamed(binary: bytes, old: bytes = OLD, new: bytes = NEW) -> bytes | None:
    """`binary` with the symbol version `old` called `new`; None when it neither defines nor needs it."""
    if not binary.startswith(ELF64) or old + b"\0" not in binary:
        return None
    image = bytearray(binary)
    sections = tuple(_sections(binary))
    hashes = sum(_replace(image, s, _word(old), _word(new)) for s in sections if s.kind in VERSION_SECTIONS)
    names = sum(_replace(image, s, b"\0" + old + b"\0", b"\0" + new + b"\0") for s in sections if s.kind == SHT_STRTAB)
    return bytes(image) if hashes and names else None


def _word(name: bytes) -> bytes:
    return struct.pack("<I", elf_hash(name))


def _sections(binary: bytes) -> Iterator[_Section]:
    (table,) = struct.unpack_from("<Q", binary, 40)
    size, count = struct.unpack_from("<HH", binary, 58)
    for index in range(count):
        yield _Section(*struct.unpack_from("<IIQQQQ", binary, table + index * size))


def _replace(image: bytearray, section: _Section, old: bytes, new: bytes) -> int:
    body = bytes(image[section.offset : section.offset + section.size])
    image[section.offset : section.offset + section.size] = body.replace(old, new)
    return body.count(old)
