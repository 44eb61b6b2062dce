"""Finds every native file of a tree and gathers its facts. Judges none, and reads only the head of all others."""

import os
from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

from lambdapack.binary import elf
from lambdapack.binary.definitions import ET_DYN, ET_EXEC, machine_name
from lambdapack.binary.facts import Binary, Elf, Format, Inventory, RegistrationKind, Role
from lambdapack.binary.foreign import Foreign, read_mach_o, read_pe
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
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.tree.entry import Entry, Kind, Tree

_MOST_THREADS = 8
_NODE_SYMBOLS = ("napi_", "node_api_", "node_module_register", "_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node")
"""Beginnings of names that only node itself defines: Node-API, and C++ of the namespaces v8 and node."""


def scan(tree: Tree, observer: Observer = SILENT) -> Inventory:
    """Return the native files of a tree, and those whose name promises one but whose content is something else."""
    files = [each for each in tree.entries.values() if each.kind is Kind.FILE and _worth_opening(each)]
    # Reading, inflating and hashing release the GIL: threads share one queue, the largest files first.
    queue = deque(sorted(files, key=lambda each: each.size, reverse=True))
    count = min(os.cpu_count() or 1, _MOST_THREADS)
    with (
        observer.task("Reading every native file", sum(each.size for each in files), "B") as advance,
        ThreadPoolExecutor(count) as threads,
    ):
        try:
            working = [threads.submit(_work, tree, queue, advance) for _ in range(count)]
            found = [binary for each in working for binary in each.result()]
        finally:
            queue.clear()  # after a failure or Ctrl-C the other threads stop at their next file
    return Inventory(_with_definitions(tree, sorted(found, key=_in_byte_order)))


def _worth_opening(entry: Entry) -> bool:
    return entry.size >= SMALLEST_BYTES or promises_native(entry.path)


def _in_byte_order(binary: Binary) -> bytes:
    return binary.path.encode("utf-8", "surrogateescape")


def _work(tree: Tree, queue: deque[Entry], advance: Advance) -> list[Binary]:
    found: list[Binary] = []
    while True:
        try:
            entry = queue.popleft()
        except IndexError:
            return found
        binary = _read(tree, entry)
        if binary is not None:
            found.append(binary)
        advance(entry.size)


def _read(tree: Tree, entry: Entry) -> Binary | None:
    with tree.view(entry.path) as data:
        if may_be_native(bytes(data[:HEAD_BYTES])) or promises_native(entry.path):
            return _recognise(entry, data)
    return None


def _recognise(entry: Entry, data: memoryview) -> Binary | None:
    start = bytes(data[:TEXT_BYTES])
    if start.startswith(MAGIC) and len(data) < HEADER_BYTES:
        return _binary(entry, data, Format.ELF, _promised_role(entry))  # cut so short that it holds no facts
    if start.startswith(MAGIC):
        facts = elf.read(data)
        return _binary(entry, data, Format.ELF, _role(entry, facts), (machine_name(facts.machine),), facts)
    for form, read in ((Format.MACH_O, read_mach_o), (Format.PE, read_pe)):
        foreign = read(data)
        if foreign is not None:
            return _binary(entry, data, form, _foreign_role(entry, foreign), foreign.machines)
    if is_archive(start):
        return _binary(entry, data, Format.ARCHIVE, _promised_role(entry))
    if not promises_native(entry.path):
        return None
    mistaken = _binary(entry, data, mistaken_for_native(start, len(data)), _promised_role(entry))
    return replace(mistaken, first_bytes=printable(start))


def _binary(
    entry: Entry,
    data: memoryview,
    form: Format,
    role: Role,
    machines: tuple[str, ...] = (),
    facts: Elf | None = None,
) -> Binary:
    digest = sha256(data).hexdigest()
    return Binary(entry.path, len(data), entry.mode, digest, form, role, machines, facts)


def _role(entry: Entry, facts: Elf) -> Role:
    if promises_addon(entry.path):
        return Role.ADDON
    if _is_program(facts):
        return Role.EXECUTABLE
    if facts.registration.kind is not RegistrationKind.NONE or _uses_node(facts):
        return Role.ADDON
    return Role.LIBRARY if facts.type == ET_DYN else _promised_role(entry)


def _is_program(facts: Elf) -> bool:
    # libc.so.6 can be run too: it has an interpreter, but also a SONAME.
    runs = "pie" in facts.flags or (facts.interpreter is not None and facts.soname is None)
    return facts.type == ET_EXEC or (facts.type == ET_DYN and runs)


def _uses_node(facts: Elf) -> bool:
    return any(each.name.startswith(_NODE_SYMBOLS) for each in facts.undefined)


def _foreign_role(entry: Entry, foreign: Foreign) -> Role:
    promised = _promised_role(entry)
    return promised if promised is not Role.UNKNOWN else foreign.role


def _promised_role(entry: Entry) -> Role:
    if promises_addon(entry.path):
        return Role.ADDON
    return Role.LIBRARY if promises_native(entry.path) else Role.UNKNOWN


def _with_definitions(tree: Tree, binaries: Iterable[Binary]) -> tuple[Binary, ...]:
    """Fill in what the libraries that others need define of the names that others leave undefined."""
    known = tuple(binaries)
    facts = [each.elf for each in known if each.elf is not None]
    wanted = tuple(sorted({symbol.name for each in facts for symbol in each.undefined}))
    needed = _needed_names(tree, facts)
    return tuple(_defining(tree, each, wanted) if _names(each) & needed else each for each in known)


def _defining(tree: Tree, binary: Binary, wanted: Iterable[str]) -> Binary:
    if binary.elf is None:
        return binary
    with tree.view(binary.path) as data:
        return replace(binary, elf=replace(binary.elf, defines=elf.definitions(data, wanted)))


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
