"""The one registry of `--format`: the words, their help, and the module that renders each.

A new format is one module that defines `render_reports` (and `render_failure`, when it has a word for one), and one
row here: `--format`, its completion and its help follow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdapack.errors.record import LambdapackError
    from lambdapack.report.ci.place import FindingLocator
    from lambdapack.rules.model.report import Report


class ReportFormat(NamedTuple):
    """One word of `--format`."""

    name: str
    help: str  # one clause, lower case, no full stop
    module: str  # in lambdapack.report; imported when the format is used
    builds_only: bool = False  # it describes an archive, and `verify` has none
    has_failures: bool = False  # its module renders a failure, too


HUMAN = "human"
JSON = "json"
GITHUB = "github"
TERRAFORM = "terraform-external"

FORMATS = (
    ReportFormat(HUMAN, "text for people", "human"),
    ReportFormat(JSON, "the report document, see `lambdapack schema report`", "document.report", has_failures=True),
    ReportFormat("sarif", "SARIF 2.1.0 for code scanning", "ci.sarif"),
    ReportFormat(GITHUB, "annotations of GitHub Actions", "ci.github", has_failures=True),
    ReportFormat("gitlab", "a GitLab Code Quality report", "ci.gitlab"),
    ReportFormat("markdown", "a summary for pull requests", "ci.markdown"),
    ReportFormat(TERRAFORM, "the answer to Terraform's external data source", "ci.terraform", builds_only=True),
)

VERIFY_FORMATS = tuple(row.name for row in FORMATS if not row.builds_only)
BUILD_FORMATS = tuple(row.name for row in FORMATS)


class RenderContext(NamedTuple):
    """What a renderer may need besides the reports."""

    locate: "Callable[[], FindingLocator]"  # reads the project's files: for formats that point at lines
    several: bool = False  # an array was asked for, whatever the number of reports
    verbose: bool = False
    handler: str = ""


class Renderer(Protocol):
    """What the module of a format is."""

    def render_reports(self, reports: "Sequence[Report]", context: RenderContext) -> str:
        """Return the reports in this format, with a line end."""
        ...

    def render_failure(self, error: "LambdapackError") -> str:
        """Return a failure in this format, with a line end; only of formats that have failures."""
        ...


def render_reports(name: str, reports: "Sequence[Report]", context: RenderContext) -> str:
    """Return the reports in a format. KeyError for a name that FORMATS lacks."""
    return _load_renderer({row.name: row for row in FORMATS}[name]).render_reports(reports, context)


def render_failure(name: str, error: "LambdapackError") -> str:
    """Return a failure in a format, "" when the format has no word for one."""
    row = next((row for row in FORMATS if row.name == name and row.has_failures), None)
    return _load_renderer(row).render_failure(error) if row else ""


def _load_renderer(row: ReportFormat) -> Renderer:
    return cast("Renderer", import_module(f"lambdapack.report.{row.module}"))
