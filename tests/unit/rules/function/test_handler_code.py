import pytest

from lambdapack.model import Severity
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.world import TODAY, World

BUILD = Policy(TODAY, handler_required=True)
MODULE, COMMONJS = "export const handler = 1;", "exports.handler = require('node:fs');"
AS_COMMONJS, AS_MODULE = "module-as-commonjs", "commonjs-as-module"


def found(world: World, runtime: str = "nodejs22.x", policy: Policy = BUILD) -> list[tuple[str, Severity]]:
    report = check_package(Subject("zip", "x"), world.facts(), shipped_runtime(parse_target(runtime, "x86_64")), policy)
    return [(each.rule.name, each.weight) for each in report.findings if each.rule.code >= "LP323"]


@pytest.fixture
def world() -> World:
    return World(handler="index.handler", reads_code=True)


@pytest.mark.parametrize(
    ("type_", "file", "text", "runtime", "name"),
    [
        pytest.param(
            None, "index.js", MODULE, "nodejs22.x", AS_COMMONJS, marks=pytest.mark.proves("module-as-commonjs")
        ),
        (None, "index.js", MODULE, "nodejs20.x", AS_COMMONJS),
        pytest.param(None, "index.js", MODULE, "nodejs24.x", None, marks=pytest.mark.spares("module-as-commonjs")),
        ("commonjs", "index.js", MODULE, "nodejs24.x", AS_COMMONJS),
        (None, "index.cjs", MODULE, "nodejs24.x", AS_COMMONJS),
        ("module", "index.js", MODULE, "nodejs20.x", None),
        (None, "index.mjs", MODULE, "nodejs20.x", None),
        pytest.param(
            "module", "index.js", COMMONJS, "nodejs22.x", AS_MODULE, marks=pytest.mark.proves("commonjs-as-module")
        ),
        (None, "index.mjs", COMMONJS, "nodejs24.x", AS_MODULE),
        (None, "index.js", f"{MODULE}\nrequire('node:fs');", "nodejs24.x", AS_MODULE),
        pytest.param(
            "module", "index.cjs", COMMONJS, "nodejs22.x", None, marks=pytest.mark.spares("commonjs-as-module")
        ),
        (None, "index.js", COMMONJS, "nodejs24.x", None),
        ("nonsense", "index.js", COMMONJS, "nodejs22.x", None),
    ],
)
def test_ending_type_and_runtime_decide_what_node_takes_a_file_for(
    world: World, type_: str | None, file: str, text: str, runtime: str, name: str | None
) -> None:
    world.package("", **({"type": type_} if type_ else {}))
    world.add(file, text)
    assert found(world, runtime) == ([(name, Severity.ERROR)] if name else [])


def test_the_nearest_package_json_counts(world: World) -> None:
    world.handler = "dist/app.handler"
    world.package("", type="module")
    world.package("dist", type="commonjs")
    world.add("dist/app.js", COMMONJS)
    assert found(world) == []


@pytest.mark.proves("handler-not-exported")
@pytest.mark.parametrize("text", ["", "exports.main = 1;", "module.exports = { Handler() {} };"])
def test_a_file_that_surely_does_not_export_the_handler_is_a_warning(world: World, text: str) -> None:
    world.add("index.js", text)
    assert found(world) == [("handler-not-exported", Severity.WARNING)]


@pytest.mark.spares("handler-not-exported")
@pytest.mark.parametrize(
    "text", ["module.exports = require('./app');", "exports.handler = 1;", "exports.handler = { get() {} };"]
)
def test_one_that_may_export_it_is_not(world: World, text: str) -> None:
    world.add("index.js", text)
    world.add("app.js", "exports.handler = 1;")
    assert found(world) == []


def test_of_a_nested_export_only_the_first_name_is_looked_for(world: World) -> None:
    world.handler = "index.prod.handler"
    world.add("index.js", "exports.prod = wrap({});")
    assert found(world) == []


def test_a_bare_directory_may_be_no_function_at_all(world: World) -> None:
    world.add("index.js", "exports.main = 1;")
    assert found(world, policy=Policy(TODAY)) == [("handler-not-exported", Severity.NOTE)]


def test_what_node_refuses_is_an_error_there_as_well(world: World) -> None:
    world.add("index.js", MODULE)
    judged = [("module-syntax-refused", Severity.ERROR), (AS_COMMONJS, Severity.NOTE)]
    assert found(world, policy=Policy(TODAY)) == judged
