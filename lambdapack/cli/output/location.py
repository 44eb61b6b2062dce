"""Locates the project in its repository for reports, and appends to GitHub's step summary."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.output import console
from lambdapack.errors.record import LambdapackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdapack.report.ci.place import FindingLocator
    from lambdapack.rules.model.report import Report

WORKSPACE_VARIABLES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Where GitHub's and GitLab's runners say that the repository is checked out."""

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""The file whose Markdown GitHub shows on the page of a run."""


def project_locator(target: Path) -> "FindingLocator":
    """Return where the files of the project behind a target are; of a zip, in the working directory's project."""
    from lambdapack.managers.registry import read_dependencies  # noqa: PLC0415  # only formats with lines ask for it
    from lambdapack.report.ci.place import FindingLocator, make_finding_locator  # noqa: PLC0415

    directory = target if target.is_dir() else Path.cwd()
    try:
        project = read_dependencies(directory)
    except LambdapackError:  # nothing there to point at but the target itself
        return FindingLocator(otherwise=_relative_to(target.resolve(), _find_repository(directory)))
    root = project.repository.root
    return make_finding_locator(project, _relative_to(root, _find_repository(root)))


def append_step_summary(reports: "Sequence[Report]") -> None:
    """Append the reports to GitHub's summary of the step, when there is one."""
    name = os.environ.get(SUMMARY_VARIABLE)
    if not name:
        return
    from lambdapack.report.ci.markdown import render_markdown, truncate_markdown  # noqa: PLC0415  # see project_locator

    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(truncate_markdown(render_markdown(reports)))
    except OSError as error:
        console.write_stderr(f"cannot write the step summary: {error.strerror or error}\n")


def _find_repository(directory: Path) -> Path:
    named = next((Path(value) for name in WORKSPACE_VARIABLES if (value := os.environ.get(name))), None)
    whole = directory.resolve()
    if named is not None and whole.is_relative_to(named.resolve()):
        return named.resolve()
    return next((path for path in (whole, *whole.parents) if (path / ".git").exists()), Path.cwd())


def _relative_to(path: Path, start: Path) -> str:
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
