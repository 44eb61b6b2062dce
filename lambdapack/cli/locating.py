"""Where the reader of a report stands: the repository around the project, and GitHub's page for a step."""

import os
from collections.abc import Sequence
from pathlib import Path

from lambdapack.cli import console
from lambdapack.cli.options import ReportFormat
from lambdapack.errors import LambdapackError
from lambdapack.project.reader import load
from lambdapack.report import markdown
from lambdapack.report.place import Whereabouts, whereabouts
from lambdapack.rules.verdict import Report

WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Where GitHub's and GitLab's runners say that the repository is checked out."""

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file whose Markdown GitHub shows on the page of a run."""


def whereabouts_of(target: Path) -> Whereabouts:
    """Return where the files of the project behind a target are; of a zip, in the working directory's project."""
    directory = target if target.is_dir() else Path.cwd()
    try:
        project = load(directory)
    except LambdapackError:  # nothing there to point at but the target itself
        return Whereabouts(otherwise=_below(target.resolve(), _repository(directory)))
    return whereabouts(project, _below(project.root, _repository(project.root)))


def summarise(style: str, reports: Sequence[Report]) -> None:
    """Append the reports to GitHub's summary of the step when annotations are written in a step."""
    name = os.environ.get(SUMMARY)
    if style != ReportFormat.GITHUB.value or not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(markdown.fitting(markdown.render(reports)))
    except OSError as error:
        console.talk(f"the step summary was not written: {error.strerror or error}\n")


def _repository(directory: Path) -> Path:
    named = next((Path(value) for name in WORKSPACES if (value := os.environ.get(name))), None)
    whole = directory.resolve()
    if named is not None and whole.is_relative_to(named.resolve()):
        return named.resolve()
    return next((each for each in (whole, *whole.parents) if (each / ".git").exists()), Path.cwd())


def _below(path: Path, start: Path) -> str:
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
