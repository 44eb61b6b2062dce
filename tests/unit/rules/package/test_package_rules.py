from dataclasses import replace
from datetime import date

import pytest

from lambdapack.model import Finding, Severity
from lambdapack.rules.check import apply_policy, check_package
from lambdapack.rules.model.case import IgnoredFinding, Policy
from lambdapack.rules.model.package import Secret
from lambdapack.rules.model.report import Subject, Verdict
from lambdapack.rules.package.contents import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from lambdapack.rules.registry import RULES
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from tests.world import TODAY, World

RUNTIME = shipped_runtime(parse_target("nodejs22.x", "x86_64"))
BUILD = Policy(TODAY, handler_required=True)


@pytest.mark.parametrize("file", ["index.js", "index.mjs", "index.cjs", "index", "index/index.js"])
@pytest.mark.spares("handler-missing")
def test_a_handler_is_found_under_every_name_the_client_tries(world: World, file: str) -> None:
    world.handler = "index.handler"
    world.add(file, "")
    assert world.report(policy=BUILD).findings == ()


@pytest.mark.parametrize(
    ("handler", "file"),
    [("src/app.handler", "src/app.mjs"), ("src/app.api.get", "src/app.js"), ("a.b.handler", "a.js")],
)
def test_the_name_is_split_at_its_first_dot(world: World, handler: str, file: str) -> None:
    world.handler = handler
    world.add(file, "")
    assert world.report(policy=BUILD).findings == ()


@pytest.mark.proves("handler-missing")
def test_a_missing_handler_is_an_error_for_a_build_and_a_note_otherwise(world: World) -> None:
    world.handler = "index.handler"
    world.add("index.ts", "")
    assert world.report(policy=BUILD).verdict is Verdict.FAIL
    report = world.report()
    assert report.verdict is Verdict.PASS
    assert "index.ts is there and must be compiled" in report.findings[0].message


@pytest.mark.parametrize(
    ("handler", "file", "hint"),
    [("index.handler", "Index.js", "is case-sensitive"), ("app.handler", "dist/app.js", "dist/app.js is there")],
)
def test_a_missing_handler_comes_with_what_is_near(world: World, handler: str, file: str, hint: str) -> None:
    world.handler = handler
    world.add(file, "")
    assert hint in world.report().findings[0].message


def missing_handler(world: World, handler: str, file: str, **manifest: str) -> Finding:
    """Return what is found of a handler that is missing beside an empty file."""
    world.handler = handler
    world.package("", **manifest)
    world.add(file, "")
    return next(finding for finding in world.report().findings if finding.rule.name == "handler-missing")


@pytest.mark.parametrize(
    ("handler", "file", "main", "fix"),
    [
        ("app.handler", "dist/app.js", "", "`--handler dist/app.handler`"),
        ("index.handler", "Index.mjs", "", "`--handler Index.handler`"),
        ("index.main", "dist/server.cjs", "./dist/server", "`--handler dist/server.main`"),
        ("index.main", "dist/server.js", "dist/server.js", "`--handler dist/server.main`"),
        ("index.handler", "dist/a.b.js", "dist/a.b.js", "`--handler src/app.handler`"),
        ("index.handler", "src/server.ts", "dist/server.js", "`--handler src/app.handler`"),
    ],
)
def test_the_cure_of_a_missing_handler_names_the_file_that_is_there(
    world: World, handler: str, file: str, main: str, fix: str
) -> None:
    assert fix in missing_handler(world, handler, file, main=main).cure


@pytest.mark.parametrize(
    ("handler", "file", "module_type", "output"),
    [
        ("index.handler", "src/index.ts", "", "--format=cjs --outfile=dist/index.cjs`"),
        ("src/app.main", "src/app.ts", "module", "--format=esm --outfile=dist/app.mjs`"),
        ("app.main", "app.cts", "module", "--format=cjs --outfile=dist/app.cjs`"),
    ],
)
def test_the_cure_of_a_handler_in_typescript_compiles_it(
    world: World, handler: str, file: str, module_type: str, output: str
) -> None:
    finding = missing_handler(world, handler, file, type=module_type)
    assert f"{file} is there and must be compiled first" in finding.message
    assert f"`npx esbuild {file} " in finding.cure
    assert output in finding.cure
    stem, export = handler.rpartition("/")[2].split(".")
    assert f"`--handler dist/{stem}.{export}`" in finding.cure


@pytest.mark.parametrize("handler", ["../index.handler", "index", "src/index", "src/index.mjs"])
def test_a_malformed_handler_is_named(world: World, handler: str) -> None:
    world.handler = handler
    world.add("index.js", "")
    assert "not a valid handler name" in world.report(policy=BUILD).findings[0].message


def test_a_handler_in_a_layer_is_found_there_and_not_missed_when_the_layer_is_not_given(world: World) -> None:
    world.handler = "/opt/nodejs/node_modules/wrap/handler.handler"
    assert world.report(policy=BUILD).findings == ()
    layer = World()
    layer.add("nodejs/node_modules/wrap/handler.mjs", "")
    assert world.report(policy=BUILD, layers=[layer]).findings == ()
    assert world.report(policy=BUILD, layers=[World()]).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("file", "runtime", "found"),
    [
        pytest.param("index.mjs", "nodejs22.x", True, marks=pytest.mark.proves("handler-shadowed")),
        pytest.param("index.js", "nodejs22.x", False, marks=pytest.mark.spares("handler-shadowed")),
        ("index.js", "nodejs24.x", True),
    ],
)
def test_a_directory_of_the_handlers_name_hides_it(world: World, file: str, runtime: str, *, found: bool) -> None:
    world.handler = "index.handler"
    world.add(file, "")
    world.add("index/other.js", "")
    assert [each.rule.name for each in world.report(runtime).findings] == (["handler-shadowed"] if found else [])


def sized(world: World, zip_bytes: int, unzipped_bytes: int) -> list[str]:
    subject = Subject("zip", "x.zip", zip_bytes=zip_bytes, unzipped_bytes=unzipped_bytes)
    report = check_package(subject, world.facts(), RUNTIME, Policy(TODAY))
    return [each.rule.name for each in report.findings]


@pytest.mark.spares("too-big", "needs-bucket")
def test_the_largest_sizes_that_lambda_takes_are_fine(world: World) -> None:
    assert sized(world, zip_bytes=MAX_ZIPPED_BYTES, unzipped_bytes=MAX_UNZIPPED_BYTES) == []


@pytest.mark.proves("too-big", "needs-bucket")
def test_a_byte_more_is_too_much(world: World) -> None:
    assert sized(world, zip_bytes=MAX_ZIPPED_BYTES + 1, unzipped_bytes=MAX_UNZIPPED_BYTES) == ["needs-bucket"]
    assert sized(world, zip_bytes=1, unzipped_bytes=MAX_UNZIPPED_BYTES + 1) == ["too-big"]


@pytest.mark.proves("too-big")
def test_layers_count_into_the_size(world: World) -> None:
    layer = World()
    layer.add("a", b"12345")
    facts = world.facts(layers=[layer])
    report = check_package(Subject("zip", "x", unzipped_bytes=MAX_UNZIPPED_BYTES - 4), facts, RUNTIME, Policy(TODAY))
    assert [each.rule.name for each in report.findings] == ["too-big"]


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        pytest.param("node_modules/x", "../lib/x", False, marks=pytest.mark.spares("link-leaves-tree")),
        pytest.param("node_modules/x", "../../x", True, marks=pytest.mark.proves("link-leaves-tree")),
        ("a", "/opt/lib/b", False),
        ("a", "/var/task/b", False),
        ("a", "/home/me/b", True),
        ("a", "..", True),
    ],
)
def test_a_link_has_to_stay_where_lambda_has_something(world: World, path: str, target: str, *, leaves: bool) -> None:
    world.links[path] = target
    found = [each.rule.name for each in world.report().findings if each.weight is Severity.ERROR]
    assert found == (["link-leaves-tree"] if leaves else [])


def test_link_loops_end(world: World) -> None:
    world.links.update({"a": "b", "b": "a", "node_modules": "node_modules"})
    world.handler = "a.handler"
    assert world.report().findings


@pytest.mark.spares("not-readable")
def test_files_that_only_others_may_read_are_fine(world: World) -> None:
    world.kind = "zip"
    world.add("a.js", "", mode=0o604)
    world.add("b.js", "", mode=0o644)
    world.add("bin/tool", "#!/bin/sh\n", mode=0o755)
    assert world.found() == []


@pytest.mark.proves("not-readable")
def test_unreadable_files_are_one_error_in_an_archive_and_a_note_in_a_directory(world: World) -> None:
    world.add("a.js", "", mode=0o600)
    world.add("b.js", "", mode=0o640)
    world.add("c.js", "", mode=0o644)
    world.add("d.js", "", mode=0)
    assert [each.weight for each in world.report().findings] == [Severity.NOTE]
    world.kind = "zip"
    (finding,) = world.report().findings
    assert finding.weight is Severity.ERROR
    assert dict(finding.evidence)["count"] == 2


@pytest.mark.proves("secret-packed")
def test_a_secret_is_an_error_that_a_reason_ends(world: World) -> None:
    facts = replace(world.facts(), secrets=(Secret("key.pem", "private key", 3),))
    policy = Policy(TODAY)
    report = check_package(Subject("zip", "x"), facts, RUNTIME, policy)
    assert (report.verdict, report.findings[0].line) == (Verdict.FAIL, 3)
    ignoring = replace(policy, ignores=(IgnoredFinding("LP305", "a test key", "*.pem"),))
    report = check_package(Subject("zip", "x"), facts, RUNTIME, ignoring)
    assert report.verdict is Verdict.PASS
    assert report.findings[0].ignored == "a test key"


@pytest.mark.parametrize(
    ("runtime", "today", "names"),
    [
        ("nodejs22.x", date(2026, 11, 21), []),
        pytest.param("nodejs20.x", date(2026, 4, 29), [], marks=pytest.mark.spares("runtime-deprecated")),
        pytest.param(
            "nodejs20.x",
            date(2026, 4, 30),
            ["runtime-deprecated"],
            marks=[pytest.mark.proves("runtime-deprecated"), pytest.mark.spares("runtime-blocked")],
        ),
        pytest.param("nodejs20.x", date(2027, 3, 3), ["runtime-blocked"], marks=pytest.mark.proves("runtime-blocked")),
        ("nodejs26.x", date(2040, 1, 1), []),
    ],
)
def test_the_life_cycle_depends_on_the_day(world: World, runtime: str, today: date, names: list[str]) -> None:
    assert [each.rule.name for each in world.report(runtime, policy=Policy(today)).findings] == names


def test_findings_are_worst_first_and_once_for_a_rule_and_path(world: World) -> None:
    world.kind = "zip"
    world.handler = "index.handler"
    world.links["z"] = "/home"
    world.links["a"] = "/home"
    report = world.report("nodejs20.x")
    assert [(each.rule.code, each.path) for each in report.findings] == [
        ("LP304", "a"),
        ("LP304", "z"),
        ("LP307", ""),
        ("LP301", "index.js"),
    ]
    assert apply_policy((*report.findings, *report.findings), Policy(TODAY)) == report.findings


def test_a_severity_of_the_user_counts(world: World) -> None:
    policy = Policy(TODAY, severities={"LP307": Severity.ERROR})
    assert world.report("nodejs20.x", policy=policy).verdict is Verdict.FAIL


def test_all_binaries_counts_what_nobody_loads(world: World) -> None:
    world.package("node_modules/a")
    world.add("node_modules/a/prebuilds/darwin-x64/a.node", b"not a binary at all")
    assert world.report(policy=Policy(TODAY, all_binaries=True)).verdict is Verdict.FAIL


def test_every_rule_is_registered_in_code_order() -> None:
    codes = [each.code for each in RULES]
    assert codes == sorted(set(codes))
