"""The published schemas are whole, and no test gets a report past them."""

import ast
import json
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdapack.cli.app import run_command
from lambdapack.config.settings import OPTIONS
from lambdapack.report.document import published
from lambdapack.report.document import report as report_document
from tests.command import lambdapack
from tests.products import check, check_run, open_objects, undescribed, validators
from tests.unit.report.samples import FAILING
from tests.unit.report.schemas import CAUSES

TESTS = Path(__file__).resolve().parents[1]

STARTED_BY_HAND = {
    "tests/house/test_walkthroughs.py": "starts a changed copy of the program",
    "tests/command.py": "the one that checks",
    "tests/integration/test_processes.py": "streams that are closed, full or of another encoding",
    "tests/integration/test_readme_transcript.py": "both streams in one, as people see them",
    "tests/bench/bench_deploy.py": "timed against boto3 from outside",
    "tests/bench/bench_store.py": "timed against a Python that does nothing",
    "tests/bench/bench_judge.py": "timed against others from outside",
    "tests/bench/bench_explain.py": "timed against others from outside",
    "tests/integration/test_bad_input.py": "a process that is stopped by a signal",
    "tests/unit/cli/test_unchanged.py": "what a run of its own process repeats of the last one",
    "tests/attack/test_attack_signals.py": "processes that are stopped while they run, and what they say then",
    "tests/integration/test_invoke.py": "processes that are stopped, and debugged, while they run",
}
"""Modules that start the command themselves; what they read is no report."""


def report() -> dict[str, Any]:
    return dict(report_document.make_report_document(FAILING))


@pytest.mark.parametrize("name", published.SCHEMAS)
def test_a_schema_is_closed_and_describes_every_field(name: str) -> None:
    schema = published.find_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(undescribed(schema)) == []
    assert [each for each in open_objects(schema) if not each.endswith("/evidence")] == []


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"verdict": "good"},
        {"schema": "lambdapack/report/0"},
        {"schema": None},
        {"binaries": [{"path": "x"}]},
        {"findings": [{"code": "LP888"}]},
    ],
    ids=str,
)
def test_a_report_that_is_not_as_published_fails(change: dict[str, Any]) -> None:
    check(json.dumps(report()), ours=True)
    with pytest.raises((jsonschema.ValidationError, AssertionError)):
        check(json.dumps({**report(), **change}), ours=True)
    with pytest.raises((jsonschema.ValidationError, AssertionError)):
        check_run(["verify", "--format", "json"], json.dumps([report(), {**report(), **change}]))


@pytest.mark.parametrize("field", report())
def test_a_report_that_lacks_a_field_fails(field: str) -> None:
    with pytest.raises((jsonschema.ValidationError, AssertionError)):
        check(json.dumps({name: each for name, each in report().items() if name != field}), ours=True)


def test_the_check_stands_behind_every_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**report(), "extra": 1}
    monkeypatch.setattr(report_document, "make_report_document", lambda _report: changed)
    with pytest.raises(jsonschema.ValidationError, match="extra"):
        report_document.render_json((FAILING,))


def starts_the_command(node: ast.AST) -> bool:
    words = [each.value if isinstance(each, ast.Constant) else None for each in getattr(node, "elts", ())]
    return ("-m", "lambdapack") in pairwise(words)


def test_only_the_runner_that_checks_starts_the_command() -> None:
    found = {
        path.relative_to(TESTS.parent).as_posix()
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__).resolve()
        if any(map(starts_the_command, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == set(STARTED_BY_HAND)


def test_causes_are_those_of_the_design() -> None:
    causes = published.find_schema("report")["$defs"]["report"]["properties"]["binaries"]["items"]["properties"][
        "cause"
    ]
    assert causes["enum"] == [*CAUSES, None]


def test_every_setting_is_in_the_schema_for_editors() -> None:
    fields = published.find_schema("config")["properties"]
    assert OPTIONS
    for option in OPTIONS:
        table, _dot, key = option.name.rpartition(".")
        assert key in (fields[table]["properties"] if table else fields)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('runtime = "nodejs22.x"\narch = "all"\nmemory = "4g"\ntime-limit = "1h30m"\nlayer = true', True),
        ('[engine.hosts]\narm64 = "ssh://graviton"\n[ignore]\n"wrong-cpu:node_modules/x/*" = "read by tests"', True),
        ('"$schema" = "lambdapack.schema.json"\nmemory = 536870912\nsilence-limit = 90', True),
        ('arch = "sparc"', False),
        ('runtimes = "nodejs22.x"', False),
        ('memory = "much"', False),
        ('[engine.hosts]\nppc = "ssh://x"', False),
        ('[ignore]\nLP888 = "unknown"', False),
    ],
)
def test_an_editor_is_told_what_the_program_would_say(tmp_path: Path, text: str, fits: bool) -> None:
    (tmp_path / "lambdapack.toml").write_text(text, encoding="utf-8")
    (tmp_path / "index.js").write_text("exports.handler = async () => 1\n", encoding="utf-8")
    judged = run_command(["verify", str(tmp_path), "--runtime", "nodejs22.x", "--fail-on", "never"])
    validator = jsonschema.Draft202012Validator(published.find_schema("config"))
    assert (judged == 0, validator.is_valid(tomllib.loads(text))) == (fits, fits)


def test_a_schema_is_printed_and_listed_by_its_name() -> None:
    assert [line.split()[0] for line in lambdapack("schema").stdout.splitlines()] == list(published.SCHEMAS)
    assert json.loads(lambdapack("schema", "report").stdout) == published.find_schema("report")
    wrong = lambdapack("schema", "reports")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Choose one of report, failure" in wrong.stderr
    assert len(validators()) == len(published.SCHEMAS)
