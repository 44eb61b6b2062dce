"""Finds the engine of each architecture: a container engine that answers, or the local one."""

import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.input.resources import local_directory
from lambdapack.config.settings import Settings
from lambdapack.errors.build import NO_ENGINE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdapack.engine.interface import Engine
    from lambdapack.pipeline.measure import Connect
    from lambdapack.store.records import Store

AUTOMATIC, LOCAL = "auto", "local"

CHOICES_HINT = (
    "Start Docker (`sudo systemctl start docker`) or podman (`podman system service`), set DOCKER_HOST, or build on a "
    "Linux host with glibc, where `--engine local` needs neither."
)


@dataclass(slots=True)
class EngineConnector:
    """Connects once for each address, whatever asks."""

    settings: Settings
    observer: Observer = SILENT
    directory: Path = Path()  # of the project, whose registry the local engine asks
    local: bool = False  # the local engine serves as well as a container engine
    allow_unconfined: bool = False
    memory: "Store | None" = None  # what engines said before, which counts while their images are the same
    refresh: bool = False  # ask them again
    engines: "dict[str, Engine]" = field(default_factory=dict)

    def __call__(self, architecture: Architecture) -> "Engine":
        """Return the engine for an architecture. LP101 with all that was tried when none answers."""
        use, host = self.settings.engine_use.value, self.settings.engine_hosts.value.get(architecture.aws, "")
        key = LOCAL if use == LOCAL and not host else host
        if key not in self.engines:
            reach = partial(self._reach, use, host, architecture)
            deferred = None if key == LOCAL or self.memory is None else self._defer(use, host, reach, self.memory)
            self.engines[key] = deferred or (self._open_local() if key == LOCAL else reach())
        return self.engines[key]

    def _defer(self, use: str, host: str, reach: "Callable[[], Engine]", memory: "Store") -> "Engine":
        """Return an engine that is reached when something has to be done."""
        from lambdapack.cli.unchanged.recording import record_engine  # noqa: PLC0415  # only who builds
        from lambdapack.engine.hosts import HostEnvironment, engine_addresses  # noqa: PLC0415
        from lambdapack.engine.known.deferred import DeferredEngine  # noqa: PLC0415
        from lambdapack.store.engines import EngineRecords  # noqa: PLC0415

        around = HostEnvironment(os.environ, Path.home(), windows=sys.platform == "win32")
        kind = use if use not in {AUTOMATIC, LOCAL} else ""
        addresses = engine_addresses(around, host)
        engine = DeferredEngine(addresses, reach, EngineRecords(memory), kind=kind, refresh=self.refresh)
        record_engine(engine)
        return engine

    def _reach(self, use: str, host: str, architecture: Architecture) -> "Engine":
        from lambdapack.engine.docker import connect_engine  # noqa: PLC0415  # see the module's first line

        kind = use if use not in {AUTOMATIC, LOCAL} else ""
        hosts = {architecture: host} if host else None
        try:
            return connect_engine(os.environ, hosts=hosts, architecture=architecture, kind=kind)
        except LambdapackError as error:
            if error.failure is not NO_ENGINE or host or use != AUTOMATIC or not self.local:
                raise
            return self._fall_back(error)

    def _fall_back(self, error: LambdapackError) -> "Engine":
        """Return the local engine where no other answers; LP101 with both reasons where it cannot serve either."""
        try:
            engine = self._open_local()
        except LambdapackError as unable:
            detail = f"{error.detail}\nthe local engine: {unable.detail}"
            raise LambdapackError(NO_ENGINE, detail, hint=CHOICES_HINT) from error
        self.observer.note("no container engine answers: this is done by the local engine (`--engine` chooses)")
        return engine

    def _open_local(self) -> "Engine":
        from lambdapack.engine.local.engine import LocalEngine, host_architecture  # noqa: PLC0415
        from lambdapack.install.embedded.nodes import NodeStore  # noqa: PLC0415
        from lambdapack.managers.registry import MANAGERS, fetch_registry_package  # noqa: PLC0415

        place, environ = local_directory(self.settings), dict(os.environ)
        directory = self.directory if self.directory.is_dir() else Path()

        def fetch(name: str, version: str, file: Path, observer: Observer) -> None:
            settings = MANAGERS[0].settings(directory, environ, Path(os.path.expanduser("~")))  # noqa: PTH111  # never raises
            fetch_registry_package(name, version, settings, environ, file, observer)

        nodes = NodeStore(place, host_architecture(), fetch)
        return LocalEngine(nodes, place / "volumes", allow_unconfined=self.allow_unconfined)


def engine_connector(
    settings: Settings,
    observer: Observer = SILENT,
    directory: Path = Path(),  # a Path is never changed
    *,
    local: bool = False,
    allow_unconfined: bool = False,
    memory: "Store | None" = None,
    refresh: bool = False,
) -> "Connect":
    """Return a function that finds the engine for an architecture and remembers it.

    `local`: what asks can do without images, so the local engine serves where no container engine answers. With a
    `memory`, what an engine said before counts while its images are the same; `refresh` asks it again.
    """
    return EngineConnector(settings, observer, directory, local, allow_unconfined, memory, refresh)
