"""Renders reports as GitHub Actions annotations and as GitLab Code Quality JSON, by their documentation of 2026-11.

Source: GitHub documentation, "Workflow commands for GitHub Actions"; escapes as in @actions/core 3.0.1.

Source: GitLab documentation, "Code Quality", section "Code Quality report format", read 2026-11.
"""

import json
from collections.abc import Sequence

from lambdapack.errors.record import LambdapackError
from lambdapack.model import Severity
from lambdapack.report.place import FindingLocator
from lambdapack.report.sarif import fingerprint, located_message
from lambdapack.rules.model.report import Report

ANNOTATION_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(reports: Sequence[Report], where: FindingLocator) -> str:
    """Return one line for each finding that counts, worst first: the runner shows ten of a kind in a step."""
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


def render_failure_github(error: LambdapackError) -> str:
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
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


GITLAB_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render_gitlab(reports: Sequence[Report], where: FindingLocator) -> str:
    """Return the findings that count, of all targets; GitLab drops those whose fingerprints are equal."""
    issues = []
    for report in reports:
        for finding in report.findings:
            if finding.ignored is not None:
                continue
            place = where.place(finding)
            issues.append(
                {
                    "description": f"{located_message(finding)} ({report.runtime.target}) {finding.cure}",
                    "check_name": f"{finding.rule.code} {finding.rule.name}",
                    "fingerprint": fingerprint(finding, report),
                    "severity": GITLAB_SEVERITIES[finding.weight],
                    "location": {"path": place.file, "lines": {"begin": place.line}},
                }
            )
    return json.dumps(issues, indent=2) + "\n"
