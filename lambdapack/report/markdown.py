"""A report as GitHub-flavoured Markdown: for step summaries, merge requests and tickets."""

from collections.abc import Iterable, Sequence

from lambdapack.model import Finding, Severity
from lambdapack.report.text import plural, printable, size
from lambdapack.rules.verdict import Report

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes of a step's summary ("Workflow commands for GitHub Actions", read 2026-11)."""

ROOM = 512
"""Bytes kept for the line that says what was cut."""


def render(reports: Sequence[Report]) -> str:
    """Return a section for each target: the verdict, a table of findings, and how each kind is ended."""
    return "\n".join(map(_section, reports))


def fitting(text: str, limit: int = SUMMARY_BYTES) -> str:
    """Return the text, cut at a line and saying so when it has more than `limit` bytes in UTF-8."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: limit - ROOM].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\nThe rest was cut: a summary holds {size(limit)}. `lambdapack verify --format json` has it all.\n"


def _section(report: Report) -> str:
    counting = [each for each in report.findings if each.ignored is None]
    ignored = len(report.findings) - len(counting)
    lines = [f"### lambdapack: {report.verdict.value} for {report.runtime.target}", "", _facts(report), ""]
    if counting:
        lines += ["| Severity | Code | Where | What |", "|---|---|---|---|", *map(_row, counting), ""]
        lines += _cures(counting)
    if ignored:
        lines += [f"{plural(ignored, 'finding')} ignored, with a reason.", ""]
    return "\n".join(lines)


def _facts(report: Report) -> str:
    subject = report.subject
    parts = [f"`{_plain(subject.archive or subject.path)}`", plural(len(report.judgements), "binary")]
    if subject.zip_bytes is not None:
        parts.append(f"zip {size(subject.zip_bytes)}")
    if subject.unzipped_bytes is not None:
        parts.append(f"unzipped {size(subject.unzipped_bytes)} of 250 MB")
    counts = [(severity, sum(each.weight is severity for each in _counting(report))) for severity in reversed(Severity)]
    parts += [plural(number, severity.value) for severity, number in counts if number]
    return ", ".join(parts) + "."


def _counting(report: Report) -> Iterable[Finding]:
    return (each for each in report.findings if each.ignored is None)


def _row(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    where = f"`{_plain(place)}`" if place else ""
    return f"| {finding.weight.value} | {finding.rule.code} {finding.rule.name} | {where} | {_cell(finding.message)} |"


def _cures(findings: Sequence[Finding]) -> list[str]:
    """Return why and fix, once for each rule and cure."""
    once = {(each.rule.code, each.cure): each for each in findings}
    lines = []
    for each in once.values():
        lines += [f"- **{each.rule.code} {each.rule.name}**: {_text(each.rule.why)} {_text(each.cure)}"]
    return [*lines, ""]


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Return words on one line that Markdown does not take for HTML; what stands between backquotes stays."""
    parts = printable(" ".join(text.split())).split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def _plain(text: str) -> str:
    """Return a path fit to stand between backquotes in a table."""
    return printable(text).replace("`", "'").replace("|", "\\|")
