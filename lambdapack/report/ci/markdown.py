"""A report as GitHub-flavoured Markdown: for step summaries, merge requests and tickets."""

import re
from collections.abc import Iterable, Sequence

from lambdapack.model import Finding, Severity
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import escape_controls, format_count, format_size
from lambdapack.rules.model.report import Report

MARKUP = re.compile(r"[\[\]!*~#]|(?<!\w)_|_(?!\w)")
"""Signs that begin images, links, emphasis and headings (GitHub Flavored Markdown 0.29, sections 6.4 to 6.9)."""

MAX_SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes of a step's summary ("Workflow commands for GitHub Actions", read 2026-11)."""

CUT_NOTE_BYTES = 512
"""Bytes kept for the line that says what was cut."""


def render_reports(reports: Sequence[Report], _context: RenderContext) -> str:
    """Return the reports as Markdown."""
    return render_markdown(reports)


def render_markdown(reports: Sequence[Report]) -> str:
    """Return a section for each target: the verdict, a table of findings, and how each kind is ended."""
    return "\n".join(map(_render_section, reports))


def truncate_markdown(text: str, limit: int = MAX_SUMMARY_BYTES) -> str:
    """Return the text, cut at a line and saying so when it has more than `limit` bytes in UTF-8."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: limit - CUT_NOTE_BYTES].decode(errors="ignore").rpartition("\n")[0]
    cut = f"The rest is cut off: a summary holds at most {format_size(limit)}."
    return f"{kept}\n\n{cut} `lambdapack verify --format json` has everything.\n"


def _render_section(report: Report) -> str:
    counting = [finding for finding in report.findings if finding.ignored is None]
    ignored = len(report.findings) - len(counting)
    lines = [f"### lambdapack: {report.verdict.value} for {report.runtime.target}", "", _render_facts(report), ""]
    if counting:
        lines += ["| Severity | Code | Where | What |", "|---|---|---|---|", *map(_render_row, counting), ""]
        lines += _render_fixes(counting)
    if ignored:
        lines += [f"{format_count(ignored, 'finding')} ignored, with a reason.", ""]
    return "\n".join(lines)


def _render_facts(report: Report) -> str:
    subject = report.subject
    parts = [f"`{_escape_path(subject.archive or subject.path)}`", format_count(len(report.judgements), "binary")]
    if subject.zip_bytes is not None:
        parts.append(f"zip {format_size(subject.zip_bytes)}")
    if subject.unzipped_bytes is not None:
        parts.append(f"unzipped {format_size(subject.unzipped_bytes)} of 250 MB")
    counts = [
        (severity, sum(finding.weight is severity for finding in _counting_findings(report)))
        for severity in reversed(Severity)
    ]
    parts += [format_count(number, severity.value) for severity, number in counts if number]
    return ", ".join(parts) + "."


def _counting_findings(report: Report) -> Iterable[Finding]:
    return (finding for finding in report.findings if finding.ignored is None)


def _render_row(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    where = f"`{_escape_path(place)}`" if place else ""
    rule = f"{finding.rule.code} {finding.rule.name}"
    message = _escape_foreign(finding.message).replace("|", "\\|")
    return f"| {finding.weight.value} | {rule} | {where} | {message} |"


def _render_fixes(findings: Sequence[Finding]) -> list[str]:
    """Return why and fix, once for each rule and cure."""
    once = {(finding.rule.code, finding.cure): finding for finding in findings}
    lines = []
    for finding in once.values():
        rule = f"**{finding.rule.code} {finding.rule.name}**"
        lines.append(f"- {rule}: {_escape_text(finding.rule.why)} {_escape_foreign(finding.cure)}")
    return [*lines, ""]


def _escape_foreign(text: str) -> str:
    """Return words that may hold a name out of a file: no image, link, heading or emphasis comes of them.

    A name can hold backquotes: an odd one is no code, and what stands between two is none of Markdown's either way.
    """
    parts = escape_controls(" ".join(text.split())).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["\\`".join(parts[-2:])] if len(parts) > 2 else ["'".join(parts)]
    return "`".join(part if index % 2 else _escape_markup(part) for index, part in enumerate(parts))


def _escape_markup(text: str) -> str:
    """Return a text without markup, and whose addresses are no links: GitHub makes one of each bare URL."""
    bare = MARKUP.sub(lambda match: f"\\{match[0]}", text).replace("<", "&lt;")
    return bare.replace("://", "&#58;//").replace("www.", "www&#46;")


def _escape_text(text: str) -> str:
    """Return words on one line that Markdown does not take for HTML; what stands between backquotes stays."""
    parts = escape_controls(" ".join(text.split())).split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def _escape_path(text: str) -> str:
    """Return a path fit to stand between backquotes in a table."""
    return escape_controls(text).replace("`", "'").replace("|", "\\|")
