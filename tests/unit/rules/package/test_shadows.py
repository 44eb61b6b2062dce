"""Copies in several places: who wins, what is dead, and what that means for the verdict."""

from pathlib import Path

import pytest

from lambdapack.model import Finding, Severity
from lambdapack.rules.model.report import Outcome, Verdict
from tests import elf
from tests.world import World

SHINY = "int shiny(void);\n" + elf.NODE_API + "\nint glow(void) { return shiny(); }\n"


@pytest.fixture
def layer() -> World:
    return World()


def found(world: World, name: str, *layers: World) -> list[Finding]:
    return [each for each in world.report(layers=layers).findings if each.rule.name == name]


def addon(directory: Path, *libraries: Path, flags: tuple[str, ...] = ()) -> Path:
    return elf.link(directory, "addon.node", SHINY, "-DLEVEL=8", *flags, libraries=libraries)


@pytest.mark.proves("shadowed-package")
def test_the_functions_copy_wins_and_the_layers_is_dead(world: World, layer: World, tmp_path: Path) -> None:
    world.package("", dependencies={"sharp": "1"})
    world.package("node_modules/sharp", version="2.0.0")
    layer.package("nodejs/node_modules/sharp", version="1.0.0")
    made = elf.link(tmp_path, "a.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    layer.add("nodejs/node_modules/sharp/build/Release/a.node", elf.with_machine(made, elf.ARM64))
    report = world.report(layers=[layer])
    (finding,) = report.findings
    assert (finding.rule.name, finding.weight) == ("shadowed-package", Severity.WARNING)
    assert finding.path == "/opt/nodejs/node_modules/sharp"
    assert finding.message.startswith("sharp 1.0.0 is shadowed by 2.0.0 in node_modules/sharp; ")
    assert dict(finding.evidence)["dead_bytes"] > len(made)
    (judged,) = report.judgements
    assert (judged.selected, judged.outcome) == (False, Outcome.FAILS)


def test_a_copy_that_another_package_of_the_layer_takes_is_not_dead(world: World, layer: World) -> None:
    world.package("", dependencies={"sharp": "1"})
    world.package("node_modules/sharp", version="2.0.0")
    layer.package("nodejs/node_modules/sharp", version="1.0.0")
    layer.package("nodejs/node_modules/next", dependencies={"sharp": "1"})
    (finding,) = found(world, "shadowed-package", layer)
    assert "sharp 1.0.0 is loaded by other packages of the layer" in finding.message
    assert dict(finding.evidence)["dead_bytes"] == 0


def test_what_only_a_dead_copy_needs_is_dead_as_well(world: World, layer: World) -> None:
    world.package("", dependencies={"sharp": "1"})
    for each, place in ((world, "node_modules"), (layer, "nodejs/node_modules")):
        each.package(f"{place}/sharp", version="2.0.0" if each is world else "1.0.0")
    layer.package("nodejs/node_modules/sharp/node_modules/inner")
    layer.add("nodejs/node_modules/sharp/node_modules/inner/inner.node", b"no binary")
    report = world.report(layers=[layer])
    assert report.verdict is Verdict.WARN
    assert [each.selected for each in report.judgements] == [False]


def test_the_same_version_twice_is_a_note_about_bytes(world: World, layer: World) -> None:
    world.package("", dependencies={"ms": "1"})
    world.package("node_modules/ms")
    layer.package("nodejs/node_modules/ms")
    (finding,) = found(world, "shadowed-package", layer)
    assert finding.weight is Severity.NOTE


def test_the_runtimes_own_folder_wins_over_the_common_one(world: World, layer: World) -> None:
    layer.package("nodejs/node_modules/ms", version="1.0.0")
    layer.package("nodejs/node22/node_modules/ms", version="2.0.0")
    (finding,) = found(world, "shadowed-package", layer)
    assert "ms 1.0.0 is shadowed by 2.0.0 in /opt/nodejs/node22/node_modules/ms" in finding.message


def test_many_copies_are_one_finding_with_all_of_them_as_evidence(world: World, layer: World) -> None:
    for number in range(9):
        world.package(f"node_modules/p{number}", version="2.0.0")
        layer.package(f"nodejs/node_modules/p{number}", version="1.0.0")
    (finding,) = found(world, "shadowed-package", layer)
    assert "likewise 6 more" in finding.message
    assert len(dict(finding.evidence)["packages"]) == 9


def test_two_layers_mix_the_files_of_two_versions(world: World, layer: World) -> None:
    later = World()
    layer.package("nodejs/node_modules/ms", version="1.0.0")
    layer.add("nodejs/node_modules/ms/old.js", "")
    later.package("nodejs/node_modules/ms", version="2.0.0")
    (finding,) = found(world, "shadowed-package", layer, later)
    assert "files of 2.0.0 lie over those of 1.0.0, of which 1 stay, such as old.js" in finding.message
    later.add("nodejs/node_modules/ms/old.js", "")
    assert found(world, "shadowed-package", layer, later) == []


@pytest.mark.spares("shadowed-package")
def test_different_packages_and_nested_copies_do_not_shadow(world: World, layer: World) -> None:
    world.package("", dependencies={"a": "1"})
    world.package("node_modules/a", dependencies={"ms": "1"})
    world.package("node_modules/a/node_modules/ms", version="1.0.0")
    layer.package("nodejs/node_modules/ms", version="2.0.0")
    assert found(world, "shadowed-package", layer) == []


@pytest.mark.proves("shadowed-library")
def test_a_library_of_the_function_comes_before_a_layers(world: World, layer: World, tmp_path: Path) -> None:
    """The addon needs SHINY_2, which only the layer's copy has; the loader takes the function's."""
    new = elf.library(tmp_path / "new", "libshiny.so.1", "SHINY_1", "SHINY_2")
    old = elf.library(tmp_path / "old", "libshiny.so.1", "SHINY_1")
    world.package("node_modules/native")
    world.add("node_modules/native/addon.node", addon(tmp_path, new))
    layer.add("lib/libshiny.so.1", new)
    assert world.report(layers=[layer]).verdict is Verdict.PASS
    world.add("lib/libshiny.so.1", old)
    report = world.report(layers=[layer])
    assert {(each.rule.name, each.path) for each in report.findings} == {
        ("symbol-version", "node_modules/native/addon.node"),
        ("shadowed-library", "/opt/lib/libshiny.so.1"),
    }


def test_a_layers_library_comes_before_one_in_a_runpath_and_not_before_one_in_an_rpath(
    world: World, layer: World, tmp_path: Path
) -> None:
    new = elf.library(tmp_path / "new", "libshiny.so.1", "SHINY_1", "SHINY_2")
    old = elf.library(tmp_path / "old", "libshiny.so.1", "SHINY_1")
    world.package("node_modules/native")
    world.add("node_modules/native/libshiny.so.1", new)
    layer.add("lib/libshiny.so.1", old)
    for tags, names in (("enable", {"symbol-version", "shadowed-library"}), ("disable", set())):
        made = addon(tmp_path, new, flags=("-Wl,-rpath,$ORIGIN", f"-Wl,--{tags}-new-dtags"))
        world.add("node_modules/native/addon.node", made)
        assert {each.rule.name for each in world.report(layers=[layer]).findings} == names


@pytest.mark.parametrize("soname", ["libstdc++.so.6", "libz.so.1"])
def test_the_systems_own_library_comes_before_both(world: World, layer: World, tmp_path: Path, soname: str) -> None:
    layer.add(f"lib/{soname}", elf.library(tmp_path, soname))
    (finding,) = found(world, "shadowed-library", layer)
    assert finding.weight is Severity.NOTE
    assert f"the runtime's own {soname} is taken" in finding.message


@pytest.mark.spares("shadowed-library")
def test_equal_bytes_and_other_cpus_hide_nothing(world: World, layer: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    world.add("lib/libshiny.so.1", library)
    layer.add("lib/libshiny.so.1", library)
    assert found(world, "shadowed-library", layer) == []
    world.add("lib/libshiny.so.1", elf.with_machine(library.read_bytes(), elf.ARM64))
    assert found(world, "shadowed-library", layer) == []


def test_a_library_of_the_function_serves_an_addon_of_a_layer(world: World, layer: World, tmp_path: Path) -> None:
    library = elf.library(tmp_path, "libshiny.so.1")
    layer.package("nodejs/node_modules/native")
    layer.add("nodejs/node_modules/native/addon.node", addon(tmp_path, library))
    assert world.report(layers=[layer]).verdict is Verdict.FAIL
    world.add("lib/libshiny.so.1", library)
    assert world.report(layers=[layer]).verdict is Verdict.PASS


def test_a_name_that_a_layers_library_does_not_define_is_missed(world: World, layer: World, tmp_path: Path) -> None:
    """Its definitions are asked for with the names that the function's files leave undefined."""
    whole = elf.library(tmp_path / "whole", "libshiny.so.1")
    other = elf.library(tmp_path / "other", "libshiny.so.1", symbol="dull")
    world.package("node_modules/native")
    world.add("node_modules/native/addon.node", addon(tmp_path, whole, flags=("-Wl,-z,now",)))
    layer.add("lib/libshiny.so.1", whole)
    assert world.report(layers=[layer]).verdict is Verdict.PASS
    layer.add("lib/libshiny.so.1", other)
    assert [each.rule.name for each in world.report(layers=[layer]).findings] == ["undefined-symbol"]
