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
            help="An error message; - or a FILE for a log; a code such as LP201; a package's name.",
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
            help="Look there whether it is so; by default here, when there is a package.json.",
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
    """Say what a message means, and print the commands that end it.

    Takes one line, or a whole log: plain, JSON lines, a CloudWatch export, gzip or not. Says the cause, the file and
    the package, how sure that is, the commands to try in their order, and how to keep it from coming back. Exit 1 when
    nothing about packaging is recognised.

    Example: lambdapack explain "bcrypt_lib.node: invalid ELF header"
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.explain import ExplainOptions, run_explain  # noqa: PLC0415  # `--help` must not wait for it

    asked = ExplainOptions(
        text=None if text is None else " ".join(text),
        function=function,
        since=since,
        project=project,
        place=AwsOptions(profile, region, endpoint_url),
        style=report_format,
        quiet=quiet,
    )
    return run_explain(asked, {"runtime": runtime, "arch": arch})
