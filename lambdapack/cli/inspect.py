"""`lambdapack inspect`: the options; inspecting.py does it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import options
from lambdapack.errors import USAGE, LambdapackError


def inspect(
    target: Annotated[
        str, typer.Argument(help="Directory, zip, layer zip, or what is in AWS, as for verify.", metavar="TARGET")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a page with all of it to show around.", metavar="FILE")
    ] = None,
    runtime: options.Runtime = None,
    arch: options.Arch = None,
    runtime_file: options.RuntimeFile = None,
    handler: options.Handler = None,
    layer: options.Layers = None,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint_url: options.Endpoint = None,
    report_format: options.FormatOption = options.Format.HUMAN,
    ignore: options.Ignores = None,
    no_cache: options.NoCache = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every row.")] = False,
    quiet: options.Quiet = False,
) -> int:
    """Say what is in a package and why: bytes by package and kind, native files, copies, what pruning would save.

    Findings are those of `verify`, which also gates: inspect exits 0 whatever it finds. Runtime and architecture come
    from the options, the manifest beside a zip, the function in AWS, or the settings.

    Example: lambdapack inspect function.zip

    Example: lambdapack inspect . --html package.html
    """
    from lambdapack.cli.cloud import Place  # noqa: PLC0415
    from lambdapack.cli.inspecting import Asked, carry_out  # noqa: PLC0415  # `--help` must not wait for it

    if not target:  # an empty variable of a script; Path("") would be the working directory
        raise LambdapackError(USAGE, "TARGET is an empty text", hint="Name a directory, a zip or a function.")
    flags: dict[str, object] = {"runtime": runtime, "arch": arch, "handler": handler, "layers": layer}
    flags |= {"ignore": ignore, "cache": False if no_cache else None}
    place = Place(profile, region, endpoint_url)
    asked = Asked(target, place, runtime_file, html, style=report_format, verbose=verbose, quiet=quiet)
    return carry_out(asked, flags)
