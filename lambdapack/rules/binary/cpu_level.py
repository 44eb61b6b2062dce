"""Compiler flags of the install that ask for a CPU above Lambda's. Never reads instructions."""

from collections.abc import Mapping
from dataclasses import replace

from lambdapack.binary.facts import BinaryRole, Format
from lambdapack.model import Architecture, Finding, Severity
from lambdapack.rules.binary.records import CPU_LEVEL
from lambdapack.rules.model.package import CpuFlag, PackageFacts
from lambdapack.rules.model.report import Judgement, Outcome
from lambdapack.runtimes.runtime import Runtime

BASELINE_CPU_FLAGS = {Architecture.X86_64: "-march=x86-64-v2", Architecture.ARM64: "-march=armv8.2-a"}
"""What every CPU of Lambda has: AVX2 on x86_64 is above it, Graviton2 (Neoverse N1) is it (AWS developer guide,
"Selecting and configuring an instruction set architecture", read 2026-11)."""

_X86_64_CPU_NAMES = """
x86-64 x86-64-v2 k8 opteron athlon64 athlon-fx k8-sse3 opteron-sse3 athlon64-sse3 nocona core2 bonnell atom
nehalem corei7 westmere silvermont slm sandybridge corei7-avx ivybridge core-avx-i
"""
_ARM64_CPU_NAMES = """
armv8-a armv8.1-a armv8.2-a generic cortex-a34 cortex-a35 cortex-a53 cortex-a57 cortex-a72 cortex-a73
cortex-a55 cortex-a75 cortex-a76 cortex-a76ae cortex-a77 neoverse-n1 ares neoverse-e1
"""
BASELINE_CPU_NAMES: Mapping[Architecture, frozenset[str]] = {
    Architecture.X86_64: frozenset(_X86_64_CPU_NAMES.split()),
    Architecture.ARM64: frozenset(_ARM64_CPU_NAMES.split()),
}
"""Names for -march and -mcpu (GCC 14 manual, "x86 Options", "AArch64 Options") that ask for no more than AVX2 or a
Neoverse N1 has. A name that isn't here is above, or unknown to us."""

_N1_EXTENSIONS = "fp simd crc lse rdma crypto aes sha2 fp16 rcpc dotprod ssbs profile"
BASELINE_CPU_EXTENSIONS = frozenset(_N1_EXTENSIONS.split())
"""What may follow such a name with a plus: the Neoverse N1 has it (GCC's aarch64-cores.def). "+noX" takes away."""

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
    name, *extensions = value.split("+")
    if not value or name not in BASELINE_CPU_NAMES[architecture]:
        return True
    return any(extension not in BASELINE_CPU_EXTENSIONS and not extension.startswith("no") for extension in extensions)


def _flag_message(compiled: CpuFlag, *, certain: bool) -> str:
    if _is_native_flag(compiled):
        return f"compiled with {compiled.flag}: it runs on the CPU that built it, and may die with SIGILL on Lambda's"
    if certain:
        return f"compiled with {compiled.flag}, more than Lambda's CPUs are promised to have: it may die with SIGILL"
    return f"some of it is compiled with {compiled.flag}: it dies with SIGILL on Lambda unless it asks the CPU first"


def cpu_flag_fix(architecture: Architecture, flag: str) -> str:
    """Return the command that ends it: node-gyp takes the variables after a package's own flags, others may not."""
    if not flag.startswith("-m"):
        return "Take target-cpu out of RUSTFLAGS or .cargo/config.toml of the package, then build again."
    baseline = BASELINE_CPU_FLAGS[architecture]
    off = f" {flag.replace('-m', '-mno-', 1)}" if "=" not in flag else ""
    flags = f"{baseline}{off}"
    value = f"'{flags}'" if off else flags
    return f"Run `CFLAGS={value} CXXFLAGS={value} lambdapack build --arch {architecture}`."
