"""Finds every native file of a tree and reads its facts, or takes them from a cache. Judges no file."""

import functools
import os
import posixpath
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Protocol

from lambdapack.binary.budget import StepBudget, refuse_many_files
from lambdapack.binary.facts import (
    ET_DYN,
    ET_EXEC,
    Binary,
    BinaryRole,
    Content,
    Elf,
    Format,
    Inventory,
    RegistrationKind,
    Symbol,
)
from lambdapack.binary.format import (
    ELF_MAGIC,
    MAGIC_HEAD_BYTES,
    MIN_NATIVE_BYTES,
    TEXT_SAMPLE_BYTES,
    classify_non_native,
    has_addon_name,
    has_native_name,
    is_static_library,
    may_be_native,
    printable_start,
    read_mach_o,
    read_pe,
)
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.tree.entry import Entry, EntryKind, Tree

NOT_NATIVE_DIGEST = ""
"""Stands in for the digest of a file that is known not to be native."""


class ContentCache(Protocol):
    """A cache of file contents by digest. Methods are called from several threads."""

    def find_digest(self, entry: Entry) -> str | None:
        """Return the SHA-256 (hex) of an unchanged file, NOT_NATIVE_DIGEST, or None when the file has to be read."""
        ...

    def find_content(self, sha256: str) -> Content | None:
        """Return the content with this digest, None when it is unknown."""
        ...

    def store_content(self, entry: Entry, content: Content | None) -> None:
        """Store the content of a file that was just read; None: it is not native."""
        ...

    def find_definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:
        """Return which of these names the file with this digest defines, None when that is unknown."""
        ...

    def store_definitions(self, sha256: str, names: tuple[str, ...], symbols: tuple[Symbol, ...]) -> None:
        """Store which of these names the file with this digest defines."""
        ...


class _NoContentCache:
    def find_digest(self, entry: Entry) -> str | None:  # noqa: ARG002
        return None

    def find_content(self, sha256: str) -> Content | None:  # noqa: ARG002
        return None

    def store_content(self, entry: Entry, content: Content | None) -> None:
        pass

    def find_definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:  # noqa: ARG002
        return None

    def store_definitions(self, sha256: str, names: tuple[str, ...], symbols: tuple[Symbol, ...]) -> None:
        pass


NO_CONTENT_CACHE: ContentCache = _NoContentCache()
"""An empty cache: every file is read."""


_MAX_THREADS = 8
APPLE_DOUBLE_PREFIX = "._"
"""Begins the name of an AppleDouble file, which archives made on a Mac have (RFC 1740)."""
_NATIVE_FORMATS = frozenset((Format.ELF, Format.MACH_O, Format.PE, Format.ARCHIVE))
"""Formats that are native under any file name; other formats count only under the name of a native file."""

_NODE_SYMBOL_PREFIXES = ("napi_", "node_api_", "node_module_register", "_ZN2v8", "_ZNK2v8", "_ZN4node", "_ZNK4node")
"""Beginnings of names that only node itself defines: Node-API, and C++ of the namespaces v8 and node."""


def scan_binaries(tree: Tree, observer: Observer = SILENT, cache: ContentCache = NO_CONTENT_CACHE) -> Inventory:
    """Return the native files of a tree, including files named like one (.node, .so) with other contents."""
    files = [entry for entry in tree.entries.values() if entry.kind is EntryKind.FILE and _is_worth_opening(entry)]
    named = sum(1 for entry in files if has_native_name(entry.path))
    if named:
        refuse_many_files(named)
    binaries, unknown = _look_up_files(files, cache)
    budget = functools.cache(StepBudget)  # made for the first file that is native
    with observer.task("Reading every native file", sum(entry.size for entry in unknown), "B") as advance:
        binaries += _read_files(_FileReader(tree, cache, budget), unknown, advance) if unknown else []
    return Inventory(_add_definitions(tree, sorted(binaries, key=_path_bytes), cache, budget))


def _is_worth_opening(entry: Entry) -> bool:
    """MacOS keeps a file's attributes beside it under `._NAME`; nobody means that file."""
    if posixpath.basename(entry.path).startswith(APPLE_DOUBLE_PREFIX):
        return False
    return entry.size >= MIN_NATIVE_BYTES or has_native_name(entry.path)


def _path_bytes(binary: Binary) -> bytes:
    return binary.path.encode("utf-8", "surrogateescape")


def _look_up_files(files: Iterable[Entry], cache: ContentCache) -> tuple[list[Binary], list[Entry]]:
    """Return the binaries that the cache knows, and the files that have to be read."""
    binaries: list[Binary] = []
    unknown: list[Entry] = []
    for entry in files:
        digest = cache.find_digest(entry)
        if digest == NOT_NATIVE_DIGEST:
            continue
        content = cache.find_content(digest) if digest else None
        if content is None:
            unknown.append(entry)
        else:
            binaries.append(_make_binary(entry, content))
    return binaries, unknown


def _read_files(reader: "_FileReader", files: Iterable[Entry], advance: Advance) -> list[Binary]:
    """Read files on several threads: reading, inflating and hashing release the GIL. The largest come first."""
    queue = deque(sorted(files, key=lambda entry: entry.size, reverse=True))
    count = min(os.cpu_count() or 1, _MAX_THREADS)
    with ThreadPoolExecutor(count) as threads:
        try:
            working = [threads.submit(reader.read_queue, queue, advance) for _ in range(count)]
            return [binary for future in working for binary in future.result()]
        finally:
            queue.clear()  # after a failure or Ctrl-C the other threads stop at their next file


@dataclass(frozen=True, slots=True)
class _FileReader:
    tree: Tree
    cache: ContentCache
    budget: Callable[[], StepBudget]

    def read_queue(self, queue: deque[Entry], advance: Advance) -> list[Binary]:
        """Read files from a shared queue until it is empty."""
        binaries: list[Binary] = []
        while True:
            try:
                entry = queue.popleft()
            except IndexError:
                return binaries
            content = self._content(entry)
            self.cache.store_content(entry, content)
            if content is not None:
                binaries.append(_make_binary(entry, content))
            advance(entry.size)

    def _content(self, entry: Entry) -> Content | None:
        has_promising_name = has_native_name(entry.path)
        with self.tree.view(entry.path) as data:
            if not has_promising_name and not may_be_native(bytes(data[:MAGIC_HEAD_BYTES])):
                return None
            digest = sha256(data).hexdigest()
            content = self.cache.find_content(digest) or recognise_content(data, digest, self.budget())
        return content if has_promising_name or content.format in _NATIVE_FORMATS else None


def recognise_content(data: memoryview, digest: str, budget: StepBudget | None = None) -> Content:
    """Return the content of a file; `digest` is the SHA-256 of its bytes in hex."""
    start = bytes(data[:TEXT_SAMPLE_BYTES])
    if start.startswith(ELF_MAGIC):
        from lambdapack.binary.elf.read import recognise_elf  # noqa: PLC0415  # pyelftools: 40 ms, only for an ELF file

        return recognise_elf(data, digest, budget)
    for form, read in ((Format.MACH_O, read_mach_o), (Format.PE, read_pe)):
        foreign = read(data)
        if foreign is not None:
            return Content(digest, len(data), form, foreign.machines, role=foreign.role)
    if is_static_library(start):
        return Content(digest, len(data), Format.ARCHIVE)
    return Content(digest, len(data), classify_non_native(start, len(data)), first_bytes=printable_start(start))


def _make_binary(entry: Entry, content: Content) -> Binary:
    return Binary(
        path=entry.path,
        size=content.size,
        mode=entry.mode,
        sha256=content.sha256,
        format=content.format,
        role=_binary_role(entry, content),
        machines=content.machines,
        elf=content.elf,
        first_bytes=content.first_bytes,
    )


def _binary_role(entry: Entry, content: Content) -> BinaryRole:
    if has_addon_name(entry.path):
        return BinaryRole.ADDON
    facts = content.elf
    if facts is not None and _is_program(facts):
        return BinaryRole.EXECUTABLE
    if facts is not None and (facts.registration.kind is not RegistrationKind.NONE or _uses_node(facts)):
        return BinaryRole.ADDON
    if has_native_name(entry.path) or (facts is not None and facts.type == ET_DYN):
        return BinaryRole.LIBRARY
    return content.role


def _is_program(facts: Elf) -> bool:
    # libc.so.6 can be run too: it has an interpreter, but also a SONAME.
    runs = "pie" in facts.flags or (facts.interpreter is not None and facts.soname is None)
    return facts.type == ET_EXEC or (facts.type == ET_DYN and runs)


def _uses_node(facts: Elf) -> bool:
    return any(symbol.name.startswith(_NODE_SYMBOL_PREFIXES) for symbol in facts.undefined)


def _add_definitions(
    tree: Tree, binaries: Iterable[Binary], cache: ContentCache, budget: Callable[[], StepBudget]
) -> tuple[Binary, ...]:
    """Add to each needed library which of the undefined names of other binaries it defines."""
    all_binaries = tuple(binaries)
    facts = [binary.elf for binary in all_binaries if binary.elf is not None]
    undefined = tuple(sorted({symbol.name for elf in facts for symbol in elf.undefined}))
    needed = _needed_names(tree, facts)
    return tuple(
        _add_definitions_of(tree, binary, undefined, cache, budget) if _names_of_binary(binary) & needed else binary
        for binary in all_binaries
    )


def _add_definitions_of(
    tree: Tree, binary: Binary, names: tuple[str, ...], cache: ContentCache, budget: Callable[[], StepBudget]
) -> Binary:
    if binary.elf is None:
        return binary
    defines = cache.find_definitions(binary.sha256, names)
    if defines is None:
        from lambdapack.binary.elf.read import find_definitions  # noqa: PLC0415  # pyelftools: 40 ms, only when it is read

        with tree.view(binary.path) as data:
            defines = find_definitions(data, names, budget())
        cache.store_definitions(binary.sha256, names, defines)
    return replace(binary, elf=replace(binary.elf, defines=defines))


def _names_of_binary(binary: Binary) -> set[str]:
    """Return the names by which other binaries can need this one: its file name and its SONAME."""
    soname = binary.elf.soname if binary.elf is not None else None
    return {PurePosixPath(binary.path).name, *([soname] if soname else [])}


def _needed_names(tree: Tree, facts: Iterable[Elf]) -> set[str]:
    """Return the file names in DT_NEEDED, and the names that symlinks of the tree resolve them to."""
    links: defaultdict[str, set[str]] = defaultdict(set)
    for entry in tree.entries.values():
        if entry.kind is EntryKind.SYMLINK:
            links[PurePosixPath(entry.path).name].add(PurePosixPath(entry.target).name)
    names = {PurePosixPath(name).name for elf in facts for name in elf.needed}
    while linked := {target for name in names for target in links.get(name, ())} - names:
        names |= linked
    return names
