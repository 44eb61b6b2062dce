"""`lambdapack build`: prints the path of each archive."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from lambdapack.build.images import BARE_IMAGE, BUILD_IMAGE
from lambdapack.cli import console, options
from lambdapack.cli.engines import connector
from lambdapack.cli.places import OUTPUT_DIRECTORY, cache_directory, outputs_for
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.errors import Exit
from lambdapack.model import Target
from lambdapack.pipeline.build import Built, Wanted
from lambdapack.pipeline.build import build as run
from lambdapack.report import human, json_v0


def build(
    path: Annotated[Path, typer.Argument(help="Directory with package.json.", show_default=True)] = Path(),
    runtime: options.Runtime = None,
    arch: options.Arches = None,
    layer: Annotated[
        bool | None, typer.Option("--layer", help="A layer of the dependencies instead of a function.")
    ] = None,
    handler: options.Handler = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The zip; a directory with --arch all.", metavar="PATH")
    ] = None,
    image: options.Image = None,
    build_image: options.BuildImage = None,
    no_install: Annotated[
        bool, typer.Option("--no-install", help="Judge and zip the node_modules that lies there.")
    ] = False,
    keep_container: Annotated[bool, typer.Option("--keep-container", help="Leave the container for a look.")] = False,
    report_format: options.FormatOption = options.Format.HUMAN,
    fail_on: options.FailOn = None,
    ignore: options.Ignores = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> int:
    """Install, verify and zip; prints the archive's path.

    Runs npm ci inside the runtime's image for the function's architecture, judges every binary against what the
    runtime provides, and writes .lambdapack/NAME-RUNTIME-ARCH.zip. An error finding means: no archive, exit 1.

    Example: lambdapack build --runtime nodejs22.x --arch arm64
    """
    flags = {
        "runtime": runtime,
        "arch": arch,
        "layer": layer,
        "handler": handler,
        "output": output,
        "image": image,
        "build-image": build_image,
        "fail-on": fail_on,
        "ignore": ignore,
    }
    bars = Bars(quiet=quiet)
    settings = options.settings_of(path, flags)
    for note in settings.notes:
        bars.note(note)
    targets = options.targets_of(settings, bars)
    wanted = wanted_of(path, settings, targets, install=not no_install, keep=keep_container)
    built = run(wanted, connector(settings), bars)
    return _tell(built, settings, report_format, verbose=verbose)


def wanted_of(
    path: Path, settings: Settings, targets: Sequence[Target], *, install: bool = True, keep: bool = False
) -> Wanted:
    """Return the order for the pipeline."""
    layer = settings.layer.value
    return Wanted(
        directory=path,
        outputs=outputs_for(path, settings, targets),
        policy=options.policy_of(settings, handler_required=not layer),
        image=settings.image.value or BARE_IMAGE,
        build_image=settings.build_image.value or BUILD_IMAGE,
        handler=settings.handler.value,
        environ=dict(os.environ),
        cache=cache_directory(os.environ) / "runtimes",
        layer=layer,
        install=install,
        executable=settings.executable.value,
        install_inputs=settings.install_inputs.value,
        limits=options.limits_of(settings),
        scripts=settings.scripts.value,
        emulation=settings.emulation.value,
        keep=keep,
    )


def _tell(built: Sequence[Built], settings: Settings, style: options.Format, *, verbose: bool) -> int:
    """Findings go to stderr, the archives' paths (or the JSON reports) to stdout."""
    for each in built:
        left_out = [(path, reason) for path, reason in each.left_out if path != OUTPUT_DIRECTORY]
        if verbose:
            console.talk("".join(f"left out: {path} ({reason})\n" for path, reason in left_out))
        elif left_out:
            console.talk(f"left out: {_counted(left_out)} (-v names them)\n")
        console.talk(human.render(each.report, verbose=verbose))
    if style is options.Format.JSON:
        console.product(json_v0.render(tuple(each.report for each in built)))
    else:
        console.product("".join(f"{each.archive.path}\n" for each in built if each.archive))
    limit = options.fail_on(settings)
    unwritten = any(each.archive is None for each in built)
    failed = unwritten or (limit is not None and any(each.report.fails(limit) for each in built))
    return int(Exit.JUDGEMENT if failed else Exit.FINE)


def _counted(left_out: Sequence[tuple[str, str]]) -> str:
    reasons: Mapping[str, int] = {
        reason: sum(each == reason for _, each in left_out) for reason in sorted({reason for _, reason in left_out})
    }
    return ", ".join(f"{count} {reason}" for reason, count in reasons.items())
