"""The formats that CI services read."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdapack.errors.build import NO_ENGINE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Finding
from lambdapack.report.ci import github, gitlab, markdown, sarif
from lambdapack.report.ci.place import FindingLocator, fingerprint
from lambdapack.report.formats import FORMATS, RenderContext, ReportFormat, render_failure, render_reports
from lambdapack.rules.model.report import Report
from lambdapack.rules.registry import RULES
from tests.unit.report.samples import ADDON, FAILING, PASSING, WRONG_CPU

Golden = Callable[[str, str], None]

WHERE = FindingLocator("", "package-lock.json", {"node_modules/sharp": 42})
CONTEXT = RenderContext(lambda: WHERE, handler="index.handler")
BOTH = (FAILING, PASSING)
ALL_RULES = replace(FAILING, findings=tuple(Finding(rule, ADDON, "Something.") for rule in RULES))

STANDARD = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
"""OASIS's schema, as @microsoft/sarif-multitool-linux 5.7.0 ships it (MIT)."""


def valid(log: str) -> Any:
    document = json.loads(log)
    jsonschema.Draft202012Validator(STANDARD).validate(document)
    return document


def test_sarif_is_as_before(golden: Golden) -> None:
    golden("report-fail.sarif", sarif.render_reports((FAILING,), CONTEXT))


@pytest.mark.parametrize("reports", [BOTH, (PASSING,), (ALL_RULES,)], ids=["both", "passing", "all rules"])
def test_sarif_is_what_the_standard_says(reports: tuple[Report, ...]) -> None:
    document = valid(sarif.render_reports(reports, CONTEXT))
    assert [each["automationDetails"]["id"] for each in document["runs"]] == [
        f"lambdapack/{each.runtime.target}/" for each in reports
    ]


def test_sarif_points_each_result_at_its_rule_and_at_a_line() -> None:
    [run] = valid(sarif.render_reports((FAILING,), CONTEXT))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    [first, *_] = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("package-lock.json", 42)
    assert ADDON in first["message"]["text"]


def test_sarif_tells_of_what_is_ignored_as_suppressed_with_the_reason() -> None:
    [run] = valid(sarif.render_reports((FAILING,), CONTEXT))["runs"]
    suppressed = [each["suppressions"][0]["justification"] for each in run["results"] if "suppressions" in each]
    assert suppressed == ["it is the data of a test and never loaded"]


def test_a_fingerprint_outlives_words_and_lines_but_no_other_target() -> None:
    finding = FAILING.findings[0]
    reworded = replace(finding, message="In other words.", line=9)
    assert fingerprint(finding, FAILING) == fingerprint(reworded, FAILING)
    assert fingerprint(finding, FAILING) != fingerprint(finding, PASSING)


def test_sarif_writes_a_path_as_a_uri() -> None:
    odd = replace(FAILING, findings=(Finding(WRONG_CPU, "src/a b#c\udcff.js", "Something.", line=1),))
    [run] = valid(sarif.render_reports((odd,), CONTEXT))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "src/a%20b%23c%FF.js"


def test_gitlab_is_as_before(golden: Golden) -> None:
    golden("report-fail.gitlab.json", gitlab.render_reports((FAILING,), CONTEXT))


def test_gitlab_gets_only_what_counts_each_with_a_fingerprint_of_its_own() -> None:
    issues = json.loads(gitlab.render_reports((FAILING, replace(FAILING, runtime=PASSING.runtime)), CONTEXT))
    assert len(issues) == 2 * sum(each.ignored is None for each in FAILING.findings)
    assert len({each["fingerprint"] for each in issues}) == len(issues)
    assert {each["severity"] for each in issues} <= {"info", "minor", "major", "critical", "blocker"}


def test_gitlab_gets_an_empty_array_for_a_good_package() -> None:
    assert json.loads(gitlab.render_reports((PASSING,), CONTEXT)) == []


def test_github_is_as_before(golden: Golden) -> None:
    golden("report-fail.github.txt", github.render_reports((FAILING,), CONTEXT))


def test_a_file_name_cannot_give_the_runner_commands() -> None:
    hostile = Finding(WRONG_CPU, "a,b:c\n::set-env name=X::y", "100 %\nreally", line=3)
    text = github.render_reports((replace(FAILING, findings=(hostile,)),), CONTEXT)
    assert text.startswith(
        "::error file=a%2Cb%3Ac%0A%3A%3Aset-env name=X%3A%3Ay,line=3,title=LP201 wrong-cpu::100 %25%0A"
    )
    assert text.count("\n") == 1


def test_a_failure_is_an_annotation_too() -> None:
    text = github.render_failure(LambdapackError(NO_ENGINE, "no socket"))
    assert text.startswith("::error title=LP101 no-engine::")
    assert text.count("\n") == 1


def test_markdown_is_as_before(golden: Golden) -> None:
    golden("report-fail.md", markdown.render_markdown((FAILING, PASSING)))


def test_a_name_cannot_break_out_of_its_cell() -> None:
    odd = Finding(WRONG_CPU, "a|b`c.node", "x | <b>y</b>\nz")
    text = markdown.render_markdown((replace(FAILING, findings=(odd,)),))
    assert "| error | LP201 wrong-cpu | `a\\|b'c.node` | x \\| &lt;b>y&lt;/b> z |" in text


def test_a_summary_is_cut_at_a_line_and_says_so() -> None:
    text = markdown.truncate_markdown("line of text\n" * 1000, limit=2000)
    assert len(text.encode()) <= 2000
    assert "\n\nThe rest is cut off: a summary holds at most 2.0 KB." in text
    assert markdown.truncate_markdown("short\n") == "short\n"


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_format_renders_a_report_and_a_failure_when_it_has_a_word_for_one(row: ReportFormat) -> None:
    text = render_reports(row.name, (FAILING,), CONTEXT)
    assert text.endswith("\n")
    assert FAILING.runtime.target.runtime in text
    assert ("no socket" in render_failure(row.name, LambdapackError(NO_ENGINE, "no socket"))) is row.has_failures
