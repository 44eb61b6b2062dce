"""Files that a handler loads of its own package, held against what node does with the same files."""

import subprocess
from pathlib import Path

import pytest

from lambdapack.model import Severity
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.npm_trees import program
from tests.world import TODAY, World

NAME = "required-file-missing"
HERE = {
    "lib/db.js": "",
    "lib/index.js": "",
    "data.json": "{}",
    "folder/package.json": '{"main": "main.js"}',
    "folder/main.js": "",
}
HANDLER = "\nexports.handler = () => 1;"


def world_of(text: str, file: str = "index.js") -> World:
    world = World(handler="index.handler", reads_code=True)
    for path, content in HERE.items():
        world.add(path, content)
    world.add(file, text)
    return world


def found(world: World, name: str = NAME) -> list[tuple[Severity, int | None]]:
    policy = Policy(TODAY, handler_required=True)
    report = check_package(
        Subject("zip", "x"), world.facts(), shipped_runtime(parse_target("nodejs22.x", "x86_64")), policy
    )
    return [(each.weight, each.line) for each in report.findings if each.rule.name == name]


def dies(world: World, directory: Path) -> bool:
    for path, content in world.files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    name = next(each for each in world.files if each.startswith("index."))
    done = subprocess.run([program("node"), name], cwd=directory, capture_output=True, text=True, check=False)
    return "Cannot find module" in done.stderr


@pytest.mark.proves("required-file-missing")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("require('./lib/gone');", 1),
        ("'use strict';\nconst { a } = require('./addon.node');", 2),
        ('const x = require("../task/../gone/x.js"), y = 1;'.replace("../task/../", "./"), 1),
        ("exports.db = require('./lib/db').db; module.exports.x = require('./data.jsonn');", 1),
    ],
)
def test_a_file_that_is_loaded_at_once_and_is_not_there_is_an_error(text: str, line: int, tmp_path: Path) -> None:
    world = world_of(text + HANDLER)
    assert found(world) == [(Severity.ERROR, line)]
    assert dies(world, tmp_path)


@pytest.mark.spares("required-file-missing")
@pytest.mark.parametrize(
    "text",
    [
        "require('./lib/db'); require('./lib'); require('./data'); require('./folder'); require('./lib/db.js');",
        "try { require('./gone'); } catch {}",
        "if (process.env.X) require('./gone');",
        "const x = process.env.X && require('./gone');",
        "const x = process.env.X ? require('./gone') : 1;",
        "switch (process.platform) { case 'win32': require('./gone.node'); }",
        "((require) => require('./gone'))(() => 1);",
        "require('./lib/' + 'db');",
        "const text = \"require('./gone')\"; // require('./gone')",
    ],
)
def test_what_is_there_or_may_not_be_wanted_is_left_alone(text: str, tmp_path: Path) -> None:
    world = world_of(text + HANDLER)
    assert found(world) == []
    assert not dies(world, tmp_path)


def test_a_bundlers_wrapped_addon_that_is_not_there_is_a_warning() -> None:
    text = "var a = {}; var wrapped = (exports, module) => { module.exports = require('./addon-2GZ.node'); };"
    assert found(world_of(text + HANDLER)) == [(Severity.WARNING, 1)]
    world = world_of(text + HANDLER)
    world.add("addon-2GZ.node", b"")
    assert found(world) == []


def test_what_only_a_function_loads_is_a_warning(tmp_path: Path) -> None:
    world = world_of("const names = () => require('./gone');" + HANDLER)
    assert found(world) == [(Severity.WARNING, 1)]
    assert not dies(world, tmp_path)


@pytest.mark.proves("import-without-extension")
def test_an_import_adds_no_ending(tmp_path: Path) -> None:
    world = world_of("import './lib/db';\nexport const handler = 1;", "index.mjs")
    assert found(world, "import-without-extension") == [(Severity.ERROR, 1)]
    assert dies(world, tmp_path)


@pytest.mark.spares("import-without-extension")
def test_a_whole_file_name_is_imported(tmp_path: Path) -> None:
    world = world_of("import './lib/db.js';\nexport const handler = 1;", "index.mjs")
    assert found(world, "import-without-extension") == found(world) == []
    assert not dies(world, tmp_path)


def test_a_link_to_where_a_layer_may_be_is_a_warning() -> None:
    world = world_of("require('./shared/x');" + HANDLER)
    world.links["shared"] = "/opt/shared"
    assert found(world) == []
    assert found(world, "module-missing") == [(Severity.WARNING, 1)]
