"""The Daemon protocol: the few requests that a container engine's server must answer. docker.py implements it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from lambdapack.engine.interface import Command, EngineKind
from lambdapack.engine.wire import Wire
from lambdapack.model import Architecture


class NotFoundError(Exception):
    """The server has no such image, container or file (404). Its own words are the message."""


class NotRunningError(Exception):
    """The container does not run any more. The server's own words are the message."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who answered."""

    name: str  # "Docker Engine", "Podman Engine"
    version: str
    architecture: Architecture
    address: str

    @property
    def kind(self) -> EngineKind:
        """Docker or podman."""
        return EngineKind.PODMAN if "podman" in self.name.lower() else EngineKind.DOCKER

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.architecture.oci_platform})"


GO_ARCHITECTURES = {"amd64": Architecture.X86_64, "arm64": Architecture.ARM64}
"""Go's names, which a server's version tells."""


def parse_engine_info(version: Mapping[str, Any], address: str) -> EngineInfo:
    """Read a server's answer to "version"; ValueError, in words for people, when it cannot serve us."""
    if version.get("Os", "linux") != "linux":
        raise ValueError(f"it runs {version['Os']} containers: switch it to Linux containers")
    architecture = GO_ARCHITECTURES.get(str(version.get("Arch")))
    if architecture is None:
        raise ValueError(f"its CPU {version.get('Arch')} is none of Lambda's")
    components = version.get("Components") or [{"Name": ""}]
    name = "Podman Engine" if "podman" in str(components[0].get("Name", "")).lower() else "Docker Engine"
    return EngineInfo(name, str(version.get("Version", "")), architecture, address)


class Daemon(Protocol):
    """A server that holds images and runs containers.

    Every verb raises LambdapackError (LP105, LP106, LP107) or one of the two errors above, and nothing else.
    """

    @property
    def about(self) -> EngineInfo:
        """Who it is."""
        ...

    def image(self, reference: str) -> Mapping[str, Any] | None:
        """Return what the server says of an image that it holds, None when it holds none of that name."""
        ...

    def pull(self, reference: str, platform: str) -> Iterator[Mapping[str, Any]]:
        """Yield the server's messages while it pulls; one with the key "error" is its last."""
        ...

    def build(
        self, context: bytes, tag: str, arguments: Mapping[str, str], platform: str
    ) -> Iterator[Mapping[str, Any]]:
        """Build an image from a tar with a Dockerfile; yields messages as `pull` does."""
        ...

    def volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a named volume, if it is not there."""
        ...

    def images(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all images with a label."""
        ...

    def remove_image(self, reference: str) -> None:
        """Remove an image's name, and the image with its last one."""
        ...

    def volumes(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all volumes with a label; "UsageData" has the "Size" in bytes where the server tells it."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove a volume. One that is gone already is fine; LP107 when a container holds it."""
        ...

    def create(self, config: Mapping[str, Any], name: str, platform: str | None) -> str:
        """Create a container and return its id."""
        ...

    def attach(self, container: str) -> Wire:
        """Take hold of a container's main process."""
        ...

    def start(self, container: str) -> None:
        """Start it."""
        ...

    def kill(self, container: str) -> None:
        """Kill everything in it. One that is gone already is fine."""
        ...

    def remove(self, container: str) -> None:
        """Remove it and its anonymous volumes, running or not. One that is gone already is fine."""
        ...

    def state(self, container: str) -> str:
        """Return "created", "running", "exited"...; "" when it is gone."""
        ...

    def containers(self, label: str) -> Sequence[Mapping[str, Any]]:
        """Return all containers with a label, in whatever state."""
        ...

    def execute(self, container: str, argv: Sequence[str], command: Command) -> tuple[str, Wire]:
        """Start another process in a container, by `argv` in place of the command's own."""
        ...

    def exit_code(self, execution: str) -> int | None:
        """Return how such a process ended, None while it runs."""
        ...

    def upload(self, container: str, path: str, chunks: Iterator[bytes]) -> None:
        """Unpack a tar stream in a directory of the container."""
        ...

    def download(self, container: str, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """Enclose the tar stream of a path in the container; leaving early hangs up."""
        ...
