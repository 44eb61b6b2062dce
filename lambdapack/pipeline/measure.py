"""Measures what an image provides, once for each image digest: a runtime's libraries, and what an install needs."""

import json
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lambdapack.engine.interface import Engine, Image
from lambdapack.errors.build import ENGINE_REFUSED, NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.managers.interface import ImageFacts
from lambdapack.model import Architecture, Target
from lambdapack.pack.output import replace_file
from lambdapack.runtimes.measure import measure_runtime, tighten_runtime
from lambdapack.runtimes.rootfs import is_worth_indexing
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.runtimefile import read_runtime, write_runtime
from lambdapack.tree.compose import MemoryTree, OverlayTree, PrefixedTree
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.spool import SpoolTree

Connect = Callable[[Architecture], Engine]
"""Finds the engine for an architecture; LP101 with all that was tried when none answers."""

MEASUREMENT_VERSION = 1
"""Grows when a measurement of the same image would say something else."""

IMAGE_DIRECTORIES = ("usr", "var/lang")
"""Where a Lambda image keeps its libraries and node; all of them have /lib64 and /lib as links into /usr."""

USR_MERGE_LINKS = {"lib": "usr/lib", "lib64": "usr/lib64"}


def tighten_by_image(
    engine: Engine, reference: str, runtime: Runtime, scratch: Path, cache: Path | None, observer: Observer
) -> Runtime:
    """Return the runtime tightened by its bare image; unchanged, with a note, when that image cannot be had."""
    try:
        image = engine.image(reference, runtime.target.architecture, observer)
        measured = _cached_measurement(engine, image, runtime, scratch, cache, observer)
    except LambdapackError as error:
        if error.failure not in (NO_IMAGE, WRONG_IMAGE, ENGINE_REFUSED):
            raise
        observer.note(f"verified against built-in runtime data only: {error.detail.splitlines()[0]}")
        return runtime
    return tighten_runtime(runtime, measured)


def _cached_measurement(
    engine: Engine, image: Image, runtime: Runtime, scratch: Path, cache: Path | None, observer: Observer
) -> Runtime:
    file = cache and cache / f"{image.digest.replace(':', '-')}-{runtime.target.runtime}-{MEASUREMENT_VERSION}.json"
    if file and os.path.lexists(file):  # never raises, unlike Path.exists
        try:
            return replace(read_runtime(file), source="image", digest=image.digest)
        except LambdapackError:
            observer.note(f"{file} is damaged and is made again")
    with observer.task(f"Measuring {image.reference}"):
        measured = _measure_image(engine, image, runtime.target, scratch)
    if file is None:
        return measured
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_runtime(measured, file)
    except (LambdapackError, OSError) as error:  # a cache that cannot be written costs a second, not the build
        observer.note(f"not remembered: {error}")
    return measured


def _measure_image(engine: Engine, image: Image, target: Target | None, scratch: Path) -> Runtime:
    with ExitStack() as stack:
        trees = []
        for place in IMAGE_DIRECTORIES:
            spool = scratch / f"{image.architecture}-{place.replace('/', '-')}.tar"
            engine.file_system(image, f"/{place}", spool)
            tree = SpoolTree(spool)
            stack.callback(tree.close)
            trees.append(PrefixedTree(tree, place))
        whole = OverlayTree(*trees, MemoryTree({}, links=USR_MERGE_LINKS))
        return measure_runtime(whole, target, digest=image.digest)


IMAGE_FACTS_VERSION = 1
"""Grows when a look at the same image would say something else."""


@dataclass(frozen=True, slots=True)
class ImageFactsFiles:
    """What images bring for an install, in a file for each image digest and package manager."""

    directory: Path | None  # None: nothing is remembered
    manager: str

    def get(self, digest: str) -> ImageFacts | None:
        """Return the facts of an image; a file that is damaged or says less counts as absent."""
        path = self._path(digest)
        try:
            record = json.loads(path.read_text(encoding="utf-8")) if path else None
            facts = ImageFacts(**record) if record else None
        except (OSError, ValueError, TypeError):
            return None
        return facts if facts and facts.digest == digest else None

    def put(self, facts: ImageFacts) -> None:
        """Write the facts, whole or not at all; a directory that cannot be written costs a second look."""
        path = self._path(facts.digest)
        if path is None or path.exists():
            return
        with suppress(LambdapackError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replace_file(path) as file:
                file.write(json.dumps(asdict(facts), indent=1, sort_keys=True).encode())

    def _path(self, digest: str) -> Path | None:
        name = f"{digest.replace(':', '-')}-{self.manager}-{IMAGE_FACTS_VERSION}.json"
        return self.directory / name if self.directory else None


def measure_source(
    source: str, target: Target | None, architecture: Architecture, connect: Connect, scratch: Path, observer: Observer
) -> Runtime:
    """Return what a root file system provides: a directory, a tar, or the image of that name.

    LP007 for a file that is no tar, LP102 when there is no such image, LP103 when node is not in it.
    """
    path = Path(source)
    if path.is_dir():
        return measure_runtime(DirectoryTree(path, keep=is_worth_indexing), target, source="file")
    if path.is_file():
        with SpoolTree(path, keep=is_worth_indexing) as tree:
            return measure_runtime(tree, target, source="file")
    engine = connect(architecture)
    image = engine.image(source, architecture, observer)
    with observer.task(f"Measuring {source}"):
        return _measure_image(engine, image, target, scratch)
