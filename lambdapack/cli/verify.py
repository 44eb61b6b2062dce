"""`lambdapack verify`: the options; verifying.py does it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import options
from lambdapack.errors import USAGE, LambdapackError


def verify(
    target: Annotated[
        str, typer.Argument(help="Directory, zip, layer zip, or what is in AWS: see below.", metavar="TARGET")
    ],
    runtime: options.Runtime = None,
    arch: options.Arches = None,
    runtime_file: options.RuntimeFile = None,
    handler: options.Handler = None,
    layer: options.Layers = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            help="Project that the zip was made from; without it, the one around the zip that its manifest names.",
        ),
    ] = None,
    load: options.Load = False,
    image: options.Image = None,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint_url: options.Endpoint = None,
    all_binaries: Annotated[
        bool, typer.Option("--all-binaries", help="Count files that no loader would pick, too.")
    ] = False,
    report_format: options.ReportOption = options.ReportFormat.HUMAN,
    fail_on: options.FailOn = None,
    ignore: options.Ignores = None,
    no_cache: options.NoCache = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> int:
    """Judge a directory, zip or layer zip in place, or a function, layer or object of AWS.

    Nothing is executed or unpacked, unless --load asks to prove the verdict in the runtime image. Runtime and
    architecture come from the options, the manifest beside a zip of `lambdapack build`, or the settings.

    TARGET may be s3://BUCKET/KEY, a function (NAME, NAME:ALIAS, function:NAME, ARN) or a layer version's ARN; a path
    that exists is never taken for one. A function is judged with its layers, for its own runtime, architecture and
    handler. What is downloaded is removed afterwards.

    --layer names the function's layers in the order in which it lists them: at /opt a later one's file replaces an
    earlier one's, as on Lambda. Function and layers are judged as one. `layers = [...]` in lambdapack.toml says the
    same. A layer as TARGET is laid over those that --layer names.

    Example: lambdapack verify my-function:live

    Example: lambdapack verify function.zip --layer sharp-layer.zip --runtime nodejs22.x --arch arm64
    """
    from lambdapack.cli.cloud import Place  # noqa: PLC0415
    from lambdapack.cli.verifying import Asked, carry_out  # noqa: PLC0415  # `--help` must not wait for it

    if not target:  # an empty variable of a script; Path("") would be the working directory
        raise LambdapackError(USAGE, "TARGET is an empty text", hint="Name a directory, a zip or a function.")
    flags: dict[str, object] = {"runtime": runtime, "arch": arch, "handler": handler, "layers": layer, "image": image}
    flags |= {"fail-on": fail_on, "ignore": ignore, "cache": False if no_cache else None}
    asked = Asked(
        target,
        Place(profile, region, endpoint_url),
        runtime_file,
        project,
        load=load,
        all_binaries=all_binaries,
        style=report_format,
        verbose=verbose,
        quiet=quiet,
    )
    return carry_out(asked, flags)
