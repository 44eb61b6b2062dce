"""A function and its layers, seen as one by node."""

from pathlib import Path

import pytest

from lambdapack.model import Finding, Severity
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Outcome, Verdict
from tests import elf
from tests.world import TODAY, World

BUILD = Policy(TODAY, handler_required=True)
SHARP = "node_modules/sharp"
MODULE = 'import ms from "ms";\nexport const handler = () => ms("1s");\n'


@pytest.fixture
def layer() -> World:
    return World()


def found(world: World, name: str, *layers: World, runtime: str = "nodejs22.x") -> list[Finding]:
    return [each for each in world.report(runtime, layers=layers).findings if each.rule.name == name]


def test_a_platform_package_may_lie_in_a_layer(world: World, layer: World, tmp_path: Path) -> None:
    """The function's sharp finds @img/sharp-linux-x64 through NODE_PATH."""
    world.package("", dependencies={"sharp": "1"})
    world.package(SHARP, optionalDependencies={"@img/sharp-linux-x64": "1", "@img/sharp-darwin-arm64": "1"})
    assert [each.rule.name for each in world.report().findings] == ["missing-addon"]
    layer.package("nodejs/node_modules/@img/sharp-linux-x64", os=["linux"], cpu=["x64"])
    made = elf.link(tmp_path, "sharp.node", elf.NODE_API, "-DLEVEL=8")
    layer.add("nodejs/node_modules/@img/sharp-linux-x64/lib/sharp.node", made)
    report = world.report(layers=[layer])
    assert report.findings == ()
    assert [(each.binary.path, each.selected) for each in report.judgements] == [
        ("/opt/nodejs/node_modules/@img/sharp-linux-x64/lib/sharp.node", True)
    ]


def test_a_package_of_a_layer_does_not_find_the_functions_own(world: World, layer: World) -> None:
    """NODE_PATH ends with /var/task, not with its node_modules."""
    world.package("")
    world.package("node_modules/@img/sharp-linux-x64", os=["linux"], cpu=["x64"])
    layer.package("nodejs/" + SHARP, optionalDependencies={"@img/sharp-linux-x64": "1"})
    (finding,) = found(world, "missing-addon", layer)
    assert finding.path == "/opt/nodejs/node_modules/sharp"


def test_the_later_layers_file_is_the_one_that_is_judged(world: World, layer: World, tmp_path: Path) -> None:
    world.package("")
    good = elf.link(tmp_path, "good.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    later = World()
    for each, content in ((layer, elf.with_machine(good, elf.ARM64)), (later, good)):
        each.package("nodejs/node_modules/a")
        each.add("nodejs/node_modules/a/a.node", content)
    assert world.report(layers=[layer, later]).findings == ()
    assert [each.rule.name for each in world.report(layers=[later, layer]).findings] == ["wrong-cpu"]


def test_a_layer_for_another_cpu_is_refused_under_its_path_at_opt(world: World, layer: World, tmp_path: Path) -> None:
    layer.package("nodejs/node_modules/a")
    made = elf.link(tmp_path, "a.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    layer.add("nodejs/node_modules/a/a.node", elf.with_machine(made, elf.ARM64))
    report = world.report(layers=[layer])
    assert report.verdict is Verdict.FAIL
    assert [each.path for each in report.findings] == ["/opt/nodejs/node_modules/a/a.node"]


@pytest.mark.parametrize("file", ["wrap/index.js", "wrap/package.json", "wrap.js"])
@pytest.mark.parametrize("handler", ["wrap.handler", "src/wrap.handler"])
def test_the_client_requires_a_handler_by_its_bare_name_at_last(
    world: World, layer: World, handler: str, file: str
) -> None:
    world.handler = handler
    world.add("package.json", "{}")
    assert world.report(policy=BUILD).verdict is Verdict.FAIL
    layer.add(f"nodejs/node_modules/{file}", "")
    assert world.report(policy=BUILD, layers=[layer]).verdict is Verdict.PASS


def test_a_dependency_that_no_layer_has_is_still_missed(world: World, layer: World) -> None:
    world.package("", dependencies={"ms": "1", "debug": "1"})
    layer.package("nodejs/node_modules/ms")
    (finding,) = found(world, "dependency-missing", layer)
    assert finding.message == "node_modules has no debug and no layer has it"


@pytest.mark.parametrize(
    ("runtime", "severity"),
    [
        pytest.param("nodejs16.x", Severity.ERROR, marks=pytest.mark.proves("layer-import")),
        pytest.param("nodejs18.x", Severity.NOTE, marks=pytest.mark.proves("layer-import")),
    ],
)
@pytest.mark.parametrize(
    ("file", "text"),
    [("index.mjs", MODULE), ("src/index.js", 'export{x}from"ms/lite"'), ("b/index.mjs", 'let a=1;import"ms";')],
)
def test_an_import_that_only_a_layer_can_serve_is_told(
    world: World, layer: World, runtime: str, severity: Severity, file: str, text: str
) -> None:
    world.package("", type="module")
    world.add(file, text)
    world.handler, world.reads_code = f"{file.partition('.')[0]}.handler", True
    layer.package("nodejs/node_modules/ms")
    (finding,) = found(world, "layer-import", layer, runtime=runtime)
    assert (finding.path, finding.weight) == (file, severity)
    assert dict(finding.evidence)["imports"] == {"ms": "/opt/nodejs/node_modules"}


@pytest.mark.spares("layer-import")
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("index.js", MODULE),
        ("index.cjs", "const ms = require('ms')"),
        ("a.mjs", "// import ms from 'ms'\n/*\nimport ms from 'ms'\n*/\n"),
        ("b.mjs", 'import fs from "node:fs"; import x from "./ms"; import y from "#ms"; import z from "absent";'),
        ("node_modules/own/index.mjs", MODULE),
        ("c.mjs", 'import own from "own/deep"'),
    ],
)
def test_what_is_no_import_of_a_layers_package_is_not(world: World, layer: World, file: str, text: str) -> None:
    world.package("")
    world.package("node_modules/own")
    world.add(file, text)
    world.handler, world.reads_code = f"{file.partition('.')[0]}.handler", True
    layer.package("nodejs/node_modules/ms")
    assert found(world, "layer-import", layer, runtime="nodejs16.x") == []


@pytest.mark.proves("layer-not-searched")
@pytest.mark.parametrize("folder", ["nodejs/node20", "", "layer/nodejs"])
def test_packages_at_a_place_that_nothing_searches_are_an_error(world: World, layer: World, folder: str) -> None:
    layer.package(f"{folder}/node_modules/ms".lstrip("/"))
    (finding,) = found(world, "layer-not-searched", layer)
    assert finding.path == f"/opt/{folder}/node_modules".replace("//", "/")
    assert "searches /opt/nodejs/node22/node_modules and /opt/nodejs/node_modules" in finding.message
    layer.kind = "layer"
    (alone,) = found(layer, "layer-not-searched")
    assert alone.path == f"{folder}/node_modules".lstrip("/")


@pytest.mark.spares("layer-not-searched")
@pytest.mark.parametrize("folder", ["nodejs/", "nodejs/node22/", "extensions/mine/", "tool/"])
def test_packages_where_node_looks_or_an_extension_has_them_are_fine(world: World, layer: World, folder: str) -> None:
    layer.package(f"{folder}node_modules/ms")
    assert found(world, "layer-not-searched", layer) == []


def test_a_layer_for_several_runtimes_is_only_larger(world: World, layer: World, tmp_path: Path) -> None:
    for folder, abi in (("node20", 115), ("node22", 127)):
        layer.package(f"nodejs/{folder}/node_modules/a")
        made = elf.link(tmp_path / folder, "a.node", elf.V8_SYMBOL, f"-DABI={abi}")
        layer.add(f"nodejs/{folder}/node_modules/a/a.node", made)
    report = world.report(layers=[layer])
    assert [(each.rule.name, each.weight) for each in report.findings] == [("layer-not-searched", Severity.NOTE)]
    assert {each.binary.path: (each.selected, each.outcome) for each in report.judgements} == {
        "/opt/nodejs/node20/node_modules/a/a.node": (False, Outcome.FAILS),
        "/opt/nodejs/node22/node_modules/a/a.node": (True, Outcome.LOADS),
    }


@pytest.mark.proves("too-many-layers")
def test_six_layers_are_one_too_many(world: World) -> None:
    (finding,) = found(world, "too-many-layers", *(World() for _ in range(6)))
    assert finding.message == "there are 6 layers, 5 are allowed"


@pytest.mark.spares("too-many-layers")
def test_five_layers_are_allowed(world: World) -> None:
    assert found(world, "too-many-layers", *(World() for _ in range(5))) == []


@pytest.mark.proves("link-dangles")
@pytest.mark.parametrize("target", ["/opt/lib/absent", "../../opt/lib/absent", "/opt/lib/libm.so/x"])
def test_a_link_to_what_no_layer_has_dangles(world: World, layer: World, target: str) -> None:
    world.links["a"] = target
    layer.add("lib/libm.so", "")
    (finding,) = found(world, "link-dangles", layer)
    assert (finding.path, finding.weight) == ("a", Severity.ERROR)


@pytest.mark.spares("link-dangles")
@pytest.mark.parametrize("target", ["/opt/lib/libm.so", "/opt/lib", "/opt", "/opt/to/libm.so"])
def test_a_link_to_what_a_layer_has_is_fine(world: World, layer: World, target: str) -> None:
    world.links["a"] = target
    layer.add("lib/libm.so", "")
    layer.links["to"] = "lib"
    assert found(world, "link-dangles", layer) == []


def test_without_the_layers_nothing_can_be_said_of_a_link_and_that_is_said(world: World, layer: World) -> None:
    world.links["a"] = "/opt/lib/libm.so"
    (finding,) = found(world, "link-dangles")
    assert finding.weight is Severity.NOTE
    assert "pass the function's layers with --layer" in finding.message
    layer.links["b"] = "/var/task/index.js"
    layer.kind = "layer"
    (alone,) = found(layer, "link-dangles")
    assert alone.weight is Severity.NOTE
    world.links.clear()
    assert [each.path for each in found(world, "link-dangles", layer)] == ["/opt/b"]
    world.add("index.js", "")
    assert found(world, "link-dangles", layer) == []


def test_links_and_modes_of_layers_are_judged_as_the_functions(world: World, layer: World) -> None:
    layer.links["lib/x"] = "/home/me/x"
    layer.add("lib/y", "", mode=0o600)
    report = world.report(layers=[layer])
    assert {(each.rule.name, each.path) for each in report.findings} == {
        ("link-leaves-tree", "/opt/lib/x"),
        ("not-readable", "/opt/lib/y"),
    }
