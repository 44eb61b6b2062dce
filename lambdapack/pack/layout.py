"""The records of a zip file (PKWARE APPNOTE.TXT 6.3). Pure; no field tells of the host."""

import struct
from typing import Final

from lambdapack.pack.compress import Packed
from lambdapack.tree.entry import Kind

LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")  # 4.3.7
CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
END: Final = struct.Struct("<4sHHHHIIH")  # 4.3.16
END_64: Final = struct.Struct("<4sQHHIIQQQQ")  # 4.3.14
LOCATOR_64: Final = struct.Struct("<4sIQI")  # 4.3.15

DATE: Final = 0x0021
"""1980-01-01, the oldest date that MS-DOS writes (4.4.6): year since 1980 << 9, month << 5, day. The time is 0."""

UNIX: Final = 3 << 8
"""4.4.2: made by Unix, so that the upper half of the attributes is a mode; fixed so that Windows hosts agree."""

DOS_DIRECTORY: Final = 0x10
UTF_8: Final = 0x0800  # 4.4.4 bit 11; set only where ASCII does not do
VERSION: Final = 20  # 4.4.3: deflate and directories
VERSION_64: Final = 45
FULL_16: Final = 0xFFFF
FULL_32: Final = 0xFFFFFFFF


def local_header(packed: Packed) -> bytes:
    """Return what stands before a member's bytes."""
    name = packed.member.name.encode()
    large = packed.size >= FULL_32 or packed.packed_size >= FULL_32
    extra = _extra_64(packed.size, packed.packed_size) if large else b""
    fields = (*_common(packed, large), *_sizes(packed, large), len(name), len(extra))
    return LOCAL.pack(b"PK\x03\x04", *fields) + name + extra


def central_header(packed: Packed, offset: int) -> bytes:
    """Return a member's record in the directory; `offset` is where its local header is."""
    name = packed.member.name.encode()
    large = packed.size >= FULL_32 or packed.packed_size >= FULL_32
    far = offset >= FULL_32
    extra = _extra_64(*((packed.size, packed.packed_size) if large else ()), *((offset,) if far else ()))
    attributes = packed.member.mode << 16 | (DOS_DIRECTORY if packed.member.entry.kind is Kind.DIRECTORY else 0)
    version, *rest = _common(packed, large or far)
    fields = (UNIX | version, version, *rest, *_sizes(packed, large), len(name), len(extra), 0, 0, 0, attributes)
    return CENTRAL.pack(b"PK\x01\x02", *fields, FULL_32 if far else offset) + name + extra


def end_records(count: int, size: int, offset: int) -> bytes:
    """Return what closes a zip: `count` records of `size` bytes that begin at `offset`."""
    classic = (min(count, FULL_16), min(count, FULL_16), min(size, FULL_32), min(offset, FULL_32))
    end = END.pack(b"PK\x05\x06", 0, 0, *classic, 0)
    if count < FULL_16 and size < FULL_32 and offset < FULL_32:
        return end
    version = (UNIX | VERSION_64, VERSION_64)
    end_64 = END_64.pack(b"PK\x06\x06", END_64.size - 12, *version, 0, 0, count, count, size, offset)
    return end_64 + LOCATOR_64.pack(b"PK\x06\x07", 0, offset + size, 1) + end


def _common(packed: Packed, wide: bool) -> tuple[int, ...]:  # noqa: FBT001  # private, named at each call
    flags = 0 if packed.member.name.isascii() else UTF_8
    return (VERSION_64 if wide else VERSION, flags, packed.method, 0, DATE, packed.crc)


def _sizes(packed: Packed, large: bool) -> tuple[int, int]:  # noqa: FBT001  # private, named at each call
    return (FULL_32, FULL_32) if large else (packed.packed_size, packed.size)


def _extra_64(*values: int) -> bytes:
    """4.5.3: unpacked size, packed size, offset; each only where its field of 32 bits is full."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""
