from pathlib import Path

import pytest

from lambdapack.rules.model.report import Outcome, Verdict
from tests import elf
from tests.world import World

ADDON = "addon.node"


@pytest.fixture
def addon(tmp_path: Path) -> bytes:
    return elf.link(tmp_path, ADDON, elf.NODE_API, "-DLEVEL=8").read_bytes()


@pytest.mark.spares(
    "wrong-cpu", "not-elf", "truncated", "bad-elf", "executable", "not-an-addon", "static-tls", "relocations"
)
def test_a_node_api_addon_for_the_right_cpu_loads(world: World, addon: bytes) -> None:
    world.add(ADDON, addon)
    judged = world.judged(ADDON)
    assert (judged.outcome, judged.cause, judged.selected) == (Outcome.LOADS, None, True)
    assert world.report().verdict is Verdict.PASS


@pytest.mark.proves("wrong-cpu")
def test_an_addon_for_the_other_cpu_names_both(world: World, addon: bytes) -> None:
    world.add(ADDON, elf.with_machine(addon, elf.ARM64))
    finding = world.report().findings[0]
    assert finding.rule.code == "LP201"
    assert "arm64" in finding.message
    assert "x86_64" in finding.message
    assert world.judged(ADDON, arch="arm64").cause != "wrong-cpu"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x08\0\0\0" + bytes(200), "Mach-O"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64, "git-lfs"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"Not Found", "text"),
    ],
)
@pytest.mark.proves("not-elf")
def test_a_file_that_is_no_elf_is_named_for_what_it_is(world: World, start: bytes, words: str) -> None:
    world.add(ADDON, start)
    finding = world.report().findings[0]
    assert finding.rule.name == "not-elf"
    assert words in finding.message


def test_an_empty_file_is_too_short(world: World) -> None:
    world.add(ADDON, b"")
    assert world.judged(ADDON).cause == "truncated"


def test_a_file_that_is_cut_in_the_middle_is_truncated(world: World, addon: bytes) -> None:
    world.add(ADDON, addon[: len(addon) // 3])
    assert world.judged(ADDON).cause in {"truncated", "bad-elf"}
    assert world.report().verdict is Verdict.FAIL


@pytest.mark.proves("truncated")
def test_a_missing_tail_of_a_segment_is_truncated(world: World, tmp_path: Path) -> None:
    big = elf.link(tmp_path, ADDON, elf.NODE_API + "\nchar table[90000] = {1};", "-DLEVEL=8", "-s").read_bytes()
    world.add(ADDON, big[: len(big) - 40000])
    assert world.judged(ADDON).cause == "truncated"


@pytest.mark.proves("wrong-class")
def test_a_32_bit_file_has_the_wrong_class(world: World, addon: bytes) -> None:
    world.add(ADDON, elf.patched(addon, 4, b"\x01"))
    assert world.judged(ADDON).cause == "wrong-class"


@pytest.mark.proves("bad-elf")
@pytest.mark.spares("wrong-class")
def test_an_object_of_another_system_is_a_bad_elf(world: World, addon: bytes) -> None:
    world.add(ADDON, elf.patched(addon, 7, b"\x09"))
    judged = world.judged(ADDON)
    assert judged.cause == "bad-elf"
    assert judged.finding is not None
    assert "OS ABI" in judged.finding.message


def test_the_cpu_is_looked_at_before_the_system(world: World, addon: bytes) -> None:
    world.add(ADDON, elf.with_machine(elf.patched(addon, 7, b"\x09"), elf.ARM64))
    assert world.judged(ADDON).cause == "wrong-cpu"


@pytest.mark.proves("executable")
def test_a_program_under_an_addons_name_is_refused(world: World, tmp_path: Path) -> None:
    made = elf.program(tmp_path, ADDON, "void _start(void) { for (;;) {} }", "-static")
    world.add(ADDON, made)
    assert world.judged(ADDON).cause == "executable"


@pytest.mark.proves("bad-elf")
def test_a_relocatable_object_is_refused(world: World, tmp_path: Path) -> None:
    made = elf.program(tmp_path, ADDON, "void f(void) {}", "-c")
    world.add(ADDON, made)
    assert world.judged(ADDON).cause == "bad-elf"


def test_a_file_cut_inside_its_program_headers_is_truncated(world: World, addon: bytes) -> None:
    world.add(ADDON, addon[:100])
    judged = world.judged(ADDON)
    assert judged.cause == "truncated"
    assert judged.finding is not None
    assert judged.finding.message.startswith("cannot read file data")


def test_another_byte_order_is_damage_on_this_cpu_and_another_cpu_otherwise(world: World, addon: bytes) -> None:
    world.add(ADDON, elf.patched(addon, 5, b"\x02"))
    assert world.judged(ADDON).cause == "bad-elf"
    world.add(ADDON, elf.patched(elf.patched(addon, 5, b"\x02"), 16, b"\0\x03\0\x16"))
    assert world.judged(ADDON).cause == "wrong-cpu"


@pytest.mark.parametrize(("ident", "cause"), [(b"\x03\x03", None), (b"\x03\x04", "bad-elf"), (b"\0\x01", "bad-elf")])
def test_an_abi_version_is_gnus_alone(world: World, addon: bytes, ident: bytes, cause: str | None) -> None:
    world.add(ADDON, elf.patched(addon, 7, ident))
    assert world.judged(ADDON).cause == cause


def test_an_addon_of_bare_is_none_of_node(world: World, tmp_path: Path) -> None:
    source = "int js_create_object(void);\nint start(void) { return js_create_object(); }"
    world.add("prebuilds/linux-x64/native.bare", elf.link(tmp_path, "native.bare", source))
    judged = world.judged("prebuilds/linux-x64/native.bare")
    assert (judged.outcome, judged.cause, judged.selected) == (Outcome.FAILS, "not-an-addon", False)
