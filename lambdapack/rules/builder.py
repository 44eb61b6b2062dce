"""What an install compiled for a CPU above Lambda's: its compiler's lines say so. Never looks at instructions."""

from collections.abc import Mapping
from dataclasses import replace

from lambdapack.binary.facts import Format, Role
from lambdapack.model import Architecture, Finding, Severity
from lambdapack.rules.facts import Compiled, Facts
from lambdapack.rules.memory import CPU_LEVEL
from lambdapack.rules.verdict import Judgement, Outcome
from lambdapack.runtimes.runtime import Runtime

BASELINE = {Architecture.X86_64: "-march=x86-64-v2", Architecture.ARM64: "-march=armv8.2-a"}
"""What every CPU of Lambda has: AVX2 on x86_64 is above it, Graviton2 (Neoverse N1) is it (AWS developer guide,
"Selecting and configuring an instruction set architecture", read 2026-11)."""

_X86_64 = """
x86-64 x86-64-v2 k8 opteron athlon64 athlon-fx k8-sse3 opteron-sse3 athlon64-sse3 nocona core2 bonnell atom
nehalem corei7 westmere silvermont slm sandybridge corei7-avx ivybridge core-avx-i
"""
_ARM64 = """
armv8-a armv8.1-a armv8.2-a generic cortex-a34 cortex-a35 cortex-a53 cortex-a57 cortex-a72 cortex-a73
cortex-a55 cortex-a75 cortex-a76 cortex-a76ae cortex-a77 neoverse-n1 ares neoverse-e1
"""
WITHIN: Mapping[Architecture, frozenset[str]] = {
    Architecture.X86_64: frozenset(_X86_64.split()),
    Architecture.ARM64: frozenset(_ARM64.split()),
}
"""Names for -march and -mcpu (GCC 14 manual, "x86 Options", "AArch64 Options") that ask for no more than AVX2 or a
Neoverse N1 has. A name that isn't here is above, or unknown to us."""

_OF_N1 = "fp simd crc lse rdma crypto aes sha2 fp16 rcpc dotprod ssbs profile"
EXTENSIONS = frozenset(_OF_N1.split())
"""What may follow such a name with a plus: the Neoverse N1 has it (GCC's aarch64-cores.def). "+noX" takes away."""

NATIVE = "native"


def tied_to_builder(judgement: Judgement, facts: Facts, runtime: Runtime) -> Judgement:
    """Return a judgement with the flag that asks for more than Lambda's CPU, and as it is where there is none.

    The outcome becomes unknown, except where only some sources were compiled so: those may well ask the CPU first.
    """
    if not _made_here(judgement, facts):
        return judgement
    found = [each for each in facts.compiled if each.package == judgement.package and _above(each, runtime)]
    if not found:
        return judgement
    worst = min(found, key=lambda each: (not _is_native(each), not each.everywhere))
    certain = _is_native(worst) or worst.everywhere
    outcome = Outcome.UNKNOWN if certain else Outcome.LOADS
    finding = Finding(
        rule=CPU_LEVEL,
        path=judgement.binary.path,
        message=_message(worst, certain=certain),
        package=judgement.package,
        fix=cure(runtime.target.architecture, worst.flag),
        severity=Severity.WARNING if certain else Severity.NOTE,
        evidence=(("cause", CPU_LEVEL.name), ("outcome", outcome.value), ("flag", worst.flag)),
    )
    return replace(judgement, outcome=outcome, cause=CPU_LEVEL.name if certain else None, finding=finding)


def _made_here(judgement: Judgement, facts: Facts) -> bool:
    binary = judgement.binary
    if judgement.outcome is not Outcome.LOADS or judgement.finding or not judgement.selected:
        return False
    if binary.format is not Format.ELF or binary.role not in {Role.ADDON, Role.EXECUTABLE, Role.LIBRARY}:
        return False
    return binary.path not in facts.ready and "/prebuilds/" not in f"/{binary.path}"


def _is_native(compiled: Compiled) -> bool:
    return compiled.flag.endswith(f"={NATIVE}")


def _above(compiled: Compiled, runtime: Runtime) -> bool:
    architecture, (option, _, value) = runtime.target.architecture, compiled.flag.partition("=")
    if option == "-mcpu" and architecture is Architecture.X86_64:
        return False  # a deprecated word for -mtune there (GCC manual, "x86 Options")
    name, *extensions = value.split("+")
    if not value or name not in WITHIN[architecture]:
        return True
    return any(each not in EXTENSIONS and not each.startswith("no") for each in extensions)


def _message(compiled: Compiled, *, certain: bool) -> str:
    if _is_native(compiled):
        return f"compiled with {compiled.flag}: it runs on the CPU that built it, and may die with SIGILL on Lambda's"
    if certain:
        return f"compiled with {compiled.flag}, more than Lambda's CPUs are promised to have: it may die with SIGILL"
    return f"some of it is compiled with {compiled.flag}: it dies with SIGILL on Lambda unless it asks the CPU first"


def cure(architecture: Architecture, flag: str) -> str:
    """Return the command that ends it: node-gyp takes the variables after a package's own flags, others may not."""
    if not flag.startswith("-m"):
        return "Take target-cpu out of RUSTFLAGS or .cargo/config.toml of the package, then build again."
    baseline = BASELINE[architecture]
    off = f" {flag.replace('-m', '-mno-', 1)}" if "=" not in flag else ""
    flags = f"{baseline}{off}"
    value = f"'{flags}'" if off else flags
    return f"Run `CFLAGS={value} CXXFLAGS={value} lambdapack build --arch {architecture}`."
