"""Files that are built to cost as much as their reader lets them: every table repeated, endless or in a ring."""

import struct
from collections.abc import Iterator

from tests import elf as make

DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_RELAENT, DT_RUNPATH, DT_RPATH = 5, 6, 7, 8, 9, 29, 15
DT_NEEDED, DT_HASH, DT_GNU_HASH, DT_VERNEED, DT_VERSYM, DT_RELACOUNT, DT_FLAGS = (
    1,
    4,
    0x6FFFFEF5,
    0x6FFFFFFE,
    0x6FFFFFF0,
    0x6FFFFFF9,
    30,
)
REST = make.FAR + (1 << 31)


def shapes(base: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield a name and a file for each kind of excess, `count` times what an honest file has once."""
    numbers = range(count)
    names = b"\0" + b"".join(b"n%06d\0" % each for each in numbers)
    places = [1 + 8 * each for each in numbers]
    directories = b"\0" + b":".join(b"/%05x" % each for each in numbers) + b"\0"
    symbols = bytes(24) + b"".join(struct.pack("<IBBHQQ", each, 0x10, 0, 0, 0, 0) for each in places)
    relocations = b"".join(struct.pack("<QQq", 0, (each + 1) << 32 | 6, 0) for each in numbers)
    tables = [(DT_SYMTAB, REST), (DT_RELA, REST + len(symbols)), (DT_RELASZ, len(relocations)), (DT_RELAENT, 24)]
    needs = b"".join(struct.pack("<HHIII", 1, 1, 1, 16, 1) for _ in numbers)
    entries = b"\0" + b"".join(b"node_register_module_v%d\0" % (each % 9999 + 1) for each in numbers)
    yield "one library needed again and again", make.refurnished(base, [(DT_NEEDED, 1)] * count, b"\0libc.so.6\0")
    yield "many libraries needed", make.refurnished(base, [(DT_NEEDED, each) for each in places], names)
    yield "one tag again and again", make.refurnished(base, [(DT_FLAGS, 1)] * count, b"\0name\0")
    for tag in (DT_RPATH, DT_RUNPATH):
        yield f"a search path without end ({tag})", make.refurnished(base, [(tag, 1), (DT_NEEDED, 1)], directories)
    origins = b"\0" + b"$ORIGIN" * count + b"\0"
    yield "a search path that grows", make.refurnished(base, [(DT_RUNPATH, 1), (DT_NEEDED, 3)], origins)
    yield "versions that overlap", make.refurnished(base, [(DT_VERNEED, REST)], b"\0name\0" * 9, needs)
    yield "many undefined symbols", make.refurnished(base, tables, names, symbols + relocations)
    endless = b"x" * len(names)
    yield "names without an end", make.refurnished(base, tables, endless, symbols + relocations)
    yield (
        "more relative relocations than there are",
        make.refurnished(base, [*tables, (DT_RELACOUNT, 1 << 60)], names, symbols + relocations),
    )
    yield "a table of 2^60 relocations", make.refurnished(base, [*tables[:2], (DT_RELASZ, 1 << 60)], names, symbols)
    yield from _hashes(base, count, entries)


def _hashes(base: bytes, count: int, names: bytes) -> Iterator[tuple[str, bytes]]:
    ring = struct.pack("<II", 1, count) + struct.pack("<I", 1) * (count + 1)
    chain = struct.pack("<IIII", 1, 1, 1, 0) + b"\xff" * 8 + struct.pack("<I", 1) + bytes(4 * count)
    buckets = struct.pack("<IIII", count, 1, 1, 0) + b"\xff" * 8 + struct.pack("<I", 1) * count + bytes(40)
    for name, table, tag in (("ring", ring, DT_HASH), ("chain", chain, DT_GNU_HASH), ("buckets", buckets, DT_GNU_HASH)):
        yield f"a hash table that is all {name}", make.refurnished(base, [(tag, REST)], names, table)
