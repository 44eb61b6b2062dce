import io
import json
import re
from dataclasses import replace

import pytest

from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.model import Finding
from lambdapack.report import formats, human
from lambdapack.report.ci.place import FindingLocator
from lambdapack.report.doctor import Checkup, HealthCheck, HealthState, SettingOrigin, render_checkup
from lambdapack.report.formats import FORMATS, RenderContext
from lambdapack.report.text import align_columns, wrap_paragraph
from lambdapack.rules.model.report import Report
from tests.unit.report.samples import FAILING, WRONG_CPU

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "a\x07b",
    "\n::error file=x::forged",
    "x\r::set-output name=y::z",
    "##[error]forged",
    "##vso[task.complete result=Succeeded]",
    "\u202egpj.exe",
    "a\u2028::warning::b",
    "![x](https://evil.example/x.png)",
    "` ![x](https://evil.example/y.png) `",
    "`[click](https://evil.example)",
    "<img src=x onerror=alert(1)>",
    "w" * 70 + " ::error::wrapped " + "w" * 70 + " ::error::again",
    "https://evil.example/phish",
)
COMMAND = re.compile(r"^\s*::|##(?:vso)?\[", re.MULTILINE)


def report_with(name: str) -> Report:
    finding = Finding(WRONG_CPU, f"lib/{name}.node", f"it names {name} here", "pkg" + name, fix=f"Remove {name}.")
    return replace(FAILING, findings=(replace(finding, evidence=(("name", name),)),), judgements=())


def rendered(style: str, name: str) -> str:
    return formats.render_reports(style, (report_with(name),), RenderContext(FindingLocator, verbose=True))


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("style", [row.name for row in FORMATS if not row.builds_only])
def test_no_format_passes_on_what_steers_a_terminal_or_a_runner(style: str, name: str) -> None:
    text = rendered(style, name)
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []
    commands = COMMAND.findall(text)
    assert len(commands) == (1 if style == "github" else 0), text
    if style in {"json", "sarif", "gitlab"}:
        assert json.loads(text)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_words_of_a_file_become_no_image_link_or_element_in_markdown(name: str) -> None:
    text = rendered("markdown", name)
    outside = "\n".join("".join(line.replace("\\`", "'").split("`")[::2]) for line in text.splitlines())
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)!\[|<img|https?://|www\.", outside)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_code_scanning_sees_no_link_in_a_message(name: str) -> None:
    (run,) = json.loads(rendered("sarif", name))["runs"]
    (result,) = run["results"]
    assert "](" not in result["message"]["text"]
    assert result["message"]["text"].isprintable()


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_failures_checks_and_columns_are_no_commands(name: str) -> None:
    error = LambdapackError(BAD_TARGET, f"cannot read {name}", hint=f"Remove {name}.")
    check = HealthCheck("disk", HealthState.WARNING, name, f"Free {name}.")
    for text in (
        human.render_failure(error),
        render_checkup(Checkup((check,), (SettingOrigin("name", name, "default"),)), verbose=True),
        align_columns([[name.replace("\n", " "), "x"]]),
        wrap_paragraph("", name),
    ):
        assert COMMAND.findall(text) == [], text
    assert COMMAND.findall(formats.render_failure("github", error)) == ["::"]


def test_lines_of_other_programs_are_enclosed_where_a_runner_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = io.StringIO()
    reporter = ProgressReporter(stream=stream)
    with reporter.task("npm ci"):
        reporter.line("::error::forged")
        reporter.line("::stop-commands::x")
        reporter.line("##[error]\x1b[31m\u202e")
    reporter.note("done")
    reporter.line("::warning::outside a step")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "npm ci"
    assert lines[1].startswith("::stop-commands::")
    token = lines[1].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines[2:4] == ["    ::error::forged", "    ::stop-commands::x"]
    assert lines[4] == "    # #[error]\\x1b[31m\\u202e"
    assert lines[5:7] == [f"::{token}::", "note: done"]
    assert lines[7:] == [f"::stop-commands::{token}", "    ::warning::outside a step", f"::{token}::"]
    monkeypatch.delenv("GITHUB_ACTIONS")
    plain = io.StringIO()
    ProgressReporter(stream=plain).line("::error::x")
    assert plain.getvalue() == "    ::error::x\n"
