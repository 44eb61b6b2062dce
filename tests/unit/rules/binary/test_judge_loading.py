from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.binary.facts import BinaryRole, Inventory, VersionNeed
from lambdapack.model import Severity
from lambdapack.rules.binary.judgements import judge_tree
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Outcome, Verdict
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests import elf
from tests.world import TODAY, World

ADDON = "node_modules/native/addon.node"
SHINY = "int shiny(void);\n" + elf.NODE_API + "\nint glow(void) { return shiny(); }\n"


def addon(directory: Path, *libraries: Path, flags: tuple[str, ...] = ()) -> Path:
    return elf.link(directory, "addon.node", SHINY, "-DLEVEL=8", *flags, libraries=libraries)


def put(world: World, path: str, made: Path) -> None:
    world.package("node_modules/native")
    world.add(path, made)


@pytest.mark.proves("missing-library")
@pytest.mark.spares("musl")
def test_a_needed_library_that_is_nowhere_is_missing(world: World, tmp_path: Path) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libshiny.so.1")))
    judged = world.judged(ADDON)
    assert judged.cause == "missing-library"
    assert judged.finding is not None
    assert judged.finding.message.startswith("libshiny.so.1: cannot open shared object file")


@pytest.mark.spares("missing-library")
def test_a_library_beside_it_is_found_through_origin(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library, flags=("-Wl,-rpath,$ORIGIN",)))
    world.add("node_modules/native/libshiny.so.1", library)
    assert world.judged(ADDON).outcome is Outcome.LOADS
    assert world.judged("node_modules/native/libshiny.so.1").selected


def test_a_library_beside_it_is_not_found_without_origin(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library))
    world.add("node_modules/native/libshiny.so.1", library)
    assert world.judged(ADDON).cause == "missing-library"


@pytest.mark.parametrize("place", ["lib/libshiny.so.1", "libshiny.so.1"])
def test_a_library_in_the_functions_lib_is_on_the_loaders_path(world: World, tmp_path: Path, place: str) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library))
    world.add(place, library)
    assert world.judged(ADDON).outcome is Outcome.LOADS


def test_a_library_of_a_layer_is_on_the_loaders_path(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library))
    layer = World()
    layer.add("lib/libshiny.so.1", library)
    report = world.report(layers=[layer])
    assert report.verdict is Verdict.PASS
    assert "/opt/lib/libshiny.so.1" in {each.binary.path for each in report.judgements}


def test_a_sibling_package_is_reached_through_links_as_pnpm_makes_them(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    made = addon(tmp_path, library, flags=("-Wl,-rpath,$ORIGIN/../libs",))
    world.package("node_modules/.pnpm/native@1.0.0/node_modules/native")
    world.add("node_modules/.pnpm/native@1.0.0/node_modules/native/addon.node", made)
    world.links["node_modules/native"] = ".pnpm/native@1.0.0/node_modules/native"
    world.links["node_modules/.pnpm/native@1.0.0/node_modules/libs"] = "../../../../store"
    world.add("store/libshiny.so.1", library)
    assert world.judged("node_modules/.pnpm/native@1.0.0/node_modules/native/addon.node").outcome is Outcome.LOADS


def test_runpath_is_not_inherited_and_rpath_is(world: World, tmp_path: Path) -> None:
    deep = elf.library(tmp_path, "libdeep.so.1", symbol="deep")
    middle = elf.link(
        tmp_path, "libshiny.so.1", "int deep(void); int shiny(void) { return deep(); }", "-Wl,-soname,libshiny.so.1",
        libraries=(deep,),
    )  # fmt: skip
    linking = ("-Wl,--allow-shlib-undefined", "-Wl,-rpath,$ORIGIN")
    for tags, cause in (("-Wl,--enable-new-dtags", "missing-library"), ("-Wl,--disable-new-dtags", None)):
        put(world, ADDON, addon(tmp_path, middle, flags=(*linking, tags)))
        world.add("node_modules/native/libshiny.so.1", middle)
        world.add("node_modules/native/libdeep.so.1", deep)
        assert world.judged(ADDON).cause == cause


def test_a_copy_for_another_cpu_is_passed_over_and_named(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library, flags=("-Wl,-rpath,$ORIGIN",)))
    world.add("node_modules/native/libshiny.so.1", elf.with_machine(library.read_bytes(), elf.ARM64))
    judged = world.judged(ADDON)
    assert judged.cause == "missing-library"
    assert judged.finding is not None
    assert "arm64" in judged.finding.message


def test_a_text_file_on_the_way_ends_the_search(world: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, ADDON, addon(tmp_path, library, flags=("-Wl,-rpath,$ORIGIN",)))
    world.add("node_modules/native/libshiny.so.1", library)
    world.add("lib/libshiny.so.1", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n")
    assert world.judged(ADDON).cause == "not-elf"


@pytest.mark.parametrize("soname", ["libc.musl-x86_64.so.1", "libc.so"])
@pytest.mark.proves("musl")
def test_needing_musls_libc_is_musl(world: World, tmp_path: Path, soname: str) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, soname)))
    assert world.judged(ADDON).cause == "musl"


@pytest.mark.parametrize("runtime", ["nodejs16.x", "nodejs18.x", "nodejs22.x"])
@pytest.mark.parametrize(("name", "outcome"), [(b"crc32", Outcome.LOADS), (b"crc99", Outcome.DIES_LATER)])
def test_zlibs_names_are_known_although_most_have_no_version(
    world: World, tmp_path: Path, name: bytes, outcome: Outcome, runtime: str
) -> None:
    made = addon(tmp_path, elf.library(tmp_path, "libshiny.so.1")).read_bytes()
    made = made.replace(b"\0shiny\0", b"\0" + name + b"\0").replace(b"libshiny.so.1", b"libz.so.1\0\0\0\0")
    world.package("node_modules/native")
    world.add(ADDON, made)
    assert world.judged(ADDON, runtime).outcome is outcome


@pytest.mark.spares("musl")
def test_androids_libc_is_not_called_musl(world: World, tmp_path: Path) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libc.so")))
    facts = world.facts()
    (binary,) = facts.inventory.binaries
    assert binary.elf is not None
    made = replace(binary.elf, version_needs=(VersionNeed("libc.so", "LIBC"),))
    inventory = Inventory((replace(binary, elf=made),))
    (judged,) = judge_tree(
        replace(facts, inventory=inventory), shipped_runtime(parse_target("nodejs22.x", "x86_64"))
    ).judgements
    assert judged.cause == "missing-library"
    assert judged.finding is not None
    assert judged.finding.message.endswith("No such file or directory; it is made for Android")


def test_a_musl_library_makes_the_addon_that_needs_it_musl(world: World, tmp_path: Path) -> None:
    libc = elf.library(tmp_path, "libc.musl-x86_64.so.1", symbol="puts")
    middle = elf.link(
        tmp_path, "libshiny.so.1", "int puts(void); int shiny(void) { return puts(); }", "-Wl,-soname,libshiny.so.1",
        libraries=(libc,),
    )  # fmt: skip
    put(world, ADDON, addon(tmp_path, middle, flags=("-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined")))
    world.add("node_modules/native/libshiny.so.1", middle)
    judged = world.judged(ADDON)
    assert judged.cause == "musl"
    assert judged.finding is not None
    assert "needed by libshiny.so.1" in judged.finding.message


@pytest.mark.parametrize(
    ("soname", "version", "runtime", "cause", "outcome"),
    [
        ("libc.so.6", "GLIBC_2.34", "nodejs22.x", None, Outcome.LOADS),
        ("libc.so.6", "GLIBC_2.38", "nodejs22.x", "symbol-version", Outcome.FAILS),
        ("libc.so.6", "GLIBC_2.28", "nodejs18.x", "symbol-version", Outcome.FAILS),
        ("libstdc++.so.6", "GLIBCXX_3.4.29", "nodejs22.x", None, Outcome.LOADS),
        ("libstdc++.so.6", "GLIBCXX_3.4.30", "nodejs22.x", "symbol-version", Outcome.UNKNOWN),
        ("libstdc++.so.6", "GLIBCXX_3.4.34", "nodejs22.x", "symbol-version", Outcome.FAILS),
        ("libgcc_s.so.1", "GLIBC_2.0", "nodejs22.x", None, Outcome.LOADS),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", "nodejs22.x", "symbol-version", Outcome.FAILS),
    ],
)
def test_symbol_versions_are_held_against_floor_and_ceiling(
    world: World, tmp_path: Path, soname: str, version: str, runtime: str, cause: str | None, outcome: Outcome
) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, soname, version)))
    judged = world.judged(ADDON, runtime)
    assert (judged.cause, judged.outcome) == (cause, outcome)


def test_a_newer_runtime_that_has_the_version_is_named(world: World, tmp_path: Path) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libc.so.6", "GLIBC_2.28")))
    finding = world.judged(ADDON, "nodejs18.x").finding
    assert finding is not None
    assert "nodejs20.x and later runtimes have it" in finding.message
    assert "--runtime nodejs2" in finding.cure
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libc.so.6", "GLIBC_2.38")))
    finding = world.judged(ADDON, "nodejs18.x").finding
    assert finding is not None
    assert "later runtimes" not in finding.message


@pytest.mark.proves("unproved")
@pytest.mark.spares("symbol-version")
def test_between_floor_and_ceiling_is_a_warning_that_names_both(world: World, tmp_path: Path) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libstdc++.so.6", "GLIBCXX_3.4.31")))
    report = world.report()
    assert report.verdict is Verdict.WARN
    assert report.findings[0].rule.code == "LP220"
    assert "GLIBCXX_3.4.29" in report.findings[0].message


@pytest.mark.proves("symbol-version")
def test_a_version_is_asked_of_the_sibling_that_is_loaded(world: World, tmp_path: Path) -> None:
    new = elf.library(tmp_path / "new", "libshiny.so.1", "SHINY_1", "SHINY_2")
    old = elf.library(tmp_path / "old", "libshiny.so.1", "SHINY_1")
    put(world, ADDON, addon(tmp_path, new, flags=("-Wl,-rpath,$ORIGIN",)))
    world.add("node_modules/native/libshiny.so.1", new)
    assert world.judged(ADDON).outcome is Outcome.LOADS
    world.add("node_modules/native/libshiny.so.1", old)
    judged = world.judged(ADDON)
    assert judged.cause == "symbol-version"
    assert judged.finding is not None
    assert "SHINY_2" in judged.finding.message


def test_a_library_that_only_the_image_has_is_unproved(world: World, tmp_path: Path) -> None:
    put(world, ADDON, addon(tmp_path, elf.library(tmp_path, "libcurl.so.4")))
    judged = world.judged(ADDON)
    assert (judged.cause, judged.outcome) == ("missing-library", Outcome.UNKNOWN)
    assert world.report().verdict is Verdict.WARN


def test_the_first_library_that_is_absent_is_named_with_a_word_on_musl(world: World, tmp_path: Path) -> None:
    libraries = (elf.library(tmp_path, "libusb-1.0.so.0"), elf.library(tmp_path, "libc.musl-x86_64.so.1"))
    put(world, ADDON, addon(tmp_path, *libraries, flags=("-Wl,--no-as-needed",)))
    judged = world.judged(ADDON)
    assert judged.cause == "missing-library"
    assert judged.finding is not None
    assert judged.finding.message.startswith("libusb-1.0.so.0: cannot open shared object file")
    assert "musl" in judged.finding.message


@pytest.mark.parametrize("machine", [elf.X86_64, elf.ARM64])
def test_a_library_needed_by_its_path_is_opened_there_or_not_at_all(world: World, tmp_path: Path, machine: int) -> None:
    soname = "-Wl,-soname,/var/task/parts/libshiny.so"
    library = elf.link(tmp_path, "libshiny.so", "int shiny(void) { return 1; }", soname)
    put(world, ADDON, addon(tmp_path, library))
    world.add("parts/libshiny.so", elf.with_machine(library.read_bytes(), machine))
    assert world.judged(ADDON).cause == (None if machine == elf.X86_64 else "wrong-cpu")


@pytest.mark.parametrize(("flags", "cause"), [((), "undefined-symbol"), (("-Wl,-z,now",), "undefined-symbol")])
def test_a_version_asked_of_a_library_without_any_ends_the_loader(
    world: World, tmp_path: Path, flags: tuple[str, ...], cause: str
) -> None:
    versioned = elf.library(tmp_path, "libshiny.so.1", "SHINY_1.0")
    put(world, ADDON, addon(tmp_path, versioned, flags=("-Wl,-rpath,$ORIGIN", *flags)))
    world.add("node_modules/native/libshiny.so.1", elf.library(tmp_path, "libshiny.so.1"))
    judged = world.judged(ADDON)
    assert judged.cause == cause
    assert judged.outcome is (Outcome.FAILS if flags else Outcome.DIES_LATER)


LIBRARY = "node_modules/native/libshiny.so.1"


def test_a_packages_library_that_nothing_needs_is_no_addon_and_does_not_count(world: World, tmp_path: Path) -> None:
    put(world, LIBRARY, elf.library(tmp_path, "libshiny.so.1"))
    judged = world.judged(LIBRARY)
    assert (judged.binary.role, judged.outcome, judged.cause) == (BinaryRole.LIBRARY, Outcome.FAILS, "not-an-addon")
    assert not judged.selected
    assert world.report().verdict is Verdict.PASS
    everything = world.report(policy=Policy(TODAY, all_binaries=True))
    assert [each.weight for each in everything.findings if each.path == LIBRARY] == [Severity.NOTE]


@pytest.mark.parametrize("form", ["addon", "program", "link"])
def test_a_packages_library_that_something_needs_loads(world: World, tmp_path: Path, form: str) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    put(world, LIBRARY, library)
    world.add("node_modules/native/libdull.so", elf.library(tmp_path, "libdull.so"))
    if form == "program":
        made = elf.program(
            tmp_path, "tool", "int shiny(void); void _start(void) { shiny(); }", "-Wl,--no-as-needed", str(library)
        )
        world.add("node_modules/other/bin/tool", made, mode=0o755)
    elif form == "addon":
        world.add(ADDON, addon(tmp_path, library))  # it will not find it, and says so itself
    else:
        world.links["node_modules/native/libshiny.so"] = "libshiny.so.1"
        made = elf.link(tmp_path, "libshiny.so", "int shiny(void) { return 1; }", "-Wl,-soname,libshiny.so")
        world.add(ADDON, addon(tmp_path, made, flags=("-Wl,-rpath,$ORIGIN",)))
    assert (world.judged(LIBRARY).outcome, world.judged(LIBRARY).cause) == (Outcome.LOADS, None)
    assert world.judged("node_modules/native/libdull.so").cause == "not-an-addon"


def test_an_addon_under_a_librarys_name_is_held_to_what_node_asks(world: World, tmp_path: Path) -> None:
    world.add("native.so", elf.link(tmp_path, "native.so", elf.V8_PLAIN, "-DABI=115"))
    assert world.judged("native.so", "nodejs20.x").outcome is Outcome.LOADS
    assert world.judged("native.so", "nodejs22.x").cause == "node-abi"
