"""A report as SARIF 2.1.0, as GitHub code scanning and editors take it.

Source: OASIS "Static Analysis Results Interchange Format 2.1.0"; GitHub's own demands (a location for every result,
help for every rule) from its "SARIF support for code scanning", read 2026-11.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from lambdapack import __version__
from lambdapack.model import Finding, Rule
from lambdapack.report.ci.place import FindingLocator, fingerprint, located_message
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import escape_controls, format_json
from lambdapack.rules.model.report import Report

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return one log with a run for each target, ASCII, with a line end."""
    where = context.locate()
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [_sarif_run(report, where) for report in reports]}
    return format_json(log)


def _sarif_run(report: Report, where: FindingLocator) -> dict[str, Any]:
    rules = sorted(
        {finding.rule.code: finding.rule for finding in report.findings}.values(), key=lambda rule: rule.code
    )
    places = {rule.code: index for index, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": {"name": "lambdapack", "semanticVersion": __version__, "rules": [_sarif_rule(r) for r in rules]}
        },
        "automationDetails": {"id": f"lambdapack/{report.runtime.target}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding, places[finding.rule.code], report, where) for finding in report.findings],
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": f"{rule.title[0].upper()}{rule.title[1:]}."},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix, "markdown": f"{rule.why}\n\n{rule.fix}"},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": ["aws-lambda", "packaging"]},
    }


def _sarif_result(finding: Finding, index: int, report: Report, where: FindingLocator) -> dict[str, Any]:
    place = where.place(finding)
    uri = quote(place.file.encode("utf-8", "surrogateescape"))
    result: dict[str, Any] = {
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": finding.weight.value,
        "message": {"text": _escape_message(f"{located_message(finding)} {finding.cure}")},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": place.line}}},
        ],
        "partialFingerprints": {"lambdapack/1": fingerprint(finding, report)},
        "properties": {"path": finding.path, "package": finding.package, "evidence": dict(finding.evidence)},
    }
    if finding.ignored is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result


def _escape_message(text: str) -> str:
    """Return a message without control characters and links: SARIF takes [text](target) for one (3.11.6)."""
    return escape_controls(text).replace("](", "] (")
