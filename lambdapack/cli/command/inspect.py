"""`lambdapack inspect`: signature and help; cli/run/inspect.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE


def inspect(
    target: Annotated[
        str, typer.Argument(help="Directory, zip, layer zip, or what is in AWS, as for verify.", metavar="TARGET")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a self-contained HTML report.", metavar="FILE")
    ] = None,
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    runtime_file: options.RuntimeFileOption = None,
    handler: options.HandlerOption = None,
    layer: options.LayerOption = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    ignore: options.IgnoreOption = None,
    no_cache: options.NoCacheOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every row.")] = False,
    quiet: options.QuietOption = False,
) -> int:
    """Show what is in a package and why: bytes by package and kind, native files, duplicates, what pruning saves.

    Findings are those of `verify`, but inspect always exits 0. Runtime and architecture come from the options, the
    manifest beside a zip, the function in AWS, or the settings.

    Example: lambdapack inspect function.zip

    Example: lambdapack inspect . --html package.html
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.inspect import InspectOptions, run_inspect  # noqa: PLC0415  # `--help` must not wait for it

    if not target:  # an empty variable of a script; Path("") would be the working directory
        raise LambdapackError(USAGE, "TARGET is empty", hint="Name a directory, a zip or a function.")
    flags: dict[str, object] = {"runtime": runtime, "arch": arch, "handler": handler, "layers": layer}
    flags |= {"ignore": ignore, "cache": False if no_cache else None}
    place = AwsOptions(profile, region, endpoint_url)
    arguments = InspectOptions(target, place, runtime_file, html, style=report_format, verbose=verbose, quiet=quiet)
    return run_inspect(arguments, flags)
