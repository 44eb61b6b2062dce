"""Which CPU Lambda promises for each architecture. The only place that says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdapack.model import Architecture


@dataclass(frozen=True, slots=True)
class CpuFloor:
    """The CPU that every machine of one architecture has at least, as compilers and people name it."""

    description: str  # "x86-64-v2 with AVX2"
    march: str  # the largest value of -march that asks for no more
    names: frozenset[str]  # values of -march and -mcpu that ask for no more; any other is above the floor or unknown
    extensions: frozenset[str] = frozenset()  # what may follow such a name with a plus; "+noX" takes away


_X86_64_NAMES = """
x86-64 x86-64-v2 k8 opteron athlon64 athlon-fx k8-sse3 opteron-sse3 athlon64-sse3 nocona core2 bonnell atom
nehalem corei7 westmere silvermont slm sandybridge corei7-avx ivybridge core-avx-i
"""
_ARM64_NAMES = """
armv8-a armv8.1-a armv8.2-a generic cortex-a34 cortex-a35 cortex-a53 cortex-a57 cortex-a72 cortex-a73
cortex-a55 cortex-a75 cortex-a76 cortex-a76ae cortex-a77 neoverse-n1 ares neoverse-e1
"""
_NEOVERSE_N1_EXTENSIONS = "fp simd crc lse rdma crypto aes sha2 fp16 rcpc dotprod ssbs profile"

CPU_FLOORS: Mapping[Architecture, CpuFloor] = {
    Architecture.X86_64: CpuFloor("x86-64-v2 with AVX2", "x86-64-v2", frozenset(_X86_64_NAMES.split())),
    Architecture.ARM64: CpuFloor(
        "Graviton2 (Neoverse N1, armv8.2-a)",
        "armv8.2-a",
        frozenset(_ARM64_NAMES.split()),
        frozenset(_NEOVERSE_N1_EXTENSIONS.split()),
    ),
}
"""Lambda's x86_64 has AVX2, its arm64 is Graviton2 (AWS developer guide, "Selecting and configuring an instruction set
architecture", read 2026-11). AVX2 is the larger part of x86-64-v3, and no name of a level stands for v2 with AVX2, so
v2 is the last level that is promised whole. The names are those of the GCC 14 manual ("x86 Options", "AArch64
Options"), the extensions those that GCC's aarch64-cores.def gives the Neoverse N1."""

PARTLY_PROMISED_LEVELS = frozenset({"x86-64-v3"})
"""Levels (ISA_1_NEEDED of the x86-64 psABI) of which Lambda promises a part: AVX2, but neither FMA nor BMI."""

UNPROMISED_LEVELS = frozenset({"x86-64-v4"})
"""Levels of which nothing is promised: AVX-512."""
