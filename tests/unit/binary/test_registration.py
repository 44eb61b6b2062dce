from itertools import product
from pathlib import Path

import pytest

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Registration, RegistrationKind
from tests import elf as make

STYLES = {
    "O0": ("-O0",),
    "O2 stripped": ("-O2", "-s"),
    "hidden, collected": ("-O2", "-fvisibility=hidden", "-ffunction-sections", "-Wl,--gc-sections"),
    "relr": ("-O2", "-Wl,-z,pack-relative-relocs"),
    "now, full cf": ("-O2", "-Wl,-z,now", "-fcf-protection=full"),
    "sysv hash": ("-O1", "-Wl,--hash-style=sysv"),
    "no plt": ("-Os", "-fno-plt"),
    "one segment": ("-O2", "-Wl,-z,noseparate-code"),
}
FORMS = {
    "V8_PLAIN": (make.V8_PLAIN, Registration(RegistrationKind.V8, struct_abi=127)),
    "V8_CONTEXTUAL": (make.V8_CONTEXTUAL, Registration(RegistrationKind.V8, struct_abi=127)),
    "V8_SYMBOL": (make.V8_SYMBOL, Registration(RegistrationKind.V8, abis=(127,))),
    "V8_BOTH_WAYS": (make.V8_BOTH_WAYS, Registration(RegistrationKind.V8, abis=(127,), struct_abi=127)),
    "NODE_API": (make.NODE_API, Registration(RegistrationKind.NODE_API, node_api=9)),
    "NODE_API_WITHOUT_LEVEL": (make.NODE_API_WITHOUT_LEVEL, Registration(RegistrationKind.NODE_API)),
    "NODE_API_CONSTRUCTOR": (make.NODE_API_CONSTRUCTOR, Registration(RegistrationKind.NODE_API, struct_abi=-1)),
}


def registration(directory: Path, source: str, *flags: str) -> Registration:
    path = make.link(directory, "addon.node", source, *flags)
    return read.read_elf(memoryview(path.read_bytes())).registration


@pytest.mark.parametrize(("style", "form"), list(product(STYLES, FORMS)))
def test_every_form_is_recognised_however_it_was_compiled(tmp_path: Path, style: str, form: str) -> None:
    source, expected = FORMS[form]
    assert registration(tmp_path, source, "-DABI=127", "-DLEVEL=9", *STYLES[style]) == expected


@pytest.mark.parametrize("optimised", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize("level", [1, 8, 10, 0x7FFFFFFF])
def test_the_node_api_version_is_read_from_code(tmp_path: Path, level: int, optimised: str) -> None:
    assert registration(tmp_path, make.NODE_API, f"-DLEVEL={level}", optimised).node_api == level


@pytest.mark.parametrize("flags", [("-fstack-protector-all",), ("-pg",), ("-O0", "--coverage")], ids=str)
def test_calls_in_front_of_the_constant_do_not_hide_it(tmp_path: Path, flags: tuple[str, ...]) -> None:
    source = make.NODE_API + "void mcount(void) {}\nvoid __stack_chk_fail(void) {}\n"
    path = make.link(
        tmp_path, "addon.node", source, "-DLEVEL=6", "-Wl,--unresolved-symbols=ignore-all", *flags, "-lgcov"
    )
    assert read.read_elf(memoryview(path.read_bytes())).registration.node_api == 6


def test_a_version_function_that_computes_is_uncertain(tmp_path: Path) -> None:
    source = make.NODE_API.replace("return LEVEL;", "extern volatile int level; return level;")
    found = registration(tmp_path, source, "-O2")
    assert (found.kind, found.node_api, found.uncertain) == (RegistrationKind.NODE_API, None, True)


@pytest.mark.parametrize(("first", "second", "abi"), [("zulu", "alpha", 127), ("alpha", "zulu", 108)])
@pytest.mark.parametrize("optimised", ["-O0", "-O2"])
def test_of_two_structs_the_one_registered_last_counts(
    tmp_path: Path, first: str, second: str, abi: int, optimised: str
) -> None:
    found = registration(tmp_path, make.V8_TWICE, f"-DFIRST={first}", f"-DSECOND={second}", optimised)
    assert (found.struct_abi, found.uncertain) == (abi, False)


@pytest.mark.parametrize("optimised", ["-O0", "-O2"])
def test_a_struct_filled_at_run_time_is_a_guess(tmp_path: Path, optimised: str) -> None:
    found = registration(tmp_path, make.V8_AT_RUN_TIME, "-DABI=115", optimised)
    assert found == Registration(RegistrationKind.V8, struct_abi=115, uncertain=True)


def test_a_number_that_no_node_has_is_not_guessed(tmp_path: Path) -> None:
    found = registration(tmp_path, make.V8_AT_RUN_TIME, "-DABI=64")
    assert found == Registration(RegistrationKind.V8, uncertain=True)


def test_several_entry_symbols_are_all_told(tmp_path: Path) -> None:
    source = make.NODE_H + "".join(f"SHOWN void node_register_module_v{abi}(void) {{}}\n" for abi in (137, 108, 127))
    found = registration(tmp_path, source)
    assert found.abis == (108, 127, 137)
    assert found.abi is None


def test_a_mention_of_an_entry_symbol_is_not_its_definition(tmp_path: Path) -> None:
    source = "void node_register_module_v127(void);\nint here(void) { node_register_module_v127(); return 1; }\n"
    assert registration(tmp_path, source) == Registration()


def test_node_api_and_v8_together_are_both(tmp_path: Path) -> None:
    source = make.V8_PLAIN + make.NODE_API.removeprefix(make.NODE_H)
    found = registration(tmp_path, source, "-DABI=127", "-DLEVEL=8")
    assert found == Registration(RegistrationKind.BOTH, struct_abi=127, node_api=8)


def test_a_plain_library_registers_nothing(tmp_path: Path) -> None:
    assert registration(tmp_path, "int here(void) { return 127; }\n") == Registration()


def test_data_that_only_looks_like_a_struct_is_passed_over(tmp_path: Path) -> None:
    source = (
        make.V8_PLAIN
        + """
    static node_module no_code = {115, 0, 0, __FILE__, (void *)&addon, 0, "name", 0, 0};
    static node_module handled = {115, 0, (void *)1, __FILE__, init, 0, "name", 0, 0};
    static node_module flagged = {115, 4096, 0, __FILE__, init, 0, "name", 0, 0};
    static node_module ancient = {3, 0, 0, __FILE__, init, 0, "name", 0, 0};
    static node_module linked = {115, 0, 0, __FILE__, init, 0, "name", 0, (void *)1};
    static node_module unnamed = {115, 0, 0, __FILE__, init, 0, "", 0, 0};
    static node_module unprintable = {115, 0, 0, "\\1", init, 0, "name", 0, 0};
    void *kept[] = {&no_code, &handled, &flagged, &ancient, &linked, &unnamed, &unprintable};
    """
    )
    assert registration(tmp_path, source, "-DABI=127", "-O1") == Registration(RegistrationKind.V8, struct_abi=127)
