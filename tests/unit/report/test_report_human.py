import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lambdapack.errors.build import NPM_FAILED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.registry import FAILURES
from lambdapack.model import Finding, Rule, Severity
from lambdapack.report import human
from lambdapack.report.text import format_count, format_size, join_parts, quote_lines, wrap_paragraph
from lambdapack.rules.model.report import Subject, Verdict
from lambdapack.rules.registry import RULES
from tests.unit.report.samples import ADDON, FAILING, PASSING, SECRET, WRONG_CPU

Golden = Callable[[str, str], None]


def too_long(text: str) -> list[str]:
    """Lines beyond 80 columns that are neither a path nor another program's words."""
    return [line for line in text.splitlines() if len(line) > 80 and not line.startswith(("  --> ", "  | "))]


def test_a_report_without_findings_is_its_summary(golden: Golden) -> None:
    golden("report-pass.txt", human.render_human(PASSING))


def test_a_report_names_what_counts_and_counts_what_is_ignored(golden: Golden) -> None:
    golden("report-fail.txt", human.render_human(FAILING))


def test_a_verbose_report_shows_what_is_ignored_with_its_reason(golden: Golden) -> None:
    assert "ignored[LP201]" in human.render_human(FAILING, verbose=True)
    golden("report-fail-verbose.txt", human.render_human(FAILING, verbose=True))


def test_what_is_said_of_several_files_is_said_once_with_all_of_them() -> None:
    secrets = [Finding(SECRET, f"keys/{each}.pem", "it holds what looks like a private key") for each in range(30)]
    other = Finding(SECRET, "keys/0.txt", "it holds what looks like an npm token", line=3)
    report = replace(FAILING, findings=(*secrets, other))
    text = human.render_human(report)
    assert text.count("error[LP305]") == 2
    assert sorted(re.findall("it holds what .*", text)) == sorted((other.message, secrets[0].message))
    assert text.count("  --> ") == 21
    assert "  ... and 10 more\n" in text
    assert "31 errors" in text
    assert human.render_human(report, verbose=True).count("  --> ") == 31


def test_the_same_words_about_two_packages_stay_with_each_of_them() -> None:
    found = tuple(replace(FAILING.findings[0], package=each, path="a.node", message="x") for each in ("a", "b"))
    assert human.render_human(replace(FAILING, findings=found)).count("  | x") == 2


def test_of_what_was_never_installed_nothing_is_said_about_native_code() -> None:
    refused = replace(FAILING, subject=Subject("directory", "app"), judgements=())
    assert "nodejs22.x/arm64 - nothing installed - " in human.render_human(refused)


def test_a_failure_ends_with_what_to_do(golden: Golden) -> None:
    detail = (
        "npm error code ETARGET\nnpm error notarget No matching version found for left-pad@^9.0.0, nor any other of it."
    )
    golden("failure.txt", human.render_failure(LambdapackError(NPM_FAILED, detail)))


def test_rendering_twice_gives_the_same() -> None:
    assert human.render_human(FAILING) == human.render_human(FAILING)
    assert human.render_human(FAILING).isascii()


def test_the_verdict_is_the_worst_finding_that_counts() -> None:
    ignored = tuple(replace(each, ignored="known") for each in FAILING.findings)
    assert FAILING.verdict is Verdict.FAIL
    assert replace(FAILING, findings=FAILING.findings[2:]).verdict is Verdict.WARN
    assert replace(FAILING, findings=ignored).verdict is Verdict.PASS
    assert "5 ignored" in human.render_human(replace(FAILING, findings=ignored))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_finding_fits_into_80_columns(rule: Rule) -> None:
    message = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    text = human.render_human(replace(FAILING, findings=(Finding(rule, ADDON, message, "sharp"),)))
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.count(rule.code) == 1


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.code)
def test_every_failure_fits_into_80_columns(failure: Failure) -> None:
    text = human.render_failure(LambdapackError(failure, "x" * 200))
    assert too_long(text) == []
    assert text.startswith(f"error[{failure.code}]: ")
    assert text.splitlines()[1] == f"  | {'x' * 200}"


def test_a_long_path_is_never_broken() -> None:
    path = "/".join(["node_modules/a-package-with-a-name"] * 5)
    text = human.render_human(replace(FAILING, findings=(Finding(WRONG_CPU, path, "it is odd"),)))
    assert f"  --> {path}\n" in text
    assert too_long(text) == []


def test_the_owner_is_said_when_the_path_does_not() -> None:
    text = human.render_human(FAILING)
    assert "--> vendor/x.so (odd)" in text
    assert f"--> {ADDON}\n" in text


@pytest.mark.parametrize("findings", [1, 40])
def test_a_summary_that_does_not_fit_goes_on_in_another_line(findings: int) -> None:
    many = tuple(replace(each, path=f"{n}") for n in range(findings) for each in FAILING.findings)
    lines = human.render_summary(replace(FAILING, findings=many)).splitlines()
    assert 2 <= len(lines) <= 3
    assert all(each.startswith("  ") for each in lines[1:])
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("fail: nodejs22.x/arm64 - ")


def test_a_name_in_a_package_cannot_steer_the_terminal_or_forge_a_line() -> None:
    path = "x\x1b[2J\nerror[LP999]: forged\r.node"
    finding = Finding(WRONG_CPU, path, f"\x1b]0;title\x07 of {path}", severity=Severity.NOTE)
    text = human.render_human(replace(PASSING, findings=(finding,)))
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert not re.search(r"^error\[", text, re.MULTILINE)
    assert r"x\x1b[2J\nerror" in text


def test_another_programs_colours_are_written_out_and_its_tabs_stay() -> None:
    assert quote_lines("\x1b[31mred\x1b[0m\tend") == "  | \\x1b[31mred\\x1b[0m\tend"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (250 * 1024**2, "250.0 MB"), (5 * 1024**4, "5120.0 GB")],
)
def test_sizes_are_in_units_that_aws_uses(count: int, shown: str) -> None:
    assert format_size(count) == shown


def test_counts_have_their_plural() -> None:
    assert [format_count(count, "binary") for count in (0, 1, 2)] == ["0 binaries", "1 binary", "2 binaries"]
    assert format_count(3, "error") == "3 errors"


def test_paragraphs_are_indented_below_their_first_word() -> None:
    text = wrap_paragraph("  = why: ", "word " * 30)
    assert [line[:9] for line in text.splitlines()] == ["  = why: ", " " * 9, " " * 9]
    assert wrap_paragraph("lead: ", "") == "lead:"


def test_a_command_stays_on_one_line_while_a_line_can_hold_it() -> None:
    text = wrap_paragraph(
        "  = fix: ", "Install it for the other system, and then say: `npm ci --os=linux --cpu=x64`, once."
    )
    assert text.splitlines()[1] == "         `npm ci --os=linux --cpu=x64`, once."
    long = f"`npm pkg set {'x' * 40} {'y' * 40}`"
    assert max(map(len, wrap_paragraph("  = fix: ", long).splitlines())) <= 80


def test_parts_are_joined_while_they_fit() -> None:
    assert join_parts(["a", "b"], " - ") == "a - b"
    assert join_parts(["a" * 70, "b" * 20, "c"], " - ") == f"{'a' * 70}\n  {'b' * 20} - c"


def test_sizes_of_the_zip_are_in_the_summary() -> None:
    subject = Subject("zip", "x.zip", zip_bytes=1024, unzipped_bytes=2048)
    assert human.render_summary(replace(PASSING, subject=subject)).endswith("zip 1.0 KB, unzipped 2.0 KB of 250 MB")
