"""What the image of a runtime really provides: measured once an image, remembered by its digest."""

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lambdapack.build.engine import Engine, Image
from lambdapack.errors import ENGINE_REFUSED, NO_IMAGE, WRONG_IMAGE, LambdapackError
from lambdapack.events import Observer
from lambdapack.runtimes.measure import measure, tightened
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.runtimefile import read_runtime, write_runtime
from lambdapack.tree.compose import MemoryTree, OverlayTree, Prefixed
from lambdapack.tree.spool import SpoolTree

MEASUREMENT = 1
"""Grows when a measurement of the same image would say something else."""

PLACES = ("usr", "var/lang")
"""Where a Lambda image keeps its libraries and node; all of them have /lib64 and /lib as links into /usr."""

MERGED = {"lib": "usr/lib", "lib64": "usr/lib64"}


def tightened_by(
    engine: Engine, reference: str, runtime: Runtime, scratch: Path, cache: Path, observer: Observer
) -> Runtime:
    """Return the runtime tightened by its bare image; unchanged, with a note, when that image cannot be had."""
    try:
        image = engine.image(reference, runtime.target.architecture, observer)
        measured = _remembered(engine, image, runtime, scratch, cache, observer)
    except LambdapackError as error:
        if error.failure not in (NO_IMAGE, WRONG_IMAGE, ENGINE_REFUSED):
            raise
        observer.note(f"judged by shipped data alone: {error.detail.splitlines()[0]}")
        return runtime
    return tightened(runtime, measured)


def _remembered(
    engine: Engine, image: Image, runtime: Runtime, scratch: Path, cache: Path, observer: Observer
) -> Runtime:
    file = cache / f"{image.digest.replace(':', '-')}-{runtime.target.runtime}-{MEASUREMENT}.json"
    if os.path.lexists(file):  # never raises, unlike Path.exists
        try:
            return replace(read_runtime(file), source="image", digest=image.digest)
        except LambdapackError:
            observer.note(f"{file} is damaged and is made again")
    with observer.task(f"Measuring {image.reference}"):
        measured = _measured(engine, image, runtime, scratch)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_runtime(measured, file)
    except (LambdapackError, OSError) as error:  # a cache that cannot be written costs a second, not the build
        observer.note(f"not remembered: {error}")
    return measured


def _measured(engine: Engine, image: Image, runtime: Runtime, scratch: Path) -> Runtime:
    with ExitStack() as stack:
        trees = []
        for place in PLACES:
            spool = scratch / f"{runtime.target.architecture}-{place.replace('/', '-')}.tar"
            engine.file_system(image, f"/{place}", spool)
            tree = SpoolTree(spool)
            stack.callback(tree.close)
            trees.append(Prefixed(tree, place))
        whole = OverlayTree(*trees, MemoryTree({}, links=MERGED))
        return measure(whole, runtime.target, digest=image.digest)
