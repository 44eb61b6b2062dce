"""Checks everything that a build needs on this machine, and says how to fix what is missing. Changes nothing."""

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lambdapack import __version__
from lambdapack.credentials import strip_user
from lambdapack.engine.emulation import prove_emulator, read_engine_host
from lambdapack.engine.images import expand_image_name, is_local_image
from lambdapack.engine.interface import Engine
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.managers.network import PROXY_VARIABLES
from lambdapack.managers.ping import ping_registry
from lambdapack.managers.registry import MANAGERS
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.measure import Connect
from lambdapack.pipeline.package.strategy_check import StrategyQuestion, check_confinement, check_strategy
from lambdapack.report.doctor import HealthCheck, HealthState
from lambdapack.report.text import format_size

MIN_FREE_BYTES = 2 * 1024**3
"""Bytes below which a disk is called tight: the build image and a big node_modules are about this much."""


@dataclass(frozen=True, slots=True)
class DoctorTarget:
    """What is to be looked at."""

    directory: Path
    targets: tuple[Target, ...]
    image: str  # templates
    build_image: str
    environ: Mapping[str, str]
    home: Path
    strategy: str  # as asked for: "auto"
    disks: Mapping[str, Path]  # what for -> a directory on it, which need not exist yet


def run_health_checks(machine: DoctorTarget, connect: Connect, observer: Observer) -> Iterator[HealthCheck]:
    """Yield how each thing is, in the order in which a build meets it."""
    yield _check_lambdapack()
    for target in machine.targets:
        with observer.task(f"Checking the engine for {target.architecture}"):
            yield from _check_engine(machine, target, connect, observer)
    yield from _check_disks(machine)
    yield from _check_network(machine)
    with observer.task("Checking the npm registry"):
        yield from _check_registries(machine)


def _check_lambdapack() -> HealthCheck:
    parts = f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    sdk = f"Docker SDK {version('docker')}"
    state = HealthState.OK if sys.maxsize > 2**32 else HealthState.WARNING
    return HealthCheck("lambdapack", state, f"{parts}, {sdk}")


def _check_engine(machine: DoctorTarget, target: Target, connect: Connect, observer: Observer) -> Iterator[HealthCheck]:
    name = f"engine for {target.architecture}"
    try:
        engine = connect(target.architecture)
    except LambdapackError as error:
        yield HealthCheck(name, HealthState.ERROR, _render_error(error), error.hint)
        return
    yield HealthCheck(name, HealthState.OK, engine.name)
    if (machine.directory / "package.json").is_file():
        question = StrategyQuestion(
            machine.directory,
            target,
            machine.strategy,
            machine.image,
            machine.build_image,
            machine.environ,
            machine.home,
        )
        yield check_strategy(question, engine)
    if not engine.kind.has_images:
        yield check_confinement()
        return
    held = False
    for use, template in (("runtime", machine.image), ("build", machine.build_image)):
        image_check = _check_image(engine, target, use, template)
        held = held or (use == "runtime" and image_check.state is HealthState.OK)
        yield image_check
    if target.architecture is not engine.architecture:
        yield _check_emulation(
            engine, target.architecture, expand_image_name(machine.image, target) if held else "", observer
        )


def _check_image(engine: Engine, target: Target, use: str, template: str) -> HealthCheck:
    name = f"{use} image for {target}"
    try:
        reference = expand_image_name(template, target)
        held = engine.find_image(reference, target.architecture)
    except LambdapackError as error:
        return HealthCheck(name, HealthState.ERROR, _render_error(error), error.hint)
    if held is not None:
        return HealthCheck(name, HealthState.OK, f"{reference} is present")
    if is_local_image(reference):
        hint = "Run `make lab` (lab images) or `lambdapack images build` (toolchain images)."
        return HealthCheck(name, HealthState.ERROR, f"{reference} is missing, and no registry has it", hint)
    return HealthCheck(name, HealthState.NOTE, f"{reference} is not pulled yet; the first build pulls it")


def _check_emulation(engine: Engine, architecture: Architecture, reference: str, observer: Observer) -> HealthCheck:
    name = f"emulation of {architecture}"
    if not reference:
        fix = f"Pull the runtime image of {architecture} and run `lambdapack doctor` again."
        return HealthCheck(name, HealthState.NOTE, "not tested: no image for this CPU is present", fix)
    host = read_engine_host(engine)
    try:
        prove_emulator(engine, reference, architecture, host, observer)
    except LambdapackError as error:
        return HealthCheck(name, HealthState.ERROR, _render_error(error), error.hint)
    return HealthCheck(name, HealthState.OK, f"node of {reference} starts and reports {architecture.node}")


def _check_disks(machine: DoctorTarget) -> Iterator[HealthCheck]:
    for use, directory in machine.disks.items():
        there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
        free = shutil.disk_usage(there).free
        detail = f"{format_size(free)} free at {there}"
        if free >= MIN_FREE_BYTES:
            yield HealthCheck(f"disk for {use}", HealthState.OK, detail)
        else:
            yield HealthCheck(
                f"disk for {use}",
                HealthState.WARNING,
                detail,
                "Free disk space: `docker system df` shows what images use.",
            )


def _check_network(machine: DoctorTarget) -> Iterator[HealthCheck]:
    names = [name for variable in PROXY_VARIABLES for name in (variable, variable.lower()) if machine.environ.get(name)]
    proxies = ", ".join(f"{name}={strip_user(machine.environ[name], strict=True)}" for name in names)
    yield HealthCheck("proxy", HealthState.OK, proxies or "none is set")
    bundle = machine.environ.get("NODE_EXTRA_CA_CERTS")
    if bundle and not Path(bundle).is_file():
        fix = "Point NODE_EXTRA_CA_CERTS at your CA bundle (PEM), or unset it."
        yield HealthCheck("CA bundle", HealthState.ERROR, f"NODE_EXTRA_CA_CERTS: no such file: {bundle}", fix)
    elif bundle:
        yield HealthCheck("CA bundle", HealthState.OK, f"NODE_EXTRA_CA_CERTS={bundle}")


def _check_registries(machine: DoctorTarget) -> Iterator[HealthCheck]:
    manager = MANAGERS[0]
    try:
        settings = manager.settings(machine.directory, machine.environ, machine.home)
    except LambdapackError as error:
        yield HealthCheck("npm settings", HealthState.ERROR, _render_error(error), error.hint)
        return
    for name in settings.undefined:
        fix = f"Set {name}, or remove it from .npmrc."
        yield HealthCheck("npm settings", HealthState.WARNING, f"variable {name} is not set", fix)
    for url in settings.registries or (manager.default_registry,):
        shown = strip_user(url)
        trouble = ping_registry(url, machine.environ)
        if trouble:
            fix = f"Check network, proxy and CA: `npm ping --registry {shown}`; or set another registry in .npmrc."
            yield HealthCheck("npm registry", HealthState.WARNING, f"{shown}: {trouble}", fix)
        else:
            yield HealthCheck("npm registry", HealthState.OK, f"{shown} answers")


def _render_error(error: LambdapackError) -> str:
    return f"{error.failure.code}: {error.failure.title}: {error.detail}"
