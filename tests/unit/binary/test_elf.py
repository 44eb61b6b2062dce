import struct
from pathlib import Path

import pytest

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Elf, Symbol, VersionNeed
from tests import elf as make

PT_LOAD, PT_GNU_STACK = 1, 0x6474E551
DT_JMPREL, DT_FLAGS, DT_VERNEED = 23, 30, 0x6FFFFFFE
RELR_SUPPORTED = "-Wl,-z,pack-relative-relocs"  # binutils 2.38 and newer


def facts(path: Path | bytes) -> Elf:
    return read.read_elf(memoryview(path if isinstance(path, bytes) else path.read_bytes()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elf")


@pytest.fixture(scope="module")
def plain(place: Path) -> bytes:
    source = "int there(void);\nint here(void) { return there(); }\nint (*table[])(void) = {here};\n"
    return make.link(place, "plain.so", source, "-Wl,-z,lazy").read_bytes()


def test_the_header_is_told(plain: bytes) -> None:
    found = facts(plain)
    assert (found.bits, found.little_endian, found.os_abi, found.abi_version, found.type) == (64, True, 0, 0, 3)
    assert found.dynamic
    assert found.damage == ""
    assert found.missing_bytes == found.missing_pages == 0


def test_needed_soname_and_search_paths_are_told(place: Path) -> None:
    stub = make.library(place / "paths", "libshiny.so.1")
    runpath = make.using(
        place / "paths", "new.so", stub, flags=("-Wl,-soname,new.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN:/opt/lib")
    )
    rpath = make.using(place / "paths", "old.so", stub, flags=("-Wl,--disable-new-dtags,-rpath,$ORIGIN/..::rel",))
    assert (facts(runpath).soname, facts(runpath).needed) == ("new.so", ("libshiny.so.1",))
    assert (facts(runpath).rpath, facts(runpath).runpath) == ((), ("$ORIGIN", "/opt/lib"))
    assert (facts(rpath).rpath, facts(rpath).runpath) == (("$ORIGIN/..", "", "rel"), ())
    assert facts(rpath).soname is None


def test_version_needs_name_the_file_that_must_define_them(place: Path) -> None:
    libc = make.library(place / "versions", "libc.so.6", "GLIBC_2.2.5", "GLIBC_2.99")
    addon = facts(make.using(place / "versions", "addon.node", libc))
    assert addon.version_needs == (VersionNeed("libc.so.6", "GLIBC_2.99"),)
    assert Symbol("shiny", "GLIBC_2.99", "libc.so.6", at_load=not _is_lazy(addon)) in addon.undefined
    assert facts(libc).version_definitions == ("GLIBC_2.2.5", "GLIBC_2.99")
    assert facts(libc).soname == "libc.so.6"


def _is_lazy(found: Elf) -> bool:
    return "now" not in found.flags


def test_a_weak_version_need_is_told_apart(place: Path) -> None:
    libc = make.library(place / "weak", "libc.so.6", "GLIBC_2.99")
    data = make.using(place / "weak", "weak.node", libc).read_bytes()
    auxiliary = make.tag(data, DT_VERNEED) + 16
    weak = make.patched(data, auxiliary + 4, b"\2\0")  # vna_flags: VER_FLG_WEAK
    assert facts(weak).version_needs == (VersionNeed("libc.so.6", "GLIBC_2.99", weak=True),)


@pytest.mark.parametrize(("flag", "at_load"), [("-Wl,-z,lazy", False), ("-Wl,-z,now", True)])
def test_a_called_function_is_bound_at_its_first_call_unless_the_file_binds_now(
    tmp_path: Path, flag: str, at_load: bool
) -> None:
    found = facts(make.link(tmp_path, "x.so", "int there(void);\nint here(void) { return there(); }\n", flag))
    assert [each for each in found.undefined if each.name == "there"] == [Symbol("there", at_load=at_load)]
    assert ("now" in found.flags) is at_load


@pytest.mark.parametrize("flags", [(), ("-Wl,--hash-style=gnu",), ("-Wl,--hash-style=sysv",), ("-s",), ("-fno-plt",)])
def test_data_and_address_references_are_bound_at_load(tmp_path: Path, flags: tuple[str, ...]) -> None:
    # A file that exports nothing: gcc's DT_GNU_HASH then counts one symbol, whatever the table holds.
    source = "extern int number;\nint there(void);\nstatic int (*volatile table[])(void) = {there};\n"
    source += "static int __attribute__((constructor)) run(void) { return number + table[0](); }\n"
    found = facts(make.link(tmp_path, "x.so", source, "-Wl,-z,lazy", *flags))
    assert {(each.name, each.at_load) for each in found.undefined} == {("number", True), ("there", True)}


def test_a_symbol_that_no_relocation_names_is_never_looked_for(tmp_path: Path) -> None:
    # gcc 13 leaves such marks of libstdc++ (_ZSt21ios_base_library_initv); ld.so never binds them.
    found = facts(make.link(tmp_path, "x.so", '__asm__(".globl never_there");\nint here(void) { return 1; }\n'))
    assert found.undefined == ()


def test_weak_references_are_told(tmp_path: Path) -> None:
    source = "__attribute__((weak)) extern int maybe;\nint here(void) { return &maybe ? maybe : 0; }\n"
    assert facts(make.link(tmp_path, "x.so", source)).undefined == (Symbol("maybe", weak=True),)


def test_flags_speak_the_reports_words(tmp_path: Path) -> None:
    flags = ("-Wl,-z,now", "-Wl,-z,nodlopen", "-Wl,-z,nodelete", "-Wl,-z,nodefaultlib")
    found = facts(make.link(tmp_path, "x.so", "int here(void) { return 1; }\n", *flags))
    assert found.flags == {"now", "noopen", "nodelete", "nodeflib"}


def test_static_thread_storage_and_its_size_are_told(tmp_path: Path) -> None:
    source = "__thread char block[2000] __attribute__((tls_model({})));\nchar *here(void) {{ return block; }}\n"
    static = facts(make.link(tmp_path, "static.so", source.format('"initial-exec"')))
    assert static.tls_bytes == 2000
    assert "static-tls" in static.flags
    dynamic = "__thread char block[2000];\nchar *here(void) { return block; }\n"
    assert "static-tls" not in facts(make.link(tmp_path, "dynamic.so", dynamic)).flags


def test_static_thread_storage_is_seen_by_its_relocation_when_the_flag_is_absent(tmp_path: Path) -> None:
    source = '__thread int block __attribute__((tls_model("initial-exec")));\nint *here(void) { return &block; }\n'
    data = make.link(tmp_path, "x.so", source).read_bytes()
    assert "static-tls" in facts(make.with_tag(data, DT_FLAGS, 0)).flags


@pytest.mark.parametrize(("flag", "executable"), [("noexecstack", False), ("execstack", True)])
def test_an_executable_stack_is_told(tmp_path: Path, flag: str, executable: bool) -> None:
    path = make.link(tmp_path, "x.so", "int here(void) { return 1; }\n", f"-Wl,-z,{flag}")
    assert facts(path).executable_stack is executable


@pytest.mark.parametrize(("machine", "executable"), [(make.X86_64, True), (make.ARM64, False)])
def test_without_a_stack_header_only_x86_gets_an_executable_stack(plain: bytes, machine: int, executable: bool) -> None:
    (stack,) = make.segments(plain, PT_GNU_STACK)
    silent = make.patched(make.with_machine(plain, machine), stack, bytes(4))
    assert facts(silent).executable_stack is executable


@pytest.mark.parametrize(("level", "told"), [("baseline", None), ("v2", "x86-64-v2"), ("v4", "x86-64-v4")])
def test_the_x86_level_a_file_needs_is_told(tmp_path: Path, level: str, told: str | None) -> None:
    name = "x86-64-baseline" if level == "baseline" else f"x86-64-{level}"
    found = facts(make.link(tmp_path, "x.so", "int here(void) { return 1; }\n", f"-Wl,-z,{name}"))
    assert found.isa_needed == told


def test_relr_is_told(tmp_path: Path) -> None:
    source = "static int number;\nint *slots[] = {&number, &number, &number, &number};\n"
    assert facts(make.link(tmp_path, "x.so", source, RELR_SUPPORTED)).relocations == {"relr"}
    assert facts(make.link(tmp_path, "y.so", source)).relocations == frozenset()


def test_programs_are_told_by_type_flag_and_interpreter(tmp_path: Path) -> None:
    source = "void _start(void) { for (;;); }\n"
    fixed = facts(make.program(tmp_path, "fixed", source, "-static", "-no-pie"))
    assert (fixed.type, fixed.dynamic, fixed.interpreter, fixed.damage) == (2, False, None, "")
    pie = facts(make.program(tmp_path, "pie", source, "-pie", "-fPIE", "-Wl,--dynamic-linker,/lib/ld-musl-x86_64.so.1"))
    assert (pie.type, pie.interpreter, "pie" in pie.flags) == (3, "/lib/ld-musl-x86_64.so.1", True)


def test_another_class_gives_the_headers_facts_only(plain: bytes) -> None:
    small = facts(make.with_machine(make.patched(plain, 4, b"\x01"), 40))
    assert (small.bits, small.machine, small.needed, small.undefined, small.damage) == (32, 40, (), (), "")


def test_big_endian_is_damage_only_on_a_cpu_of_lambda(plain: bytes) -> None:
    big = make.patched(plain, 5, b"\x02")
    assert facts(make.patched(big, 16, struct.pack(">HH", 3, 22))) == Elf(64, False, 22, 0, 0, 3)
    assert facts(make.patched(big, 16, struct.pack(">HH", 3, 183))).damage == "ELF file data encoding not little-endian"


@pytest.mark.parametrize(
    ("at", "new", "words"),
    [
        (4, b"\x07", "invalid ELF header"),
        (6, b"\x02", "ELF file version ident does not match current one"),
        (7, b"\x09", "ELF file OS ABI invalid"),
        (8, b"\x01", "ELF file ABI version invalid"),
        (9, b"\x01", "nonzero padding in e_ident"),
        (20, b"\x02", "ELF file version does not match current one"),
        (32, b"\xff\xff\xff\x7f", "cannot read file data"),
        (54, b"\x20", "ELF file's phentsize not the expected size"),
        (56, b"\x00", "object file has no loadable segments"),
    ],
)
def test_a_broken_header_is_told_in_the_loaders_words(plain: bytes, at: int, new: bytes, words: str) -> None:
    assert facts(make.patched(plain, at, new)).damage == words


def test_a_foreign_os_abi_keeps_the_other_facts(plain: bytes) -> None:
    foreign = facts(make.patched(plain, 7, b"\x09"))
    assert foreign.os_abi == 9
    assert foreign.undefined == facts(plain).undefined


@pytest.mark.parametrize(
    ("field", "value", "words"), [(48, 0x800, "not page-aligned"), (16, 0x1008, "not properly aligned")]
)
def test_a_segment_out_of_line_is_told_in_the_loaders_words(plain: bytes, field: int, value: int, words: str) -> None:
    last = make.segments(plain, PT_LOAD)[-1]
    assert words in facts(make.patched(plain, last + field, struct.pack("<Q", value))).damage


def test_a_file_shorter_than_its_header_is_too_short(plain: bytes) -> None:
    for size in (4, 5, 16, 20, 63):
        found = facts(plain[:size])
        assert found.damage == "file too short"
    assert facts(plain[:63]).machine == make.X86_64


def test_cut_section_headers_harm_nobody(plain: bytes) -> None:
    end = make.loaded_end(plain)
    assert facts(plain[:end]) == facts(plain)
    no_sections = make.patched(make.patched(plain, 40, bytes(8)), 58, bytes(6))
    assert facts(no_sections) == facts(plain)


def test_missing_bytes_are_exact_and_pages_tell_a_crash_from_zeros(tmp_path: Path) -> None:
    path = make.link(tmp_path, "x.so", "char data[20000] = {1};\n")
    data = path.read_bytes()
    end = make.loaded_end(data)
    assert end % 4096 > 1
    one = facts(data[: end - 1])
    assert (one.missing_bytes, one.missing_pages) == (1, 0)
    page = facts(data[: end // 4096 * 4096])
    assert (page.missing_bytes, page.missing_pages) == (end % 4096, 1)
    assert facts(data[: end - 9000]).missing_pages in {2, 3}


def test_a_cut_file_is_missing_bytes_and_has_the_loaders_words_only_where_it_speaks(plain: bytes) -> None:
    headers = facts(plain[:100])
    assert headers.damage == "cannot read file data"
    assert headers.missing_bytes > 0
    body = facts(plain[:3000])
    assert (body.damage, body.dynamic, body.missing_bytes) == ("", False, make.loaded_end(plain) - 3000)


def test_what_was_read_before_the_damage_is_kept(place: Path) -> None:
    stub = make.library(place / "kept", "libc.so.6", "GLIBC_2.99")
    data = make.using(place / "kept", "addon.node", stub).read_bytes()
    broken = facts(make.with_tag(data, DT_JMPREL, 1 << 60))
    assert broken.version_needs == (VersionNeed("libc.so.6", "GLIBC_2.99"),)
    assert "not in the file" in broken.damage
    assert broken.undefined == ()


@pytest.mark.parametrize("style", ["gnu", "sysv", "both"])
def test_all_exports_are_told_with_their_versions(tmp_path: Path, style: str) -> None:
    source = "int first;\n__attribute__((weak)) int second(void) { return first; }\n"
    source += '__attribute__((visibility("hidden"))) int third(void) { return 3; }\n'
    source += "static int fourth;\nint *fifth = &fourth;\n"
    path = make.link(tmp_path, "x.so", source, f"-Wl,--hash-style={style}")
    found = dict(read.read_exports(memoryview(path.read_bytes())))
    assert {"first", "second", "fifth"} <= found.keys()
    assert not {"third", "fourth"} & found.keys()
    assert set(found.values()) == {None}


def test_exports_of_a_versioned_library_carry_every_version(tmp_path: Path) -> None:
    data = memoryview(make.library(tmp_path, "libshiny.so.1", "V_1", "V_2").read_bytes())
    assert sorted(read.read_exports(data), key=str) == [
        ("V_1", "V_1"),
        ("V_2", "V_2"),
        ("shiny", "V_1"),
        ("shiny", "V_2"),
    ]
    assert read.find_definitions(data, ["shiny", "dull"]) == (
        Symbol("shiny", "V_1", default=False),
        Symbol("shiny", "V_2"),
    ) or read.find_definitions(data, ["shiny", "dull"]) == (
        Symbol("shiny", "V_2"),
        Symbol("shiny", "V_1", default=False),
    )


@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_definitions_are_looked_up_in_the_files_own_hash_table(tmp_path: Path, style: str) -> None:
    source = "".join(f"int name_{each}(void) {{ return {each}; }}\n" for each in range(300))
    data = memoryview(make.link(tmp_path, "x.so", source, f"-Wl,--hash-style={style}").read_bytes())
    wanted = [f"name_{each}" for each in range(290, 310)]
    assert [each.name for each in read.find_definitions(data, wanted)] == wanted[:10]


def test_files_without_dynamic_section_export_nothing(tmp_path: Path) -> None:
    path = make.program(tmp_path, "fixed", "void _start(void) { for (;;); }\n", "-static", "-no-pie")
    assert list(read.read_exports(memoryview(path.read_bytes()))) == []
    assert read.find_definitions(memoryview(path.read_bytes()), ["_start"]) == ()


def test_this_machines_own_libraries_read_well() -> None:
    libraries = [each for each in Path("/lib/x86_64-linux-gnu").glob("lib[cm].so.6") if each.is_file()]
    if not libraries:
        pytest.skip("no glibc of Debian's layout here")
    for path in libraries:
        found = facts(path)
        assert found.damage == ""
        assert "GLIBC_2.2.5" in found.version_definitions
    names = {name for path in libraries for name, _ in read.read_exports(memoryview(path.read_bytes()))}
    assert {"malloc", "pow"} <= names
