"""A report as GitLab's Code Quality artifact: a JSON array, one object a finding.

Source: GitLab documentation, "Code Quality", section "Code Quality report format", read 2026-11.
"""

import json
from collections.abc import Sequence

from lambdapack.model import Severity
from lambdapack.report.place import Whereabouts
from lambdapack.report.sarif import fingerprint, message
from lambdapack.rules.verdict import Report

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(reports: Sequence[Report], where: Whereabouts) -> str:
    """Return the findings that count, of all targets; GitLab drops those whose fingerprints are equal."""
    issues = []
    for report in reports:
        for each in report.findings:
            if each.ignored is not None:
                continue
            place = where.place(each)
            issues.append(
                {
                    "description": f"{message(each)} ({report.runtime.target}) {each.cure}",
                    "check_name": f"{each.rule.code} {each.rule.name}",
                    "fingerprint": fingerprint(each, report),
                    "severity": SEVERITIES[each.weight],
                    "location": {"path": place.file, "lines": {"begin": place.line}},
                }
            )
    return json.dumps(issues, indent=2) + "\n"
