"""Registration in every form, by real headers and compilers, for both CPUs: what Node.js's own macros make."""

from itertools import product
from pathlib import Path

import pytest

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Elf
from lambdapack.model import Architecture
from tests.corpus.compilers import NAMES, Compiler, compiler
from tests.corpus.forms import FORMS, VERSIONS, Form, read_from

pytestmark = pytest.mark.registry

FEW = ("NODE_MODULE", "NODE_MODULE_INIT", *(each for each in FORMS if not FORMS[each].plus))
"""Of the C++ forms two: their headers take two seconds to compile."""


@pytest.mark.parametrize("form", FEW)
def test_an_addon_tells_its_abi_or_level(tmp_path: Path, form: str) -> None:
    check(tmp_path, compiler("gcc-x86_64"), form, "22.23.1", "-O2")


@pytest.mark.full
@pytest.mark.parametrize(("name", "version", "level"), list(product(NAMES, VERSIONS, ("-O0", "-O2"))))
def test_every_form_tells_it_whatever_compiled_it(tmp_path: Path, name: str, version: str, level: str) -> None:
    for form in FORMS:
        check(tmp_path, compiler(name), form, version, level)


def check(directory: Path, by: Compiler, name: str, version: str, level: str) -> None:
    form = FORMS[name]
    for made in _made(directory, by, form, version, level):
        found = made.registration
        assert (name, read_from(found)) == (name, form.expected(version))
        assert not found.uncertain
        assert Architecture.of_machine(made.machine) is next(each for each in Architecture if each.aws == by.machine)


def _made(directory: Path, by: Compiler, form: Form, version: str, level: str) -> list[Elf]:
    """As it comes out of the compiler, and stripped."""
    compiled = form.compile(by, directory / "addon", version, level)
    return [read.read_elf(memoryview(by.link(compiled, *strip).read_bytes())) for strip in ((), ("-s",))]
