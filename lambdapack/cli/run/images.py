"""Runs `lambdapack images`: lists the images of a build, and builds toolchain images."""

import os
from collections.abc import Mapping
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.settings import read_settings, select_targets
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.engine import toolchain
from lambdapack.engine.images import BARE_IMAGE, BUILD_IMAGE, expand_image_name
from lambdapack.engine.interface import Engine
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Target
from lambdapack.report.document.listings import ImageDocument, render_images_json
from lambdapack.report.text import align_columns


def run_images_list(flags: Mapping[str, object], style: ListFormat) -> int:
    """Print the images of every target."""
    progress = ProgressReporter()
    settings = read_settings(Path(), flags)
    connect = engine_connector(settings)
    templates = {"runtime": settings.image.value or BARE_IMAGE, "build": settings.build_image.value or BUILD_IMAGE}
    rows = [
        _image_row(connect(target.architecture), target, use, expand_image_name(template, target))
        for target in select_targets(settings, progress, builds=False)
        for use, template in templates.items()
    ]
    if style is ListFormat.JSON:
        console.write_stdout(render_images_json(rows))
    else:
        header = ("TARGET", "FOR", "STATE", "IMAGE")
        console.write_stdout(
            align_columns([header, *([row["target"], row["for"], row["state"], row["image"]] for row in rows)])
        )
    return 0


def _image_row(engine: Engine, target: Target, use: str, reference: str) -> ImageDocument:
    try:
        held = engine.find_image(reference, target.architecture)
        state = "here" if held else "absent"
    except LambdapackError as error:
        if error.failure is not WRONG_IMAGE:
            raise
        held, state = None, "not a Lambda image"
    digest = held.digest if held else None
    return {"target": str(target), "for": use, "state": state, "image": reference, "digest": digest}


def run_images_build(flags: Mapping[str, object], *, quiet: bool) -> int:
    """Make the toolchain image of every target and print its name; LP108 when that fails."""
    progress = ProgressReporter(quiet=quiet)
    settings = read_settings(Path(), flags)
    connect = engine_connector(settings)
    for target in select_targets(settings, progress, builds=False):
        base = settings.image.value or BARE_IMAGE
        engine = connect(target.architecture)
        engine.image(expand_image_name(base, target), target.architecture, progress)
        console.write_stdout(f"{toolchain.make_toolchain_image(engine, target, base, os.environ, progress)}\n")
    return 0
