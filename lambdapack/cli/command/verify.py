"""`lambdapack verify`: signature and help; cli/run/verify.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report.formats import HUMAN


def verify(
    target: Annotated[
        str | None, typer.Argument(help="Directory, zip, layer zip, or what is in AWS: see below.", metavar="[TARGET]")
    ] = None,
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    runtime_file: options.RuntimeFileOption = None,
    handler: options.HandlerOption = None,
    layer: options.LayerOption = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            help="Project that the zip was built from; default: the one that its manifest names.",
        ),
    ] = None,
    load: options.LoadOption = False,
    env: options.EnvOption = None,
    env_file: options.EnvFileOption = None,
    image: options.ImageOption = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    all_binaries: Annotated[
        bool, typer.Option("--all-binaries", help="Also report binaries that the package would not load.")
    ] = False,
    report_format: options.VerifyFormatOption = HUMAN,
    fail_on: options.FailOnOption = None,
    ignore: options.IgnoreOption = None,
    no_cache: options.NoCacheOption = False,
    verbose: options.VerboseOption = False,
    quiet: options.QuietOption = False,
) -> int:
    """Verify a directory, zip or layer zip in place, or a function, layer or object in AWS.

    Nothing is executed or unpacked, unless --load confirms the verdict in the runtime image. Runtime and architecture
    come from the options, the manifest beside a zip of `lambdapack build`, or the settings.

    Without TARGET it is the zip that `lambdapack build` wrote here.

    TARGET may be s3://BUCKET/KEY, a function (NAME, NAME:ALIAS, function:NAME, ARN) or a layer version's ARN; an
    existing path always wins. A function is verified with its layers, for its own runtime, architecture and handler.
    Downloads are removed afterwards.

    --layer names the function's layers in its order: at /opt, a file of a later layer replaces that of an earlier one,
    as on Lambda. Function and layers are verified together. `layers = [...]` in lambdapack.toml does the same. A layer
    as TARGET is merged over those that --layer names.

    Example: lambdapack verify my-function:live

    Example: lambdapack verify function.zip --layer sharp-layer.zip --runtime nodejs22.x --arch arm64
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.verify import VerifyOptions, run_verify  # noqa: PLC0415  # `--help` must not wait for it

    if target == "":  # an empty variable of a script; Path("") would be the working directory
        raise LambdapackError(USAGE, "TARGET is empty", hint="Name a directory, a zip or a function.")
    flags: dict[str, object] = {"runtime": runtime, "arch": arch, "handler": handler, "layers": layer, "image": image}
    flags |= {"fail-on": fail_on, "ignore": ignore, "cache": False if no_cache else None}
    arguments = VerifyOptions(
        target,
        AwsOptions(profile, region, endpoint_url),
        runtime_file,
        project,
        load=load,
        variables=tuple(env or ()),
        env_files=tuple(env_file or ()),
        all_binaries=all_binaries,
        style=report_format,
        verbose=verbose,
        quiet=quiet,
    )
    return run_verify(arguments, flags)
