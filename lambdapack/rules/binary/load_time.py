"""What the loader checks while it maps a file: relocations, static TLS, CPU level, executable stack."""

from collections.abc import Mapping

from lambdapack.binary.facts import Elf
from lambdapack.model import Severity
from lambdapack.rules.binary.linking_records import CPU_LEVEL, EXECUTABLE_STACK, RELOCATIONS, STATIC_TLS
from lambdapack.rules.binary.loader import Process
from lambdapack.rules.binary.loader_records import BAD_ELF
from lambdapack.rules.model.report import Defect, Outcome
from lambdapack.runtimes.cpu import PARTLY_PROMISED_LEVELS, UNPROMISED_LEVELS
from lambdapack.runtimes.runtime import Library
from lambdapack.runtimes.versions import VersionAvailability, version_availability

RELR_VERSION_NODE = "GLIBC_ABI_DT_RELR"
"""The version node of a glibc that applies DT_RELR: 2.36 and later."""

STACK_REFUSAL_VERSION_NODE = "GLIBC_2.41"
"""The version node of the first glibc whose dlopen() does not make the stack executable (its NEWS, 2025-01)."""

STATIC_TLS_SURPLUS = 1664
"""Bytes that glibc keeps free for libraries with initial-exec TLS (TLS_STATIC_SURPLUS).

Measured with glibc 2.31 and 2.36 and Node.js 18 to 24: 1664 loads, 1728 does not.
"""

TLS_ALIGNMENT = 64

CPU_LEVEL_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(PARTLY_PROMISED_LEVELS, Severity.WARNING),
    **dict.fromkeys(UNPROMISED_LEVELS, Severity.ERROR),
}


def check_relocations(process: Process) -> Defect | None:
    """Return the first file whose packed relocations glibc would leave as they are."""
    for loaded, elf in process.files:
        if "android" in elf.relocations:
            message = f"has Android packed relocations, which glibc does not apply{process.other_files(loaded)}"
            return Defect(RELOCATIONS, message)
        if "relr" not in elf.relocations:
            continue
        if not _libc_defines(process, RELR_VERSION_NODE):
            message = f"has DT_RELR relocations, which glibc applies from 2.36 on{process.other_files(loaded)}"
            return Defect(RELOCATIONS, message)
        if _lacks_relr_need(elf):
            return Defect(RELOCATIONS, f"DT_RELR without {RELR_VERSION_NODE} dependency{process.other_files(loaded)}")
    return None


def _lacks_relr_need(elf: Elf) -> bool:
    """Whoever asks for versions of libc has to ask for this one too (glibc elf/dl-version.c)."""
    of_libc = [version_need.version for version_need in elf.version_needs if version_need.file.startswith("libc.so.")]
    return bool(of_libc) and RELR_VERSION_NODE not in of_libc


def _libc_defines(process: Process, version: str) -> bool:
    libc = process.runtime.libraries.get("libc.so.6", Library("libc.so.6", ""))
    return version_availability(process.runtime, libc, version) is VersionAvailability.YES


def check_executable_stack(process: Process) -> Defect | None:
    """Return the first file that wants an executable stack: a refusal, or with an older glibc a warning."""
    wanting = next((loaded for loaded, elf in process.files if elf.executable_stack), None)
    if wanting is None:
        return None
    by = process.other_files(wanting)
    if _libc_defines(process, STACK_REFUSAL_VERSION_NODE):
        message = f"cannot enable executable stack as shared object requires{by}"
        return Defect(EXECUTABLE_STACK, message, BAD_ELF.name, severity=Severity.ERROR)
    message = f"asks for an executable stack, which glibc refuses from 2.41 on{by}"
    return Defect(EXECUTABLE_STACK, message, outcome=Outcome.LOADS)


def check_static_tls(process: Process) -> Defect | None:
    """Return the sum of the new objects' static TLS when it does not fit."""
    wanted = [elf.tls_bytes for _, elf in process.files if "static-tls" in elf.flags]
    total = sum(-(-number // TLS_ALIGNMENT) * TLS_ALIGNMENT for number in wanted)
    if total <= STATIC_TLS_SURPLUS:
        return None
    message = f"cannot allocate memory in static TLS block: it needs {total} bytes, {STATIC_TLS_SURPLUS} are left"
    return Defect(STATIC_TLS, message, evidence=(("bytes", total), ("left", STATIC_TLS_SURPLUS)))


def check_cpu_level(process: Process) -> Defect | None:
    """Return the first file that declares a CPU level above what Lambda has."""
    for loaded, elf in process.files:
        severity = CPU_LEVEL_SEVERITIES.get(elf.isa_needed or "")
        if severity is None:
            continue
        message = f"CPU ISA level is lower than required: it needs {elf.isa_needed}{process.other_files(loaded)}"
        outcome = Outcome.FAILS if severity is Severity.ERROR else Outcome.UNKNOWN
        return Defect(CPU_LEVEL, message, "", outcome, severity, evidence=(("needs", elf.isa_needed),))
    return None
