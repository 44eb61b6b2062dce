"""Renders reports as GitHub Actions annotations.

Source: GitHub documentation, "Workflow commands for GitHub Actions", read 2026-11; escapes as in @actions/core 3.0.1.
"""

from collections.abc import Sequence

from lambdapack.errors.record import LambdapackError
from lambdapack.model import Severity
from lambdapack.report.ci.place import located_message
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import escape_controls
from lambdapack.rules.model.report import Report

ANNOTATION_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return one line for each finding that counts, worst first: the runner shows ten of a kind in a step."""
    where = context.locate()
    lines = []
    for report in reports:
        for finding in report.findings:
            if finding.ignored is not None:
                continue
            place = where.place(finding)
            properties = {
                "file": place.file,
                "line": str(place.line),
                "title": f"{finding.rule.code} {finding.rule.name}",
            }
            text = f"{located_message(finding)} ({report.runtime.target})\n{finding.rule.why}\n{finding.cure}"
            lines.append(_render_annotation(ANNOTATION_COMMANDS[finding.weight], properties, text))
    return "".join(lines)


def render_failure(error: LambdapackError) -> str:
    """Return a failure as one annotation without a place."""
    record = error.failure
    text = "\n".join(part for part in (f"{record.title}: {error.detail}", record.why, error.hint) if part)
    return _render_annotation("error", {"title": f"{record.code} {record.name}"}, text)


def _render_annotation(name: str, properties: dict[str, str], text: str) -> str:
    escaped = ",".join(
        f"{key}={_escape_data(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {escaped}::{_escape_data(text)}\n"


def _escape_data(text: str) -> str:
    lines = "\n".join(map(escape_controls, text.split("\n")))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
