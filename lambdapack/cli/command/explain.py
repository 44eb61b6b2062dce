"""`lambdapack explain`: signature and help; cli/run/explain.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.cli.command.options import complete_codes_and_packages


def explain(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            help="An error message; - or a FILE for a log; a code such as LP201; a package.",
            metavar="TEXT|-|FILE|CODE|PACKAGE",
            autocompletion=complete_codes_and_packages,
        ),
    ] = None,
    function: Annotated[
        str, typer.Option("--function", "-f", help="Read the log group of this function.", metavar="NAME")
    ] = "",
    since: Annotated[str, typer.Option("--since", help="How far back: 30m, 1h, 2d.", metavar="TIME")] = "1h",
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            help="Project or zip to check against; default: this directory, with package.json.",
            metavar="PATH|ZIP",
        ),
    ] = None,
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    quiet: options.QuietOption = False,
) -> int:
    """Explain an error message and show the commands that fix it.

    Takes one line or a whole log: plain text, JSON lines, a CloudWatch export, also gzipped. Shows the cause, the file
    and the package, the certainty, the commands to try in order, and how to prevent it. Exit 1 when the text has no
    known packaging error.

    Example: lambdapack explain "bcrypt_lib.node: invalid ELF header"
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.explain import ExplainOptions, run_explain  # noqa: PLC0415  # `--help` must not wait for it

    arguments = ExplainOptions(
        text=None if text is None else " ".join(text),
        function=function,
        since=since,
        project=project,
        place=AwsOptions(profile, region, endpoint_url),
        style=report_format,
        quiet=quiet,
    )
    return run_explain(arguments, {"runtime": runtime, "arch": arch})
