"""Finds the engine of each architecture: a container engine that answers, or the local one."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.input.resources import local_directory
from lambdapack.config.settings import Settings
from lambdapack.errors.build import NO_ENGINE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

if TYPE_CHECKING:
    from lambdapack.engine.interface import Engine
    from lambdapack.pipeline.measure import Connect

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
    engines: "dict[str, Engine]" = field(default_factory=dict)

    def __call__(self, architecture: Architecture) -> "Engine":
        """Return the engine for an architecture. LP101 with all that was tried when none answers."""
        use, host = self.settings.engine_use.value, self.settings.engine_hosts.value.get(architecture.aws, "")
        key = LOCAL if use == LOCAL and not host else host
        if key not in self.engines:
            self.engines[key] = self._open_local() if key == LOCAL else self._reach(use, host, architecture)
        return self.engines[key]

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
) -> "Connect":
    """Return a function that finds the engine for an architecture and remembers it.

    `local`: what asks can do without images, so the local engine serves where no container engine answers.
    """
    return EngineConnector(settings, observer, directory, local=local, allow_unconfined=allow_unconfined)
