"""Compiler flags of the install that ask for a CPU above Lambda's. Never reads instructions."""

from dataclasses import replace

from lambdapack.binary.facts import BinaryRole, Format
from lambdapack.model import Architecture, Finding, Severity
from lambdapack.rules.binary.linking_records import CPU_LEVEL
from lambdapack.rules.model.package import CpuFlag, PackageFacts
from lambdapack.rules.model.report import Judgement, Outcome
from lambdapack.runtimes.cpu import CPU_FLOORS
from lambdapack.runtimes.runtime import Runtime

NATIVE_CPU_VALUE = "native"


def apply_cpu_flags(judgement: Judgement, facts: PackageFacts, runtime: Runtime) -> Judgement:
    """Return a judgement with the flag that asks for more than Lambda's CPU, and as it is where there is none.

    The outcome becomes unknown, except where only some sources were compiled so: those may well ask the CPU first.
    """
    if not _may_be_compiled_here(judgement, facts):
        return judgement
    found = [
        cpu_flag
        for cpu_flag in facts.cpu_flags
        if cpu_flag.package == judgement.package and _is_above_baseline(cpu_flag, runtime)
    ]
    if not found:
        return judgement
    worst = min(found, key=lambda cpu_flag: (not _is_native_flag(cpu_flag), not cpu_flag.everywhere))
    certain = _is_native_flag(worst) or worst.everywhere
    outcome = Outcome.UNKNOWN if certain else Outcome.LOADS
    finding = Finding(
        rule=CPU_LEVEL,
        path=judgement.binary.path,
        message=_flag_message(worst, certain=certain),
        package=judgement.package,
        fix=cpu_flag_fix(runtime.target.architecture, worst.flag),
        severity=Severity.WARNING if certain else Severity.NOTE,
        evidence=(("cause", CPU_LEVEL.name), ("outcome", outcome.value), ("flag", worst.flag)),
    )
    return replace(judgement, outcome=outcome, cause=CPU_LEVEL.name if certain else None, finding=finding)


def _may_be_compiled_here(judgement: Judgement, facts: PackageFacts) -> bool:
    binary = judgement.binary
    if judgement.outcome is not Outcome.LOADS or judgement.finding or not judgement.selected:
        return False
    if binary.format is not Format.ELF or binary.role not in {
        BinaryRole.ADDON,
        BinaryRole.EXECUTABLE,
        BinaryRole.LIBRARY,
    }:
        return False
    return binary.path not in facts.own_files and "/prebuilds/" not in f"/{binary.path}"


def _is_native_flag(compiled: CpuFlag) -> bool:
    return compiled.flag.endswith(f"={NATIVE_CPU_VALUE}")


def _is_above_baseline(compiled: CpuFlag, runtime: Runtime) -> bool:
    architecture, (option, _, value) = runtime.target.architecture, compiled.flag.partition("=")
    if option == "-mcpu" and architecture is Architecture.X86_64:
        return False  # a deprecated word for -mtune there (GCC manual, "x86 Options")
    floor, (name, *extensions) = CPU_FLOORS[architecture], value.split("+")
    if not value or name not in floor.names:
        return True
    return any(extension not in floor.extensions and not extension.startswith("no") for extension in extensions)


def _flag_message(compiled: CpuFlag, *, certain: bool) -> str:
    if _is_native_flag(compiled):
        return f"compiled with {compiled.flag}: it runs on the CPU that built it, and may die with SIGILL on Lambda's"
    if certain:
        return f"compiled with {compiled.flag}, more than Lambda's CPUs are promised to have: it may die with SIGILL"
    return f"some of it is compiled with {compiled.flag}: it dies with SIGILL on Lambda unless it asks the CPU first"


def cpu_flag_fix(architecture: Architecture, flag: str) -> str:
    """Return the command that ends it: node-gyp takes the variables after a package's own flags, others may not."""
    if not flag.startswith("-m"):
        return "Remove target-cpu from RUSTFLAGS or .cargo/config.toml of the package, then build again."
    baseline = f"-march={CPU_FLOORS[architecture].march}"
    off = f" {flag.replace('-m', '-mno-', 1)}" if "=" not in flag else ""
    flags = f"{baseline}{off}"
    value = f"'{flags}'" if off else flags
    return f"Run `CFLAGS={value} CXXFLAGS={value} lambdapack build --arch {architecture}`."
