"""Registration under the flags that people, distributions and package makers use: right, or said to be unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Elf
from tests.corpus.compilers import Compiler, compiler
from tests.corpus.forms import FORMS, IN_DOUBT, Form, read_from, two

pytestmark = [pytest.mark.registry, pytest.mark.full]

VERSION = "20.20.2"


@dataclass(frozen=True, slots=True)
class Variant:
    """Flags of one build."""

    compiling: tuple[str, ...] = ("-O2",)
    linking: tuple[str, ...] = ()
    compilers: tuple[str, ...] = ("gcc-x86_64", "gcc-arm64", "clang-x86_64", "clang-arm64")


CLANG = ("clang-x86_64", "clang-arm64")

VARIANTS: Mapping[str, Variant] = {
    "now": Variant(linking=("-Wl,-z,now",)),
    "no plt": Variant(("-O2", "-fno-plt")),
    "link-time": Variant(("-O2", "-flto"), ("-flto",), ("gcc-x86_64", "gcc-arm64")),
    "hidden, collected": Variant(
        ("-O2", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"), ("-Wl,--gc-sections",)
    ),
    "full control-flow protection": Variant(("-O2", "-fcf-protection=full"), (), ("gcc-x86_64", "clang-x86_64")),
    "branch protection": Variant(("-O2", "-mbranch-protection=standard"), (), ("gcc-arm64", "clang-arm64")),
    "smallest": Variant(("-Os",)),
    "smaller still": Variant(("-Oz",), (), CLANG),
    "highest": Variant(("-O3",)),
    "sysv hash": Variant(linking=("-Wl,--hash-style=sysv",)),
    "both hashes": Variant(linking=("-Wl,--hash-style=both",)),
    "separate code": Variant(linking=("-Wl,-z,separate-code",)),
    "one segment": Variant(linking=("-Wl,-z,noseparate-code",)),
    "relr": Variant(("-O2",), ("-Wl,--pack-dyn-relocs=relr",), CLANG),
    "relr of GNU ld": Variant(("-O2",), ("-Wl,-z,pack-relative-relocs",), ("gcc-x86_64",)),
    "Android's packed relocations": Variant(("-O2",), ("-Wl,--pack-dyn-relocs=android",), CLANG),
    "Android's and relr": Variant(("-O2",), ("-Wl,--pack-dyn-relocs=android+relr",), CLANG),
    "relocations applied": Variant(("-O0",), ("-Wl,--apply-dynamic-relocs",), CLANG),
    "profiled": Variant(("-O2", "-pg")),
    "coverage": Variant(("-O1", "--coverage"), ("--coverage",), ("gcc-x86_64", "gcc-arm64")),
    "stack protector": Variant(("-O2", "-fstack-protector-all")),
    "stack protector, no optimisation": Variant(("-O0", "-fstack-protector-all")),
    "instrumented": Variant(("-O2", "-finstrument-functions")),
    "instrumented, no optimisation": Variant(("-O0", "-finstrument-functions")),
    "undefined behaviour traps": Variant(("-O1", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")),
    "large model": Variant(("-O2", "-mcmodel=large"), (), ("gcc-x86_64", "clang-x86_64")),
    "frame pointers": Variant(("-O0", "-fno-omit-frame-pointer")),
    "musl": Variant(("-O2",), (), ("zig-musl-x86_64", "zig-musl-arm64")),
}

CASES = [(variant, name) for variant, each in VARIANTS.items() for name in each.compilers]

IN_CODE = frozenset({"instrumented, no optimisation", "instrumented", "coverage", "profiled"})
"""Flags that put calls into the function that returns the level: it may be out of reach, and is then unknown."""


@pytest.mark.parametrize(("variant", "name"), CASES)
def test_every_form_is_read_right_or_known_to_be_unread(tmp_path: Path, variant: str, name: str) -> None:
    flags = VARIANTS[variant]
    for named, form in FORMS.items():
        for made in _made(tmp_path, compiler(name), form, flags):
            found = made.registration
            kind, abi, level = form.expected(VERSION)
            if found.uncertain and variant in IN_CODE and level is not None:
                assert (named, found.kind, found.node_api) == (named, kind, None)
                continue
            assert (named, read_from(found), found.uncertain) == (named, (kind, abi, level), False)


@pytest.mark.parametrize(("form", "variant"), list(product(IN_DOUBT, VARIANTS)))
def test_an_abi_that_only_code_knows_is_right_or_unknown(tmp_path: Path, form: str, variant: str) -> None:
    kind, abi, _ = IN_DOUBT[form].expected(VERSION)
    for name in VARIANTS[variant].compilers:
        for made in _made(tmp_path, compiler(name), IN_DOUBT[form], VARIANTS[variant]):
            assert (name, made.registration.kind) == (name, kind)
            assert made.registration.uncertain or made.registration.struct_abi == abi, name


@pytest.mark.parametrize("name", ["gcc-x86_64", "gcc-arm64", "clang-x86_64", "clang-arm64"])
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
def test_of_two_modules_the_last_is_taken_or_none(tmp_path: Path, name: str, level: str) -> None:
    for form, wanted in ((two("93", "115"), 115), (two("115", "93"), 93)):
        for made in _made(tmp_path, compiler(name), form, Variant((level,))):
            assert made.registration.uncertain or made.registration.struct_abi == wanted


def _made(directory: Path, by: Compiler, form: Form, flags: Variant) -> Iterator[Elf]:
    compiled = form.compile(by, directory / "addon", VERSION, *flags.compiling)
    for strip in ((), ("-s",)):
        yield read.read_elf(memoryview(by.link(compiled, *flags.linking, *strip).read_bytes()))
