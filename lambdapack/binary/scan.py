"""Finds every native file of a tree and gathers its facts. Judges none, and reads only the head of all others."""

import os
from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePosixPath

from lambdapack.binary import elf
from lambdapack.binary.definitions import ET_DYN, ET_EXEC, machine_name
from lambdapack.binary.facts import Binary, Content, Elf, Format, Inventory, RegistrationKind, Role
from lambdapack.binary.foreign import read_mach_o, read_pe
from lambdapack.binary.header import HEADER_BYTES, MAGIC
from lambdapack.binary.magic import (
    HEAD_BYTES,
    SMALLEST_BYTES,
    TEXT_BYTES,
    is_archive,
    may_be_native,
    mistaken_for_native,
    printable,
    promises_addon,
    promises_native,
)
from lambdapack.binary.memory import FORGETFUL, NOT_NATIVE, Memory
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.tree.entry import Entry, Kind, Tree

_MOST_THREADS = 8
_NATIVE = frozenset((Format.ELF, Format.MACH_O, Format.PE, Format.ARCHIVE))
"""What is taken for native under any name; anything else counts only where a name promises a native file."""

_NODE_SYMBOLS = ("napi_", "node_api_", "node_module_register", "_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node")
"""Beginnings of names that only node itself defines: Node-API, and C++ of the namespaces v8 and node."""


def scan(tree: Tree, observer: Observer = SILENT, memory: Memory = FORGETFUL) -> Inventory:
    """Return the native files of a tree, and those whose name promises one but whose content is something else."""
    files = [each for each in tree.entries.values() if each.kind is Kind.FILE and _worth_opening(each)]
    found, unknown = _recalled(files, memory)
    with observer.task("Reading every native file", sum(each.size for each in unknown), "B") as advance:
        found += _gathered(_Reader(tree, memory), unknown, advance) if unknown else []
    return Inventory(_with_definitions(tree, sorted(found, key=_in_byte_order), memory))


def _worth_opening(entry: Entry) -> bool:
    return entry.size >= SMALLEST_BYTES or promises_native(entry.path)


def _in_byte_order(binary: Binary) -> bytes:
    return binary.path.encode("utf-8", "surrogateescape")


def _recalled(files: Iterable[Entry], memory: Memory) -> tuple[list[Binary], list[Entry]]:
    """Return the binaries that need not be read again, and the files that must."""
    found: list[Binary] = []
    unknown: list[Entry] = []
    for entry in files:
        digest = memory.digest(entry)
        if digest == NOT_NATIVE:
            continue
        content = memory.content(digest) if digest else None
        if content is None:
            unknown.append(entry)
        else:
            found.append(_binary(entry, content))
    return found, unknown


def _gathered(reader: "_Reader", files: Iterable[Entry], advance: Advance) -> list[Binary]:
    """Read files on several threads: reading, inflating and hashing release the GIL. The largest come first."""
    queue = deque(sorted(files, key=lambda each: each.size, reverse=True))
    count = min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(count) as threads:
        try:
            working = [threads.submit(reader.work, queue, advance) for _ in range(count)]
            return [binary for each in working for binary in each.result()]
        finally:
            queue.clear()  # after a failure or Ctrl-C the other threads stop at their next file


@dataclass(frozen=True, slots=True)
class _Reader:
    tree: Tree
    memory: Memory

    def work(self, queue: deque[Entry], advance: Advance) -> list[Binary]:
        """Read from a queue that other threads read from, too, until it is empty."""
        found: list[Binary] = []
        while True:
            try:
                entry = queue.popleft()
            except IndexError:
                return found
            content = self._content(entry)
            self.memory.keep(entry, content)
            if content is not None:
                found.append(_binary(entry, content))
            advance(entry.size)

    def _content(self, entry: Entry) -> Content | None:
        promised = promises_native(entry.path)
        with self.tree.view(entry.path) as data:
            if not promised and not may_be_native(bytes(data[:HEAD_BYTES])):
                return None
            digest = sha256(data).hexdigest()
            content = self.memory.content(digest) or recognise(data, digest)
        return content if promised or content.format in _NATIVE else None


def recognise(data: memoryview, digest: str) -> Content:
    """Return what the bytes of a file say; `digest` is their SHA-256 in hex."""
    start = bytes(data[:TEXT_BYTES])
    if start.startswith(MAGIC) and len(data) < HEADER_BYTES:
        return Content(digest, len(data), Format.ELF)  # cut so short that it holds no facts
    if start.startswith(MAGIC):
        facts = elf.read(data)
        return Content(digest, len(data), Format.ELF, (machine_name(facts.machine),), facts)
    for form, read in ((Format.MACH_O, read_mach_o), (Format.PE, read_pe)):
        foreign = read(data)
        if foreign is not None:
            return Content(digest, len(data), form, foreign.machines, role=foreign.role)
    if is_archive(start):
        return Content(digest, len(data), Format.ARCHIVE)
    return Content(digest, len(data), mistaken_for_native(start, len(data)), first_bytes=printable(start))


def _binary(entry: Entry, content: Content) -> Binary:
    return Binary(
        path=entry.path,
        size=content.size,
        mode=entry.mode,
        sha256=content.sha256,
        format=content.format,
        role=_role(entry, content),
        machines=content.machines,
        elf=content.elf,
        first_bytes=content.first_bytes,
    )


def _role(entry: Entry, content: Content) -> Role:
    if promises_addon(entry.path):
        return Role.ADDON
    facts = content.elf
    if facts is not None and _is_program(facts):
        return Role.EXECUTABLE
    if facts is not None and (facts.registration.kind is not RegistrationKind.NONE or _uses_node(facts)):
        return Role.ADDON
    if promises_native(entry.path) or (facts is not None and facts.type == ET_DYN):
        return Role.LIBRARY
    return content.role


def _is_program(facts: Elf) -> bool:
    # libc.so.6 can be run too: it has an interpreter, but also a SONAME.
    runs = "pie" in facts.flags or (facts.interpreter is not None and facts.soname is None)
    return facts.type == ET_EXEC or (facts.type == ET_DYN and runs)


def _uses_node(facts: Elf) -> bool:
    return any(each.name.startswith(_NODE_SYMBOLS) for each in facts.undefined)


def _with_definitions(tree: Tree, binaries: Iterable[Binary], memory: Memory) -> tuple[Binary, ...]:
    """Fill in what the libraries that others need define of the names that others leave undefined."""
    known = tuple(binaries)
    facts = [each.elf for each in known if each.elf is not None]
    wanted = tuple(sorted({symbol.name for each in facts for symbol in each.undefined}))
    needed = _needed_names(tree, facts)
    return tuple(_defining(tree, each, wanted, memory) if _names(each) & needed else each for each in known)


def _defining(tree: Tree, binary: Binary, wanted: tuple[str, ...], memory: Memory) -> Binary:
    if binary.elf is None:
        return binary
    defines = memory.definitions(binary.sha256, wanted)
    if defines is None:
        with tree.view(binary.path) as data:
            defines = elf.definitions(data, wanted)
        memory.keep_definitions(binary.sha256, wanted, defines)
    return replace(binary, elf=replace(binary.elf, defines=defines))


def _names(binary: Binary) -> set[str]:
    """Return the names by which others can need a binary: its file's, and its SONAME."""
    soname = binary.elf.soname if binary.elf is not None else None
    return {PurePosixPath(binary.path).name, *([soname] if soname else [])}


def _needed_names(tree: Tree, facts: Iterable[Elf]) -> set[str]:
    """Return the file names that DT_NEEDED asks for, and those that symlinks of the tree make of them."""
    links: defaultdict[str, set[str]] = defaultdict(set)
    for each in tree.entries.values():
        if each.kind is Kind.SYMLINK:
            links[PurePosixPath(each.path).name].add(PurePosixPath(each.target).name)
    names = {PurePosixPath(name).name for each in facts for name in each.needed}
    while more := {target for name in names for target in links.get(name, ())} - names:
        names |= more
    return names
