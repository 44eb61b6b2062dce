"""Looks at everything that a build needs on this machine, and says how to mend what is missing. Changes nothing."""

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lambdapack import __version__
from lambdapack.build.emulation import prove, this_host
from lambdapack.build.engine import Engine
from lambdapack.build.images import expand, is_local
from lambdapack.errors import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.measuring import Connect
from lambdapack.project.network import PROXIES, without_user
from lambdapack.project.npmrc import DEFAULT_REGISTRY, translate
from lambdapack.project.reach import ping, registries
from lambdapack.report.checkup import Checked, State
from lambdapack.report.text import size

ROOM = 2 * 1024**3
"""Bytes below which a disk is called tight: the build image and a big node_modules are about this much."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is to be looked at."""

    directory: Path
    targets: tuple[Target, ...]
    image: str  # templates
    build_image: str
    environ: Mapping[str, str]
    home: Path
    disks: Mapping[str, Path]  # what for -> a directory on it, which need not exist yet


def examine(patient: Patient, connect: Connect, observer: Observer) -> Iterator[Checked]:
    """Yield how each thing is, in the order in which a build meets it."""
    yield _itself()
    for target in patient.targets:
        with observer.task(f"Looking at the engine for {target.architecture}"):
            yield from _engine(patient, target, connect, observer)
    yield from _disks(patient)
    yield from _network(patient)
    with observer.task("Asking the npm registry"):
        yield from _registries(patient)


def _itself() -> Checked:
    parts = f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    sdk = f"Docker SDK {version('docker')}"
    state = State.OK if sys.maxsize > 2**32 else State.WARNING
    return Checked("lambdapack", state, f"{parts}, {sdk}")


def _engine(patient: Patient, target: Target, connect: Connect, observer: Observer) -> Iterator[Checked]:
    name = f"engine for {target.architecture}"
    try:
        engine = connect(target.architecture)
    except LambdapackError as error:
        yield Checked(name, State.ERROR, _words(error), error.hint)
        return
    yield Checked(name, State.OK, engine.name)
    held = False
    for use, template in (("runtime", patient.image), ("build", patient.build_image)):
        found = _image(engine, target, use, template)
        held = held or (use == "runtime" and found.state is State.OK)
        yield found
    if target.architecture is not engine.architecture:
        yield _emulation(engine, target.architecture, expand(patient.image, target) if held else "", observer)


def _image(engine: Engine, target: Target, use: str, template: str) -> Checked:
    name = f"{use} image for {target}"
    try:
        reference = expand(template, target)
        held = engine.held(reference, target.architecture)
    except LambdapackError as error:
        return Checked(name, State.ERROR, _words(error), error.hint)
    if held is not None:
        return Checked(name, State.OK, f"{reference} is here")
    if is_local(reference):
        hint = "Run `make lab` (lab images) or `lambdapack images build` (toolchain images)."
        return Checked(name, State.ERROR, f"{reference} is not here, and no registry has it", hint)
    return Checked(name, State.NOTE, f"{reference} is not here; the first build pulls it")


def _emulation(engine: Engine, architecture: Architecture, reference: str, observer: Observer) -> Checked:
    name = f"emulation of {architecture}"
    if not reference:
        fix = f"Pull the runtime image of {architecture} and run `lambdapack doctor` again."
        return Checked(name, State.NOTE, "not tried: there is no image of that CPU to try it with", fix)
    host = this_host(engine)
    try:
        prove(engine, reference, architecture, host, observer)
    except LambdapackError as error:
        return Checked(name, State.ERROR, _words(error), error.hint)
    return Checked(name, State.OK, f"node of {reference} starts and says {architecture.node}")


def _disks(patient: Patient) -> Iterator[Checked]:
    for use, directory in patient.disks.items():
        there = next(each for each in (directory, *directory.absolute().parents) if each.exists())
        free = shutil.disk_usage(there).free
        said = f"{size(free)} free at {there}"
        if free >= ROOM:
            yield Checked(f"disk for {use}", State.OK, said)
        else:
            yield Checked(
                f"disk for {use}", State.WARNING, said, "Make room: `docker system df` shows what images hold."
            )


def _network(patient: Patient) -> Iterator[Checked]:
    names = [name for each in PROXIES for name in (each, each.lower()) if patient.environ.get(name)]
    said = ", ".join(f"{name}={without_user(patient.environ[name])}" for name in names)
    yield Checked("proxy", State.OK, said or "none is set")
    bundle = patient.environ.get("NODE_EXTRA_CA_CERTS")
    if bundle and not Path(bundle).is_file():
        fix = "Point NODE_EXTRA_CA_CERTS at your CA bundle (PEM), or unset it."
        yield Checked("CA bundle", State.ERROR, f"NODE_EXTRA_CA_CERTS: there is no file {bundle}", fix)
    elif bundle:
        yield Checked("CA bundle", State.OK, f"NODE_EXTRA_CA_CERTS={bundle}")


def _registries(patient: Patient) -> Iterator[Checked]:
    try:
        settings = translate(patient.directory, patient.environ, patient.home)
    except LambdapackError as error:
        yield Checked("npm settings", State.ERROR, _words(error), error.hint)
        return
    for name in settings.undefined:
        fix = f"Set {name}, or take it out of .npmrc."
        yield Checked("npm settings", State.WARNING, f"the variable {name} is not set", fix)
    for url in registries(settings.without_secrets) or (DEFAULT_REGISTRY,):
        shown = without_user(url)
        trouble = ping(url, patient.environ)
        if trouble:
            fix = f"Check network, proxy and CA: `npm ping --registry {shown}`; or name another registry in .npmrc."
            yield Checked("npm registry", State.WARNING, f"{shown}: {trouble}", fix)
        else:
            yield Checked("npm registry", State.OK, f"{shown} answers")


def _words(error: LambdapackError) -> str:
    return f"{error.failure.code}: {error.failure.title}: {error.detail}"
