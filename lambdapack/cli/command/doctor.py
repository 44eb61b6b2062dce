"""`lambdapack doctor`: signature and help; cli/run/doctor.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options


def doctor(
    path: Annotated[Path, typer.Argument(help="The function's directory.", metavar="[PATH]")] = Path(),
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    image: options.ImageOption = None,
    build_image: options.BuildImageOption = None,
    engine: options.EngineOption = None,
    strategy: options.StrategyOption = None,
    aws: Annotated[bool, typer.Option("--aws/--no-aws", help="Check the AWS credentials.")] = True,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show settings with default values.")] = False,
    quiet: options.QuietOption = False,
) -> int:
    """Check whether this machine can build, and show how to fix what is missing. Changes and pulls nothing.

    Checks engine, images, emulation (it starts the target's node), disk, proxies, the npm registry and AWS, and shows
    where each setting comes from. Exit 3 when a build cannot work.

    Example: lambdapack doctor --arch all
    """
    from lambdapack.cli.run.doctor import DoctorOptions, run_doctor  # noqa: PLC0415  # `--help` must not wait for it

    flags = {"runtime": runtime, "arch": arch, "image": image, "build-image": build_image}
    flags |= {"engine-use": engine, "strategy": strategy}
    return run_doctor(DoctorOptions(path, aws=aws, style=report_format, verbose=verbose, quiet=quiet), flags)
