from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.rules.model.report import Outcome
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import World

ADDON = "addon.node"


def make(tmp_path: Path, source: str, *flags: str) -> Path:
    return elf.link(tmp_path, ADDON, source, *flags)


@pytest.mark.parametrize("form", [elf.V8_PLAIN, elf.V8_CONTEXTUAL, elf.V8_BOTH_WAYS, elf.V8_SYMBOL])
@pytest.mark.proves("node-abi")
@pytest.mark.spares("electron-abi")
def test_a_v8_addon_loads_on_its_own_node_only(world: World, tmp_path: Path, form: str) -> None:
    world.add(ADDON, make(tmp_path, form, "-DABI=127"))
    assert world.judged(ADDON, "nodejs22.x").outcome is Outcome.LOADS
    judged = world.judged(ADDON, "nodejs20.x")
    assert judged.cause == "node-abi"
    assert judged.finding is not None
    assert "Node.js 22" in judged.finding.message
    assert "115" in judged.finding.message


@pytest.mark.proves("electron-abi")
def test_an_electron_number_is_named_as_such(world: World, tmp_path: Path) -> None:
    world.add(ADDON, make(tmp_path, elf.V8_PLAIN, "-DABI=125"))
    judged = world.judged(ADDON)
    assert judged.cause == "electron-abi"
    assert judged.finding is not None
    assert "Electron 31" in judged.finding.message


@pytest.mark.parametrize("form", [elf.NODE_API_CONSTRUCTOR, elf.NODE_API_WITHOUT_LEVEL])
@pytest.mark.parametrize("runtime", ["nodejs18.x", "nodejs24.x"])
@pytest.mark.spares("node-abi", "node-api-level")
def test_an_old_node_api_addon_loads_everywhere(world: World, tmp_path: Path, form: str, runtime: str) -> None:
    world.add(ADDON, make(tmp_path, form))
    assert world.judged(ADDON, runtime).outcome is Outcome.LOADS


@pytest.mark.parametrize(
    ("level", "runtime", "cause"),
    [
        (9, "nodejs20.x", None),
        (10, "nodejs20.x", "node-api-level"),
        (10, "nodejs22.x", None),
        (0x7FFFFFFF, "nodejs18.x", None),
    ],
)
def test_a_declared_node_api_level_is_held_against_the_runtime(
    world: World, tmp_path: Path, level: int, runtime: str, cause: str | None
) -> None:
    world.add(ADDON, make(tmp_path, elf.NODE_API, f"-DLEVEL={level}"))
    assert world.judged(ADDON, runtime).cause == cause


@pytest.mark.proves("not-an-addon")
def test_a_file_that_registers_nothing_is_not_an_addon(world: World, tmp_path: Path) -> None:
    world.add(ADDON, make(tmp_path, "int f(void) { return 1; }"))
    assert world.judged(ADDON).cause == "not-an-addon"


def test_a_stray_node_file_beside_a_real_addon_does_not_count(world: World, tmp_path: Path) -> None:
    world.package("node_modules/sqlite")
    world.add("node_modules/sqlite/build/Release/sqlite.node", make(tmp_path, elf.V8_PLAIN, "-DABI=127"))
    world.add("node_modules/sqlite/build/Release/test_extension.node", make(tmp_path, "int f(void) { return 1; }"))
    assert not world.judged("node_modules/sqlite/build/Release/test_extension.node").selected
    assert world.found() == []


def test_a_library_is_not_asked_to_register(world: World, tmp_path: Path) -> None:
    world.add("lib/libown.so", elf.link(tmp_path, "libown.so", "int f(void) { return 1; }"))
    judged = world.judged("lib/libown.so")
    assert (judged.outcome, judged.selected) == (Outcome.LOADS, True)


LATER = elf.NODE_API + "\nint NAME(void);\nint call(void) { return NAME(); }\n"
AT_LOAD = elf.NODE_API + "\nextern int NAME;\nint *table[] = {&NAME};\n"


@pytest.mark.proves("undefined-symbol")
def test_a_symbol_that_is_missing_at_load_fails(world: World, tmp_path: Path) -> None:
    made = make(tmp_path, AT_LOAD.replace("NAME", "node_api_create_property_key_utf8"), "-DLEVEL=8")
    world.add(ADDON, made)
    judged = world.judged(ADDON, "nodejs16.x")
    assert (judged.cause, judged.outcome) == ("undefined-symbol", Outcome.FAILS)
    assert world.judged(ADDON, "nodejs22.x").outcome is Outcome.LOADS


def test_a_symbol_that_is_bound_lazily_lets_the_process_die_later(world: World, tmp_path: Path) -> None:
    made = make(tmp_path, LATER.replace("NAME", "node_api_create_property_key_utf8"), "-DLEVEL=8", "-Wl,-z,lazy")
    world.add(ADDON, made)
    judged = world.judged(ADDON, "nodejs16.x")
    assert (judged.cause, judged.outcome) == ("undefined-symbol", Outcome.DIES_LATER)


def test_binding_now_makes_a_lazy_symbol_fail_at_load(world: World, tmp_path: Path) -> None:
    made = make(tmp_path, LATER.replace("NAME", "node_api_create_property_key_utf8"), "-DLEVEL=8", "-Wl,-z,now")
    world.add(ADDON, made)
    assert world.judged(ADDON, "nodejs16.x").outcome is Outcome.FAILS


def test_a_libuv_function_of_a_later_node_is_missing(world: World, tmp_path: Path) -> None:
    made = make(tmp_path, LATER.replace("NAME", "uv_metrics_info"), "-DLEVEL=8", "-Wl,-z,lazy")
    world.add(ADDON, made)
    assert world.judged(ADDON, "nodejs22.x").outcome is Outcome.LOADS
    assert world.judged(ADDON, "nodejs16.x").outcome is Outcome.DIES_LATER


LONG_NAME = "node_api_create_property_key_utf8"


def calling(tmp_path: Path, name: str, binding: str = "lazy") -> bytes:
    """Return an addon that calls a function of another name, which its string table has instead."""
    made = make(tmp_path, LATER.replace("NAME", LONG_NAME), "-DLEVEL=8", f"-Wl,-z,{binding}")
    old = LONG_NAME.encode() + b"\0"
    return made.read_bytes().replace(old, name.encode().ljust(len(old), b"\0"))


@pytest.mark.parametrize("runtime", ["nodejs20.x", "nodejs22.x", "nodejs24.x"])
@pytest.mark.parametrize(
    "name",
    ["SSL_new", "EVP_MD_CTX_new", "fflush", "pthread_create", "dlopen", "cos", "__cxa_throw",
     "_Unwind_Resume", "__tls_get_addr", "_ZNSt6thread4joinEv", "stat"],
)  # fmt: skip
@pytest.mark.spares("undefined-symbol")
def test_what_node_and_its_libraries_define_needs_no_version(
    world: World, tmp_path: Path, name: str, runtime: str
) -> None:
    world.add(ADDON, calling(tmp_path, name, "now"))
    assert world.judged(ADDON, runtime).outcome is Outcome.LOADS


@pytest.mark.parametrize("name", ["no_such_function_anywhere", "SSL_new_and_improved", "deflateTwice", "EVP_lunch"])
@pytest.mark.parametrize(("binding", "outcome"), [("lazy", Outcome.DIES_LATER), ("now", Outcome.FAILS)])
@pytest.mark.proves("undefined-symbol")
def test_what_nothing_can_define_is_refused(
    world: World, tmp_path: Path, name: str, binding: str, outcome: Outcome
) -> None:
    world.add(ADDON, calling(tmp_path, name, binding))
    judged = world.judged(ADDON)
    assert (judged.cause, judged.outcome) == ("undefined-symbol", outcome)
    assert world.report().verdict.value == "fail"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("SSL_CTX_compress_certs", "came to libssl.so.3 with OPENSSL_3.2.0"),
        ("BrotliDecoderVersion", "may come from node"),
        ("_ZN4absl4CordC1Ev", "may come from node"),
    ],
)
def test_a_symbol_that_no_table_decides_is_a_warning(world: World, tmp_path: Path, name: str, source: str) -> None:
    world.add(ADDON, calling(tmp_path, name))
    judged = world.judged(ADDON)
    assert (judged.cause, judged.outcome) == ("undefined-symbol", Outcome.UNKNOWN)
    assert judged.finding is not None
    assert source in judged.finding.message
    assert world.report().verdict.value == "warn"


def test_names_that_were_measured_speak_before_the_table(world: World, tmp_path: Path) -> None:
    shipped = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    libraries = {name: replace(library, exports=frozenset({"own"})) for name, library in shipped.libraries.items()}
    world.runtime = replace(
        shipped, source="image", libraries=libraries, node_exports=frozenset({"napi_create_object"})
    )
    world.add(ADDON, calling(tmp_path, "SSL_new"))
    assert world.judged(ADDON).outcome is Outcome.DIES_LATER
    world.add(ADDON, calling(tmp_path, "own"))
    assert world.judged(ADDON).outcome is Outcome.LOADS


def test_a_function_of_a_later_glibc_is_in_doubt_on_the_older_system(world: World, tmp_path: Path) -> None:
    world.add(ADDON, calling(tmp_path, "pthread_getname_np"))
    assert world.judged(ADDON, "nodejs18.x").outcome is Outcome.LOADS
    world.add(ADDON, calling(tmp_path, "gettid"))
    judged = world.judged(ADDON, "nodejs18.x")
    assert judged.outcome is Outcome.UNKNOWN
    assert judged.finding is not None
    assert "GLIBC_2.30" in judged.finding.message
    assert world.judged(ADDON, "nodejs22.x").outcome is Outcome.LOADS


def test_v8_symbols_follow_from_the_abi(world: World, tmp_path: Path) -> None:
    source = (
        elf.V8_PLAIN
        + "\nint _ZN2v87Isolate10GetCurrentEv(void);\nint g(void) { return _ZN2v87Isolate10GetCurrentEv(); }"
    )
    world.add(ADDON, make(tmp_path, source, "-DABI=127", "-Wl,-z,lazy"))
    assert world.judged(ADDON, "nodejs22.x").outcome is Outcome.LOADS
    assert world.judged(ADDON, "nodejs20.x").cause == "node-abi"


def test_an_addon_for_another_runtime_dies_in_its_constructor(world: World, tmp_path: Path) -> None:
    source = """
void bare_module_register(void *);
static void __attribute__((constructor)) enter(void) { bare_module_register(0); }
"""
    made = make(tmp_path, source)
    world.add(ADDON, made)
    world.runtime = replace(
        shipped_runtime(parse_target("nodejs22.x", "x86_64")),
        source="file",
        loaded=frozenset(),
        node_exports=frozenset(),
    )
    judged = world.judged(ADDON)
    assert (judged.cause, judged.outcome) == ("undefined-symbol", Outcome.FAILS)


@pytest.mark.spares("undefined-symbol")
def test_a_weak_symbol_may_stay_undefined(world: World, tmp_path: Path) -> None:
    source = elf.NODE_API + "\nint maybe(void) __attribute__((weak));\nint g(void) { return maybe ? maybe() : 0; }"
    world.add(ADDON, make(tmp_path, source, "-DLEVEL=8"))
    assert world.judged(ADDON).outcome is Outcome.LOADS


def test_a_symbol_of_a_needed_sibling_is_defined(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    empty = elf.library(tmp_path / "other", "libshiny.so.1", symbol="dull")
    source = elf.NODE_API + "\nint shiny(void);\nint g(void) { return shiny(); }"
    world.add(ADDON, elf.link(tmp_path, ADDON, source, "-DLEVEL=8", "-Wl,-z,now", libraries=(library,)))
    world.add("lib/libshiny.so.1", library)
    assert world.judged(ADDON).outcome is Outcome.LOADS
    world.add("lib/libshiny.so.1", empty)
    assert world.judged(ADDON).cause == "undefined-symbol"


CALLS_V8 = (
    elf.NODE_API + "\nint _ZN2v87Isolate10GetCurrentEv(void);\nint g(void) { return _ZN2v87Isolate10GetCurrentEv(); }"
)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("node_modules/native/bin/linux-x64-node-22/native.node", Outcome.LOADS),
        ("node_modules/native/node.abi127.glibc.node", Outcome.LOADS),
        ("node_modules/native/bin/linux-x64-node-20/native.node", Outcome.UNKNOWN),
        ("node_modules/native/native.node", Outcome.UNKNOWN),
    ],
)
def test_a_node_api_addon_that_calls_v8_fits_the_node_that_its_name_tells(
    world: World, tmp_path: Path, path: str, outcome: Outcome
) -> None:
    world.package("node_modules/native")
    world.add(path, make(tmp_path, CALLS_V8, "-DLEVEL=8", "-Wl,-z,lazy"))
    judged = world.judged(path)
    assert judged.outcome is outcome
    if outcome is Outcome.UNKNOWN:
        assert judged.finding is not None
        assert "calls V8 itself (v8::Isolate::GetCurrent)" in judged.finding.message
        assert "lambdapack invoke" in judged.finding.cure


@pytest.mark.parametrize(
    ("source", "binding", "outcome", "proof"),
    [
        ("image", "lazy", Outcome.UNKNOWN, "lambdapack invoke"),
        ("image", "now", Outcome.FAILS, "lambdapack build"),
        ("file", "lazy", Outcome.DIES_LATER, "lambdapack build"),
    ],
)
def test_a_v8_function_that_an_image_lacks_is_a_doubt_until_it_is_bound(
    world: World, tmp_path: Path, source: str, binding: str, outcome: Outcome, proof: str
) -> None:
    world.runtime = replace(
        shipped_runtime(parse_target("nodejs22.x", "x86_64")), source=source, node_exports=frozenset()
    )
    world.add("node.abi127.node", make(tmp_path, CALLS_V8.replace("napi_create_object(env, exports)", "0"),
                                       "-DLEVEL=8", f"-Wl,-z,{binding}"))  # fmt: skip
    judged = world.judged("node.abi127.node")
    assert (judged.outcome, judged.finding is not None and proof in judged.finding.cure) == (outcome, True)


UNREAD = {
    "an ABI that a constructor computes": (elf.V8_AT_RUN_TIME, "node-abi", "-DABI=64"),
    "an ABI that is only likely": (elf.V8_AT_RUN_TIME, "node-abi", "-DABI=127"),
    "a Node-API version that is computed": (
        elf.NODE_API.replace("return LEVEL;", "extern volatile int level; return level;") + "volatile int level;",
        "node-api-level",
        "-O2",
    ),
}


@pytest.mark.parametrize("form", UNREAD)
def test_what_cannot_be_read_is_unknown_and_says_what_proves_it(world: World, tmp_path: Path, form: str) -> None:
    source, cause, flag = UNREAD[form]
    world.add(ADDON, make(tmp_path, source, flag))
    judged = world.judged(ADDON)
    assert (judged.outcome, judged.cause) == (Outcome.UNKNOWN, cause)
    assert judged.finding is not None
    assert "lambdapack verify --load" in judged.finding.cure
    assert world.report().verdict.value == "warn"
