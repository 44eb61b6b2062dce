"""Renders reports in the format that `--format` names."""

from collections.abc import Sequence

from lambdapack.report import github, human, json_v1, markdown, sarif
from lambdapack.report.github import render_gitlab
from lambdapack.report.place import FindingLocator
from lambdapack.rules.model.report import Report


def render_reports(
    style: str, reports: Sequence[Report], where: FindingLocator, *, several: bool = False, verbose: bool = False
) -> str:
    """Return the reports in a format: human, json, sarif, github, gitlab or markdown. KeyError for another."""
    if style == "json":
        return json_v1.render_json(tuple(reports), several=several)
    if style == "human":
        return "\n".join(human.render_human(report, verbose=verbose) for report in reports)
    if style == "markdown":
        return markdown.render_markdown(reports)
    return {"sarif": sarif.render_sarif, "github": github.render_github, "gitlab": render_gitlab}[style](reports, where)
