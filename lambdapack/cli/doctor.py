"""`lambdapack doctor`: the options; doctoring.py does it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import options


def doctor(
    path: Annotated[Path, typer.Argument(help="The function's directory.", metavar="[PATH]")] = Path(),
    runtime: options.Runtime = None,
    arch: options.Arches = None,
    image: options.Image = None,
    build_image: options.BuildImage = None,
    aws: Annotated[bool, typer.Option("--aws/--no-aws", help="Also ask AWS who we are.")] = True,
    report_format: options.FormatOption = options.Format.HUMAN,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show the settings that are defaults.")] = False,
    quiet: options.Quiet = False,
) -> int:
    """Say whether this machine can build, and how to mend what is missing. Changes and pulls nothing.

    Looks at engine, images, emulation (it starts the target's node), disk, proxies, the npm registry, AWS, and where
    each setting comes from. Exit 3 when a build could not work.

    Example: lambdapack doctor --arch all
    """
    from lambdapack.cli.doctoring import Asked, carry_out  # noqa: PLC0415  # `--help` must not wait for it

    flags = {"runtime": runtime, "arch": arch, "image": image, "build-image": build_image}
    return carry_out(Asked(path, aws=aws, style=report_format, verbose=verbose, quiet=quiet), flags)
