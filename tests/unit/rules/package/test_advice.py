import pytest

from lambdapack.model import Severity
from tests.world import World


def advised(world: World, runtime: str = "nodejs22.x") -> list[tuple[str, str, Severity]]:
    found = [each for each in world.report(runtime).findings if each.rule.name in {"given-up", "out-of-place"}]
    return [(each.rule.name, each.package, each.weight) for each in found]


@pytest.mark.proves("given-up")
def test_a_package_that_nobody_looks_after_is_a_note_with_what_takes_its_place(world: World) -> None:
    world.package("node_modules/ref-napi", version="3.0.3")
    assert advised(world) == [("given-up", "ref-napi", Severity.NOTE)]
    (finding,) = world.report().findings
    assert "npm uninstall ref-napi && npm install koffi" in finding.cure


@pytest.mark.parametrize(("runtime", "severity"), [("nodejs20.x", Severity.NOTE), ("nodejs22.x", Severity.WARNING)])
def test_it_is_a_warning_where_its_newest_version_cannot_work(world: World, runtime: str, severity: Severity) -> None:
    world.package("node_modules/node-sass", version="9.0.0")
    assert advised(world, runtime) == [("given-up", "node-sass", severity)]


@pytest.mark.proves("out-of-place")
@pytest.mark.parametrize("name", ["esbuild", "serialport", "canvas"])
def test_build_tools_hardware_and_what_has_a_better_successor_are_notes(world: World, name: str) -> None:
    world.package(f"node_modules/{name}")
    assert advised(world) == [("out-of-place", name, Severity.NOTE)]


@pytest.mark.spares("given-up", "out-of-place")
@pytest.mark.parametrize("name", ["sharp", "bcrypt", "bufferutil", "left-pad"])
def test_what_is_maintained_and_at_home_in_lambda_needs_no_advice(world: World, name: str) -> None:
    world.package(f"node_modules/{name}")
    assert advised(world) == []


def test_who_brings_a_package_is_named_and_it_is_not_told_to_uninstall_it(world: World) -> None:
    world.package("", dependencies={"bunyan": "1"})
    world.package("node_modules/bunyan", optionalDependencies={"dtrace-provider": "0.8"})
    world.package("node_modules/bunyan/node_modules/dtrace-provider", version="0.8.8")
    (finding,) = [each for each in world.report().findings if each.rule.name == "given-up"]
    assert "required by bunyan" in finding.message
    assert finding.path == "node_modules/bunyan/node_modules/dtrace-provider"
    assert finding.cure == "bunyan and restify work without it."


def test_a_package_for_development_is_told_of_once(world: World) -> None:
    world.package("", devDependencies={"esbuild": "0.28"})
    world.package("node_modules/esbuild")
    assert [each.rule.name for each in world.report().findings] == ["dev-packages"]
