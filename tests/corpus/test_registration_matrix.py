"""Registration in every form, by real headers and compilers, for both CPUs: what Node.js's own macros make."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

from lambdapack.binary import elf
from lambdapack.binary.facts import Elf, RegistrationKind
from lambdapack.model import Architecture
from lambdapack.runtimes.abi import EXPERIMENTAL, abi_of
from tests.corpus.compilers import Compiler, compilers, headers

pytestmark = [pytest.mark.registry, pytest.mark.full]

VERSIONS = ("18.20.8", "20.20.2", "22.23.1", "24.21.0")

V8: Mapping[str, str] = {
    "NODE_MODULE": "static void init(v8::Local<v8::Object> exports) {}\nNODE_MODULE(addon, init)\n",
    "NODE_MODULE_CONTEXT_AWARE": (
        "static void init(v8::Local<v8::Object>, v8::Local<v8::Value>, v8::Local<v8::Context>) {}\n"
        "NODE_MODULE_CONTEXT_AWARE(addon, init)\n"
    ),
    "NODE_MODULE_INIT": "NODE_MODULE_INIT() {}\n",
}

NODE_API: Mapping[str, tuple[str, int]] = {
    "level 8": ("#define NAPI_VERSION 8\n", 8),
    "level 9": ("#define NAPI_VERSION 9\n", 9),
    "experimental": ("#define NAPI_EXPERIMENTAL\n#define NODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT\n", EXPERIMENTAL),
}

API = """#include <node_api.h>
static napi_value init(napi_env env, napi_value exports) { napi_create_object(env, &exports); return exports; }
NAPI_MODULE(addon, init)
"""

OPTIMISED = ("-O0", "-O2")


@pytest.fixture(scope="module")
def every() -> Mapping[str, Compiler]:
    return compilers()


NAMES = ("gcc", "clang-x86_64", "clang-arm64")


@pytest.mark.parametrize(("name", "version", "level"), list(product(NAMES, VERSIONS, OPTIMISED)))
def test_v8_addons_tell_their_abi(
    tmp_path: Path, every: Mapping[str, Compiler], name: str, version: str, level: str
) -> None:
    wanted = abi_of(int(version.partition(".")[0]))
    for form, text in V8.items():
        source = tmp_path / f"{form}.cc"
        source.write_text(f"#include <node.h>\n{text}", encoding="utf-8")
        for made in _made(every[name], source, version, level, "-std=c++20"):
            found = made.registration
            assert (form, found.kind, found.abi) == (form, RegistrationKind.V8, wanted)
            assert not found.uncertain
            assert Architecture.of_machine(made.machine) is _architecture(every[name])


@pytest.mark.parametrize(("name", "version", "level"), list(product(NAMES, VERSIONS, OPTIMISED)))
def test_node_api_addons_tell_their_level(
    tmp_path: Path, every: Mapping[str, Compiler], name: str, version: str, level: str
) -> None:
    for form, (defines, wanted) in NODE_API.items():
        source = tmp_path / f"{form.replace(' ', '')}.c"
        source.write_text(defines + API, encoding="utf-8")
        for made in _made(every[name], source, version, level):
            found = made.registration
            assert (form, found.kind, found.node_api) == (form, RegistrationKind.NODE_API, wanted)
            assert not found.uncertain


def _made(compiler: Compiler, source: Path, version: str, *flags: str) -> list[Elf]:
    """As it comes out of the compiler, and stripped."""
    compiled = compiler.compile(source, "-fPIC", "-w", *flags, f"-I{headers(version)}")
    return [elf.read(memoryview(compiler.link(compiled, *strip).read_bytes())) for strip in ((), ("-s",))]


def _architecture(compiler: Compiler) -> Architecture:
    return next(each for each in Architecture if each.aws == compiler.machine)
