"""Every way in which an addon registers with Node.js, by the macros of real headers, with what a reader has to find."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.binary.facts import NODE_API_EXPERIMENTAL, Registration, RegistrationKind
from lambdapack.runtimes.versions import abi_of_node_major
from tests.corpus.compilers import Compiler, headers, unpacked

NAN = "nan@2.30.0"
NODE_ADDON_API = "node-addon-api@8.9.2"

VERSIONS = ("18.20.8", "20.20.2", "22.23.1", "24.21.0")

FIXED = ("-fPIC", "-w")
PLUS = ("-std=c++20", "-fno-exceptions", "-DNAPI_DISABLE_CPP_EXCEPTIONS")


@dataclass(frozen=True, slots=True)
class Form:
    """One way: its source, and what is to be read from whatever a compiler makes of it."""

    text: str
    plus: bool = False  # C++
    v8: bool = False  # bound to the ABI of its headers
    level: int | None = None  # what node_api_module_get_api_version_v1 returns
    header: str = "node_api.h"

    def expected(self, version: str) -> tuple[RegistrationKind, int | None, int | None]:
        """Return kind, ABI and Node-API level for the headers of a release."""
        if self.v8:
            return RegistrationKind.V8, abi_of_node_major(int(version.partition(".")[0])), None
        return RegistrationKind.NODE_API, None, self.level

    def compile(self, compiler: Compiler, place: Path, version: str, *flags: str) -> Path:
        """Return the object file."""
        source = place.with_suffix(".cc" if self.plus else ".c")
        source.write_text(f"#include <{self.header}>\n{self.text}", encoding="utf-8")
        known = (headers(version), unpacked(NAN), unpacked(NODE_ADDON_API))
        return compiler.compile(source, *FIXED, *flags, *(PLUS if self.plus else ()), *(f"-I{each}" for each in known))


def read_from(found: Registration) -> tuple[RegistrationKind, int | None, int | None]:
    """Return what `Form.expected` speaks of."""
    return found.kind, found.abi, found.node_api


INIT = "static void init(v8::Local<v8::Object> exports) {}\n"

API = """
static napi_value init(napi_env env, napi_value exports) { napi_create_object(env, &exports); return exports; }
NAPI_MODULE(addon, init)
"""

CALLED = """
static napi_value init(napi_env env, napi_value exports) { return exports; }
static napi_module addon = {1, 0, __FILE__, init, "addon", 0, {0}};
static void __attribute__((constructor)) enter(void) { napi_module_register(&addon); }
"""
"""What NAPI_MODULE made with the headers of Node.js 16 and older."""

FORMS: Mapping[str, Form] = {
    "NODE_MODULE": Form(f"{INIT}NODE_MODULE(addon, init)\n", plus=True, v8=True, header="node.h"),
    "NODE_MODULE_CONTEXT_AWARE": Form(
        "static void init(v8::Local<v8::Object>, v8::Local<v8::Value>, v8::Local<v8::Context>) {}\n"
        "NODE_MODULE_CONTEXT_AWARE(addon, init)\n",
        plus=True,
        v8=True,
        header="node.h",
    ),
    "NODE_MODULE_INIT": Form("NODE_MODULE_INIT() {}\n", plus=True, v8=True, header="node.h"),
    "NAN": Form("NAN_MODULE_INIT(init) {}\nNODE_MODULE(addon, init)\n", plus=True, v8=True, header="nan.h"),
    "NAN_MODULE_WORKER_ENABLED": Form(
        "NAN_MODULE_INIT(init) {}\nNAN_MODULE_WORKER_ENABLED(addon, init)\n", plus=True, v8=True, header="nan.h"
    ),
    "NAPI_MODULE": Form(f"#define NAPI_VERSION 8\n#include <node_api.h>{API}", level=8, header="stddef.h"),
    "NAPI_MODULE 9": Form(f"#define NAPI_VERSION 9\n#include <node_api.h>{API}", level=9, header="stddef.h"),
    "NAPI_MODULE experimental": Form(
        f"#define NAPI_EXPERIMENTAL\n#define NODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT\n#include <node_api.h>{API}",
        level=NODE_API_EXPERIMENTAL,
        header="stddef.h",
    ),
    "napi_module_register": Form(CALLED),
    "node-addon-api": Form(
        "static Napi::Object init(Napi::Env, Napi::Object exports) { return exports; }\nNODE_API_MODULE(addon, init)\n",
        plus=True,
        level=8,
        header="napi.h",
    ),
}

TWICE = """
static void other(v8::Local<v8::Object>, v8::Local<v8::Value>, void*) {}
static node::node_module FIRST = {FIRST_ABI, 0, 0, __FILE__, other, 0, "first", 0, 0};
static node::node_module SECOND = {SECOND_ABI, 0, 0, __FILE__, other, 0, "second", 0, 0};
static void __attribute__((constructor)) enter_first() { node_module_register(&FIRST); }
static void __attribute__((constructor)) enter_second() { node_module_register(&SECOND); }
"""


def two(first: str, second: str) -> Form:
    """Return a form with two modules of different ABIs in one object: the one registered last counts."""
    words = {"FIRST_ABI": first, "SECOND_ABI": second, "FIRST": "zulu", "SECOND": "alpha"}
    text = TWICE
    for word, value in words.items():
        text = text.replace(word, value)
    return Form(text, plus=True, v8=True, header="node.h")


HEAP = """
static void other(v8::Local<v8::Object>, v8::Local<v8::Value>, void*) {}
static void __attribute__((constructor)) enter() {
  node::node_module* made = new node::node_module();
  made->nm_version = NODE_MODULE_VERSION;
  made->nm_filename = __FILE__;
  made->nm_register_func = other;
  made->nm_modname = "addon";
  node_module_register(made);
}
"""

CLASS = """
static void other(v8::Local<v8::Object>, v8::Local<v8::Value>, void*) {}
extern int computed;
struct Module : node::node_module {
  Module() : node::node_module() {
    nm_version = NODE_MODULE_VERSION + computed; nm_register_func = other; nm_modname = "addon";
    node_module_register(this);
  }
};
int computed;
static Module addon;
"""

IN_DOUBT: Mapping[str, Form] = {
    "filled on the heap": Form(HEAP, plus=True, v8=True, header="node.h"),
    "filled by a class": Form(CLASS, plus=True, v8=True, header="node.h"),
    "two, the last is right": two("93", "NODE_MODULE_VERSION"),
}
"""Forms that keep the ABI in code: right or unknown, never silently wrong."""
