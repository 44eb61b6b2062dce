"""Which renderer a `--format` names."""

from collections.abc import Sequence

from lambdapack.report import github, gitlab, human, json_v1, markdown, sarif
from lambdapack.report.place import Whereabouts
from lambdapack.rules.verdict import Report


def render(
    style: str, reports: Sequence[Report], where: Whereabouts, *, several: bool = False, verbose: bool = False
) -> str:
    """Return the reports in a format: human, json, sarif, github, gitlab or markdown. KeyError for another."""
    if style == "json":
        return json_v1.render(tuple(reports), several=several)
    if style == "human":
        return "\n".join(human.render(each, verbose=verbose) for each in reports)
    if style == "markdown":
        return markdown.render(reports)
    return {"sarif": sarif.render, "github": github.render, "gitlab": gitlab.render}[style](reports, where)
