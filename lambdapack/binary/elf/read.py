"""Reads one ELF file into its facts. Never raises on any bytes, and bounds its work by the file's size."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lambdapack.binary.budget import StepBudget
from lambdapack.binary.elf.definitions import (
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    EM_X86_64,
    PF_X,
    PT_GNU_STACK,
    PT_TLS,
    RELOCATION_TYPES,
    machine_name,
)
from lambdapack.binary.elf.dynamic import DynamicSection, SymbolTable, read_dynamic, read_isa_needed, read_versions
from lambdapack.binary.elf.image import (
    ELF_HEADER_BYTES,
    Damage,
    ElfHeader,
    MappedImage,
    Segment,
    count_missing,
    load_damage,
    read_header,
    read_interpreter,
    read_interpreter_32,
    read_segments,
)
from lambdapack.binary.elf.symbols import DefinedSymbols, read_bindings, read_undefined_symbols, relocation_encodings
from lambdapack.binary.facts import CUT_HEADERS_DAMAGE, Content, Elf, Format, Symbol

REGISTRATION_NAME_PARTS = (b"register_module_v", b"_module_register", b"node_api_module_get_api_version_v")
"""Substrings of the symbol names that registration looks for; a string table with none of them is of no addon."""


def recognise_elf(data: memoryview, digest: str, budget: StepBudget | None = None) -> Content:
    """Return the content of a file that begins with ELF's magic; `digest` is the SHA-256 of its bytes in hex."""
    if len(data) < ELF_HEADER_BYTES:
        return Content(digest, len(data), Format.ELF)  # cut so short that it holds no facts
    elf = read_elf(data, budget)
    return Content(digest, len(data), Format.ELF, (machine_name(elf.machine),), elf)


def read_elf(data: memoryview, budget: StepBudget | None = None) -> Elf:
    """Return the facts of a file that begins with ELF's magic.

    Another class or byte order: the header's facts only. A broken file: what could be read, and `damage`.
    """
    header = read_header(data)
    elf = Elf(
        bits=header.bits,
        little_endian=header.little_endian,
        machine=header.machine,
        os_abi=header.os_abi,
        abi_version=header.abi_version,
        type=header.type,
        damage=header.damage,
    )
    if header.bits == 32 and header.little_endian:
        return replace(elf, interpreter=read_interpreter_32(data))
    return _ElfReader(data, header, elf, budget).read() if header.is_readable else elf


def read_exports(data: memoryview) -> Iterator[tuple[str, str | None]]:
    """Yield name and version of each symbol that a 64-bit little-endian ELF file exports; stops at damage."""
    try:
        opened = _open_dynamic(data)
        if opened is not None:
            image, dynamic = opened
            table = SymbolTable(image, dynamic)
            yield from DefinedSymbols(image, dynamic, table, read_versions(image, dynamic)).list_all()
    except Damage:
        return


def find_definitions(data: memoryview, names: Iterable[str], budget: StepBudget | None = None) -> tuple[Symbol, ...]:
    """Return the given names that a 64-bit little-endian ELF file exports; none of a damaged one."""
    try:
        opened = _open_dynamic(data, budget)
        if opened is None:
            return ()
        image, dynamic = opened
        table = SymbolTable(image, dynamic)
        return DefinedSymbols(image, dynamic, table, read_versions(image, dynamic)).select(names)
    except Damage:
        return ()


def _open_dynamic(data: memoryview, budget: StepBudget | None = None) -> tuple[MappedImage, DynamicSection] | None:
    header = read_header(data)
    if not header.is_readable:
        return None
    segments = read_segments(data, header)
    image = MappedImage(data, segments, budget)
    dynamic = read_dynamic(image, segments)
    return (image, dynamic) if dynamic is not None else None


class _ElfReader:
    """Reads facts in the loader's order and keeps those read before damage."""

    def __init__(self, data: memoryview, header: ElfHeader, elf: Elf, budget: StepBudget | None) -> None:
        self._data = data
        self._header = header
        self._elf = elf
        self._budget = budget

    def read(self) -> Elf:
        self._read_missing_bytes(())
        try:
            segments = read_segments(self._data, self._header)
            self._read_missing_bytes(segments)
            image = MappedImage(self._data, segments, self._budget)
            self._read_segments(image, segments)
            dynamic = read_dynamic(image, segments)
            if dynamic is not None:
                self._read_dynamic(image, dynamic)
        except Damage as damage:
            cut = bool(self._elf.missing_bytes) and str(damage) != CUT_HEADERS_DAMAGE  # the loader dies without a word
            self._elf = replace(self._elf, damage=self._elf.damage or ("" if cut else str(damage)))
        return self._elf

    def _read_missing_bytes(self, segments: tuple[Segment, ...]) -> None:
        lacking, pages = count_missing(self._header, segments, len(self._data))
        self._elf = replace(self._elf, missing_bytes=lacking, missing_pages=pages)

    def _read_segments(self, image: MappedImage, segments: tuple[Segment, ...]) -> None:
        stack = next((segment.flags for segment in segments if segment.kind == PT_GNU_STACK), None)
        self._elf = replace(
            self._elf,
            interpreter=read_interpreter(self._data, segments),
            tls_bytes=next((segment.memory_bytes for segment in segments if segment.kind == PT_TLS), 0),
            # Without PT_GNU_STACK x86 gets an executable stack, AArch64 does not (glibc stackinfo.h).
            executable_stack=bool(stack & PF_X) if stack is not None else self._header.machine == EM_X86_64,
            damage=self._elf.damage or self._find_load_damage(segments),
        )
        self._elf = replace(self._elf, isa_needed=read_isa_needed(image, segments))

    def _find_load_damage(self, segments: tuple[Segment, ...]) -> str:
        """Return the loader's error about the segments; none for a truncated file, whose missing bytes say enough."""
        return "" if self._elf.missing_bytes else load_damage(self._header, segments)

    def _read_dynamic(self, image: MappedImage, dynamic: DynamicSection) -> None:
        self._elf = replace(
            self._elf,
            dynamic=True,
            soname=dynamic.text(DT_SONAME),
            needed=dynamic.needed,
            rpath=dynamic.paths(DT_RPATH),
            runpath=dynamic.paths(DT_RUNPATH),
            flags=dynamic.flags,
            relocations=relocation_encodings(dynamic),
        )
        versions = read_versions(image, dynamic)
        self._elf = replace(self._elf, version_needs=versions.needs, version_definitions=versions.definitions)
        if self._header.machine not in RELOCATION_TYPES:
            return
        table = SymbolTable(image, dynamic)
        bindings = read_bindings(image, dynamic, RELOCATION_TYPES[self._header.machine])
        symbols = read_undefined_symbols(dynamic, table, versions, bindings)
        # GNU ld for AArch64 does not set DF_STATIC_TLS; the relocation is there all the same.
        static = {"static-tls"} if self._elf.tls_bytes and bindings.thread_offsets else set()
        self._elf = replace(self._elf, undefined=symbols, flags=self._elf.flags | static)
        if not any(part in dynamic.strings.raw for part in REGISTRATION_NAME_PARTS):
            return
        from lambdapack.binary.registration.registration import AddonImage, read_registration  # noqa: PLC0415

        definitions = DefinedSymbols(image, dynamic, table, versions)
        imports = frozenset(symbol.name for symbol in symbols)
        addon = AddonImage(image, dynamic, self._header.machine, table, definitions, imports)
        self._elf = replace(self._elf, registration=read_registration(addon))
