"""Shows the images of a build, and makes our own."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambdapack.build import toolchain
from lambdapack.build.engine import Engine
from lambdapack.build.images import BARE_IMAGE, BUILD_IMAGE, expand
from lambdapack.cli import choices, console
from lambdapack.cli.engines import connector
from lambdapack.cli.options import Format
from lambdapack.cli.progress import Bars
from lambdapack.errors import WRONG_IMAGE, LambdapackError
from lambdapack.model import Target
from lambdapack.report import table


def show(flags: Mapping[str, object], style: Format) -> int:
    """Print the images of every target."""
    bars = Bars()
    settings = choices.settings_of(Path(), flags)
    connect = connector(settings)
    templates = {"runtime": settings.image.value or BARE_IMAGE, "build": settings.build_image.value or BUILD_IMAGE}
    rows = [
        _row(connect(target.architecture), target, use, expand(template, target))
        for target in choices.targets_of(settings, bars)
        for use, template in templates.items()
    ]
    if style is Format.JSON:
        console.product(json.dumps({"schema": table.IMAGES, "images": rows}, indent=2) + "\n")
    else:
        header = ("TARGET", "FOR", "STATE", "IMAGE")
        console.product(
            table.columns([header, *([row["target"], row["for"], row["state"], row["image"]] for row in rows)])
        )
    return 0


def _row(engine: Engine, target: Target, use: str, reference: str) -> dict[str, Any]:
    try:
        held = engine.held(reference, target.architecture)
        state = "here" if held else "absent"
    except LambdapackError as error:
        if error.failure is not WRONG_IMAGE:
            raise
        held, state = None, "not a Lambda image"
    digest = held.digest if held else None
    return {"target": str(target), "for": use, "state": state, "image": reference, "digest": digest}


def make(flags: Mapping[str, object], *, quiet: bool) -> int:
    """Make the toolchain image of every target and print its name; LP108 when that fails."""
    bars = Bars(quiet=quiet)
    settings = choices.settings_of(Path(), flags)
    connect = connector(settings)
    for target in choices.targets_of(settings, bars):
        base = settings.image.value or BARE_IMAGE
        engine = connect(target.architecture)
        engine.image(expand(base, target), target.architecture, bars)
        console.product(f"{toolchain.make(engine, target, base, os.environ, bars)}\n")
    return 0
