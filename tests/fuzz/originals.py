"""Real files to start from, and where their bones are: fields and tables. Judges none."""

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import elf as make
from tests.corpus.packages import fetch, package

PACKAGE = "bcrypt@6.0.0"
"""ELF of 64 and 32 bits, Mach-O and PE in one small tarball."""

HEADER = ((4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1), (16, 2), (18, 2), (20, 4), (24, 8), (32, 8), (40, 8))
COUNTS = ((52, 2), (54, 2), (56, 2), (58, 2), (60, 2), (62, 2))
PROGRAM_HEADER = ((0, 4), (4, 4), (8, 8), (16, 8), (32, 8), (40, 8), (48, 8))
EDGE = 512  # bytes at either end of a file whose format is not taken apart
WORDS = 48  # of a table's beginning that are fields too


@dataclass(frozen=True, slots=True)
class Original:
    """A file with the places that decide how it is read."""

    name: str
    path: str  # where it lies in the package that is judged
    data: bytes
    fields: tuple[tuple[int, int], ...]  # offset and width
    tables: tuple[int, ...] = ()  # offsets


def compiled(directory: Path) -> Iterator[Original]:
    """Yield small ELF files with every table that the reader knows."""
    versioned = make.library(directory, "libc.so.6", "GLIBC_2.2.5", "GLIBC_2.99")
    user = make.using(directory, "user.node", versioned, flags=("-Wl,-rpath,$ORIGIN:$ORIGIN/lib:/opt",))
    relr = make.link(directory, "relr.node", make.V8_BOTH_WAYS, "-DABI=127", "-Wl,-z,pack-relative-relocs")
    sysv = make.link(directory, "sysv.node", make.NODE_API, "-DLEVEL=9", "-Wl,--hash-style=sysv")
    filled = make.link(directory, "filled.node", make.V8_AT_RUN_TIME, "-DABI=115")
    two = make.link(directory, "two.node", make.V8_TWICE, "-DFIRST=zulu", "-DSECOND=alpha")
    source = "".join(f"int name_{each}(void) {{ return {each}; }}\n" for each in range(400))
    many = make.link(directory, "libmany.so.1", source)
    tool = make.program(directory, "tool", "void _start(void) {}", "-static")
    old = make.program(directory, "old", "void _start(void) {}", "-m32", "-static")
    for made in (user, relr, sysv, filled, two):
        yield _original(made.name, f"node_modules/native/{made.name}", made.read_bytes())
    for made in (versioned, many):
        yield _original(made.name, f"lib/{made.name}", made.read_bytes())
    for made in (tool, old):
        yield _original(made.name, f"bin/{made.name}", made.read_bytes())


def packed() -> Iterator[Original]:
    """Yield what the npm package holds, a zip and a static library of it."""
    with package(fetch([PACKAGE])[PACKAGE]) as tree:
        found = {path: _bytes(tree, path) for path in tree.entries if path.endswith(".node")}
    for path, data in found.items():
        yield _original(path, f"node_modules/bcrypt/{path}", data)
    smallest = min(found.values(), key=len)
    yield _original("static library", "lib/libstatic.so", b"!<arch>\n" + b"addon.o/".ljust(48) + smallest)
    yield _original("zip", "function.zip", zipped({"node_modules/b/b.node": smallest, "index.js": b"exports.handler"}))


def _bytes(tree: object, path: str) -> bytes:
    with tree.view(path) as data:  # type: ignore[attr-defined]
        return bytes(data)


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip with a link in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        link = zipfile.ZipInfo("link")
        link.external_attr, link.create_system = 0o120777 << 16, 3
        archive.writestr(link, "index.js")
    return stream.getvalue()


def _original(name: str, path: str, data: bytes) -> Original:
    if data[:6] == b"\x7fELF\x02\x01":
        tables = tuple(sorted(set(_tables(data))))
        return Original(name, path, data, (*HEADER, *COUNTS, *_entries(data), *_words(data, tables)), tables)
    edges = [*range(0, min(EDGE, len(data) - 8), 2), *range(max(0, len(data) - EDGE), len(data) - 8)]
    return Original(name, path, data, tuple((at, width) for at in edges for width in (2, 4)))


def _entries(data: bytes) -> Iterator[tuple[int, int]]:
    (table,), (count,) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<H", data, 56)
    yield from ((table + 56 * each + at, width) for each in range(count) for at, width in PROGRAM_HEADER)
    if make.segments(data, 2):
        yield from ((at + half, 8) for at in make.dynamic_entries(data) for half in (0, 8))


def _words(data: bytes, tables: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    yield from ((at, 4) for table in tables for at in range(table, min(table + 4 * WORDS, len(data) - 8), 4))


def _tables(data: bytes) -> Iterator[int]:
    """Every value of the dynamic section that is an address: hash, strings, symbols, versions, relocations."""
    loads = [struct.unpack_from("<QQQQ", data, at + 8) for at in make.segments(data, 1)]  # offset address _ file_bytes
    for at in make.dynamic_entries(data) if make.segments(data, 2) else ():
        (value,) = struct.unpack_from("<Q", data, at + 8)
        for offset, address, _, size in loads:
            if value and address <= value < address + size:
                yield offset + value - address
