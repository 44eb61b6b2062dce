"""Renders reports as GitLab Code Quality JSON.

Source: GitLab documentation, "Code Quality", section "Code Quality report format", read 2026-11.
"""

from collections.abc import Sequence

from lambdapack.model import Severity
from lambdapack.report.ci.place import fingerprint, located_message
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import escape_controls, format_json
from lambdapack.rules.model.report import Report

GITLAB_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return the findings that count, of all targets; GitLab drops those whose fingerprints are equal."""
    where = context.locate()
    issues = []
    for report in reports:
        for finding in report.findings:
            if finding.ignored is not None:
                continue
            place = where.place(finding)
            issues.append(
                {
                    "description": escape_controls(
                        f"{located_message(finding)} ({report.runtime.target}) {finding.cure}"
                    ),
                    "check_name": f"{finding.rule.code} {finding.rule.name}",
                    "fingerprint": fingerprint(finding, report),
                    "severity": GITLAB_SEVERITIES[finding.weight],
                    "location": {"path": escape_controls(place.file), "lines": {"begin": place.line}},
                }
            )
    return format_json(issues)
