"""A report as GitHub Actions annotations: workflow commands that the runner reads from stdout.

Source: GitHub documentation, "Workflow commands for GitHub Actions"; escapes as in @actions/core 3.0.1.
"""

from collections.abc import Sequence

from lambdapack.errors import LambdapackError
from lambdapack.model import Severity
from lambdapack.report.place import Whereabouts
from lambdapack.report.sarif import message
from lambdapack.rules.verdict import Report

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(reports: Sequence[Report], where: Whereabouts) -> str:
    """Return one line for each finding that counts, worst first: the runner shows ten of a kind in a step."""
    lines = []
    for report in reports:
        for each in report.findings:
            if each.ignored is not None:
                continue
            place = where.place(each)
            properties = {"file": place.file, "line": str(place.line), "title": f"{each.rule.code} {each.rule.name}"}
            text = f"{message(each)} ({report.runtime.target})\n{each.rule.why}\n{each.cure}"
            lines.append(_command(COMMANDS[each.weight], properties, text))
    return "".join(lines)


def failure(error: LambdapackError) -> str:
    """Return a failure as one annotation without a place."""
    record = error.failure
    text = "\n".join(part for part in (f"{record.title}: {error.detail}", record.why, error.hint) if part)
    return _command("error", {"title": f"{record.code} {record.name}"}, text)


def _command(name: str, properties: dict[str, str], text: str) -> str:
    escaped = ",".join(
        f"{key}={_data(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {escaped}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
