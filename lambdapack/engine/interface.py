"""The protocols of a container engine and a sandbox, and the values they exchange. Protocols belong to the consumer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from lambdapack.events import Observer
from lambdapack.model import MIB, Architecture
from lambdapack.tree.entry import Tree


class EngineKind(Enum):
    """What opens sandboxes, by the names that settings and manifests use."""

    DOCKER = "docker"
    PODMAN = "podman"
    LOCAL = "local"  # processes of this host, in place of containers

    @property
    def has_images(self) -> bool:
        """True where container images can be run."""
        return self is not EngineKind.LOCAL


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a sandbox. None of them can be switched off, only raised."""

    memory_bytes: int = 4096 * MIB
    processes: int = 2048
    wall_seconds: float = 1800.0  # one command
    silence_seconds: float = 600.0  # one command without a line of output, and without work for the CPU
    log_bytes: int = 64 * MIB  # output of one command


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine holds, as it really is."""

    reference: str  # as asked for: "public.ecr.aws/lambda/nodejs:22-arm64"
    digest: str  # "sha256:...": SHA-256 over its RootFS diff ids, the same in every store
    architecture: Architecture  # read from /var/lang/bin/node, not from the label


@dataclass(frozen=True, slots=True)
class CacheVolume:
    """A named volume that keeps downloads between sandboxes, and where it is mounted."""

    name: str
    directory: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What kind of place to open."""

    image: str  # reference
    architecture: Architecture
    label: str  # what the container is for, shown by `docker ps`: "build", "invoke"
    limits: Limits = field(default_factory=Limits)
    network: bool = True
    publish: tuple[tuple[int, int], ...] = ()  # (port on the engine's 127.0.0.1, port inside); needs a network
    read_only: bool = False  # root read-only; only `writable` and /tmp can be written
    writable: tuple[str, ...] = ()  # directories that become anonymous volumes (needed to put into a read-only root)
    secrets: str | None = None  # directory that becomes a tmpfs for Sandbox.secret, e.g. "/run/lambdapack"
    volumes: tuple[CacheVolume, ...] = ()  # made when absent, kept between builds
    capabilities: bool = False  # False: all dropped
    keep: bool = False  # leave the container for a look after the end
    untrusted: bool = False  # programs of packages run in it: an engine that cannot confine them refuses (LP136)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run in a sandbox, without a shell."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = "0:0"  # "uid:gid"
    stdin: bytes = b""
    title: str = ""  # what messages call it; "" for its first words

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.title or " ".join(self.argv[:3])


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended. An exit above 128 that a signal caused is in `signal`."""

    exit_code: int
    signal: int | None = None
    out_of_memory: bool = False

    @property
    def ok(self) -> bool:
        """True for exit code 0."""
        return self.exit_code == 0


class Stream(Protocol):
    """Receives what a command prints, as it comes, on the caller's thread."""

    def __call__(self, source: str, data: bytes, /) -> None:
        """`source` is "stdout" or "stderr"; `data` is not cut at line ends."""
        ...


class Sandbox(Protocol):
    """An open isolated place. Every method raises LambdapackError when the engine fails, never a code of ours."""

    @property
    def image(self) -> Image:
        """The image that it was really made from."""
        ...

    @property
    def native(self) -> bool:
        """True when the engine's own CPU is the sandbox's: nothing in it is emulated."""
        ...

    def put(self, tree: Tree, at: str, *, owner: tuple[int, int] = (0, 0)) -> None:
        """Copy a tree below the absolute directory `at`, which is made when absent."""
        ...

    def secrets(self, files: Mapping[str, bytes]) -> None:
        """Write files, by absolute path, below the spec's tmpfs: mode 0600, no trace in image, layer or inspect."""
        ...

    def run(self, command: Command, stream: Stream) -> CommandResult:
        """Run to the end, within the limits (LP116, LP105). Any exit code is returned, not raised."""
        ...

    def end_processes(self, user: str) -> None:
        """Kill what earlier commands of a user ("uid:gid") left running, and return when none of it runs. LP107."""
        ...

    def get(self, path: str, spool: Path, observer: Observer) -> None:
        """Write the tar stream of the directory `path` to the host file `spool`."""
        ...


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume of ours."""

    name: str
    size: int | None  # bytes; None where the engine does not say


class Engine(Protocol):
    """Opens sandboxes."""

    @property
    def kind(self) -> EngineKind:
        """What it is."""
        ...

    @property
    def name(self) -> str:
        """For people: "Docker Engine 20.10.24 (linux/amd64)"."""
        ...

    @property
    def architecture(self) -> Architecture:
        """The CPU of the engine's machine."""
        ...

    def image(self, reference: str, architecture: Architecture, observer: Observer) -> Image:
        """Return the image, pulled only when it is not there (LP102), its CPU proved (LP103)."""
        ...

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the engine holds it already; never pulls."""
        ...

    def file_system(self, image: Image, path: str, spool: Path) -> None:
        """Write the tar stream of a directory of a created, never started container to `spool`."""
        ...

    def make_image(
        self, context: bytes, tag: str, arguments: Mapping[str, str], architecture: Architecture
    ) -> Iterator[Mapping[str, Any]]:
        """Build an image from a tar with a Dockerfile; yields its messages, one with "error" when it failed."""
        ...

    def caches(self) -> Sequence[Volume]:
        """Return the cache volumes of all builds."""
        ...

    def drop_cache(self, name: str) -> bool:
        """Remove such a volume; False when a build uses it now."""
        ...

    def open(self, spec: SandboxSpec, observer: Observer) -> AbstractContextManager[Sandbox]:
        """Open a sandbox; on any way out, signals included, nothing of it is left."""
        ...
