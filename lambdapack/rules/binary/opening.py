"""Whether ld.so opens a file, in the order of its own checks. Never follows a needed library."""

from collections.abc import Callable

from lambdapack.binary.facts import CUT_HEADERS_DAMAGE, ET_DYN, ET_EXEC, Binary, Elf, Format
from lambdapack.model import Architecture
from lambdapack.rules.binary.loader_records import BAD_ELF, EXECUTABLE, NOT_ELF, TRUNCATED, WRONG_CLASS, WRONG_CPU
from lambdapack.rules.model.report import Defect

FORMAT_SYSTEMS = {
    Format.MACH_O: "macOS",
    Format.PE: "Windows",
}

FORMAT_DESCRIPTIONS = {
    Format.WASM: "a WebAssembly module",
    Format.ARCHIVE: "a static library",
    Format.GZIP: "a gzip archive",
    Format.ZIP: "a zip archive",
    Format.LFS_POINTER: "a git-lfs pointer, not the file itself",
    Format.HTML: "an HTML page, probably a failed download",
    Format.TEXT: "text",
}

ACCEPTED_OS_ABIS = frozenset({0, 3})
"""ELFOSABI_SYSV and ELFOSABI_GNU: what glibc's open_verify takes (elf/dl-load.c)."""

ELFOSABI_GNU = 3

MAX_GNU_ABI_VERSION = 3
"""The highest EI_ABIVERSION that glibc takes of an ELFOSABI_GNU file (sysdeps/gnu/ldsodefs.h)."""


def check_library(binary: Binary, architecture: Architecture) -> Defect | None:
    """Return why the loader of a target would not open a file as a library, None when it would."""
    if binary.elf is None:
        return _format_defect(binary)
    return next((found for check in _LIBRARY_CHECKS if (found := check(binary.elf, architecture))), None)


def check_program_format(binary: Binary, architecture: Architecture) -> Defect | None:
    """Return why a file cannot even be a program of this target: format, class or CPU."""
    if binary.elf is None:
        return _format_defect(binary)
    checks = (_check_class, _check_machine, _check_header)
    return next((found for check in checks if (found := check(binary.elf, architecture))), None)


def _format_defect(binary: Binary) -> Defect:
    if binary.format in {Format.EMPTY, Format.ELF}:
        return Defect(TRUNCATED, f"file too short: {binary.size} bytes", evidence=(("bytes", binary.size),))
    what = _describe_format(binary)
    evidence = (("format", binary.format.value), ("machines", list(binary.machines)))
    return Defect(NOT_ELF, f"invalid ELF header: it is {what}", evidence=evidence)


def _describe_format(binary: Binary) -> str:
    system = FORMAT_SYSTEMS.get(binary.format)
    if system:
        cpu = " and ".join(binary.machines) or "an unknown CPU"
        article = "a Mach-O" if binary.format is Format.MACH_O else "a PE"
        return f"{article} {cpu} binary, made for {system}"
    kind = FORMAT_DESCRIPTIONS.get(binary.format, "nothing known")
    return f"{kind} ({binary.first_bytes!r})" if binary.first_bytes else kind


def _check_class(elf: Elf, architecture: Architecture) -> Defect | None:  # noqa: ARG001  # one signature for all checks
    return None if elf.bits == 64 else Defect(WRONG_CLASS, "wrong ELF class: ELFCLASS32")


def _check_machine(elf: Elf, architecture: Architecture) -> Defect | None:
    if architecture.elf_machine in {elf.machine, _machine_as_read(elf)}:
        return None
    found = cpu_name(elf.machine)
    message = f"it is for {found}, the function runs on {architecture}"
    return Defect(WRONG_CPU, message, evidence=(("machine", found), ("wanted", architecture.aws)))


def _machine_as_read(elf: Elf) -> int:
    """What the loader sees in a file of the other byte order: it compares before it looks at the order."""
    return elf.machine if elf.little_endian else int.from_bytes(elf.machine.to_bytes(2, "big"), "little")


def cpu_name(machine: int) -> str:
    """Return the name of an e_machine value."""
    known = Architecture.of_machine(machine)
    return known.aws if known else _CPU_NAMES.get(machine, f"e_machine {machine}")


_CPU_NAMES = {3: "ia32", 21: "ppc64", 22: "s390x", 40: "arm (32 bit)", 243: "riscv64", 258: "loong64"}


def _check_header(elf: Elf, architecture: Architecture) -> Defect | None:  # noqa: ARG001
    if not elf.little_endian:
        return Defect(BAD_ELF, "ELF file data encoding not little-endian")
    if elf.os_abi not in ACCEPTED_OS_ABIS:
        return Defect(BAD_ELF, "ELF file OS ABI invalid", evidence=(("os_abi", elf.os_abi),))
    if elf.abi_version > (MAX_GNU_ABI_VERSION if elf.os_abi == ELFOSABI_GNU else 0):
        return Defect(BAD_ELF, "ELF file ABI version invalid", evidence=(("abi_version", elf.abi_version),))
    if elf.type not in {ET_EXEC, ET_DYN}:
        return Defect(BAD_ELF, "only ET_DYN and ET_EXEC can be loaded", evidence=(("type", elf.type),))
    if elf.damage and elf.damage != CUT_HEADERS_DAMAGE:
        return Defect(BAD_ELF, elf.damage)
    if elf.missing_bytes:
        said = f"{elf.damage}: " if elf.damage else ""
        message = f"{said}{elf.missing_bytes} bytes are missing at its end"
        return Defect(TRUNCATED, message, evidence=(("missing_bytes", elf.missing_bytes),))
    return None


def _check_shared_object(elf: Elf, architecture: Architecture) -> Defect | None:  # noqa: ARG001
    if elf.type == ET_EXEC:
        return Defect(EXECUTABLE, "cannot dynamically load executable")
    if "pie" in elf.flags:
        return Defect(EXECUTABLE, "cannot dynamically load position-independent executable")
    if not elf.dynamic:
        return Defect(BAD_ELF, "object file has no dynamic section")
    if "noopen" in elf.flags:
        return Defect(BAD_ELF, "shared object cannot be dlopen()ed")
    return None


_LIBRARY_CHECKS: tuple[Callable[[Elf, Architecture], Defect | None], ...] = (
    _check_class,
    _check_machine,
    _check_header,
    _check_shared_object,
)
