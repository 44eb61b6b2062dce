"""The engine that needs no daemon and no root: sandboxes are directories and processes of this host."""

import contextlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lambdapack.engine.interface import EngineKind, Image, Sandbox, SandboxSpec, Volume
from lambdapack.engine.local.confinement import find_bubblewrap
from lambdapack.engine.local.places import lay_out_places, remove_directory
from lambdapack.engine.local.sandbox import LocalSandbox
from lambdapack.errors.build import WRONG_IMAGE
from lambdapack.errors.local import FOREIGN_CPU, NO_LOCAL_NODE, UNCONFINED
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

LOCAL_REFERENCE = "local/nodejs:{node}"
"""What the local engine calls a runtime's node in place of a container image."""

MACHINES = {"x86_64": Architecture.X86_64, "amd64": Architecture.X86_64, "aarch64": Architecture.ARM64} | {
    "arm64": Architecture.ARM64
}
"""platform.machine() of the CPUs that Lambda has, in lower case."""

LOADERS = {
    Architecture.X86_64: ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    Architecture.ARM64: ("/lib/ld-linux-aarch64.so.1", "/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"),
}
"""glibc's dynamic loader, which its node asks for; a host with musl alone has none."""

MEMORY_DIRECTORY = Path("/dev/shm")  # noqa: S108  # a tmpfs; what is made there is private
"""Where secrets lie while a sandbox is open."""


@dataclass(frozen=True, slots=True)
class LocalNode:
    """An unpacked node with its package manager."""

    directory: Path  # with bin/node; mounted at /var/lang
    digest: str  # "sha256:...": over what was unpacked


class LocalNodes(Protocol):
    """Has the node of each runtime. Only what fits this host's CPU."""

    def find(self, reference: str) -> LocalNode | None:
        """Return a node that is here already."""
        ...

    def obtain(self, reference: str, observer: Observer) -> LocalNode:
        """Return a node, fetched only when it is not here. LP103 for a name that is none of ours, LP138."""
        ...


class LocalEngine:
    """Opens sandboxes on this host."""

    def __init__(self, nodes: LocalNodes, volumes: Path, *, allow_unconfined: bool = False) -> None:
        """Keep volumes below a directory. LP135 where this host can run none of the nodes."""
        self._architecture = host_architecture()
        self._nodes = nodes
        self._volumes = volumes
        self._allow_unconfined = allow_unconfined

    @property
    def kind(self) -> EngineKind:
        """It is no container engine."""
        return EngineKind.LOCAL

    @property
    def name(self) -> str:
        """For people: "local (linux/amd64, scripts confined by bubblewrap)"."""
        scripts = "confined by bubblewrap" if find_bubblewrap() else "cannot be confined"
        return f"local ({sys.platform}/{self._architecture.aws}, scripts {scripts})"

    @property
    def architecture(self) -> Architecture:
        """The CPU of this host."""
        return self._architecture

    def image(self, reference: str, architecture: Architecture, observer: Observer = SILENT) -> Image:
        """Return what stands for an image: a runtime's node. LP137 for another CPU, LP103 for a container image."""
        node = self._nodes.obtain(reference, observer)
        if architecture is not self._architecture:
            detail = f"{reference} for {architecture} cannot run here: this host's CPU is {self._architecture}"
            raise LambdapackError(FOREIGN_CPU, detail)
        return Image(reference, node.digest, architecture)

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return it when its node is here already."""
        node = self._nodes.find(reference) if architecture is self._architecture else None
        return Image(reference, node.digest, architecture) if node else None

    def file_system(self, image: Image, path: str, spool: Path) -> None:  # noqa: ARG002  # the engine's protocol
        """LP103: this host's libraries are not the runtime's."""
        raise LambdapackError(WRONG_IMAGE, f"the local engine has no image whose {path} could be measured")

    def make_image(
        self,
        context: bytes,  # noqa: ARG002  # the engine's protocol
        tag: str,
        arguments: Mapping[str, str],  # noqa: ARG002
        architecture: Architecture,  # noqa: ARG002
    ) -> Iterator[Mapping[str, Any]]:
        """LP103: there are no images here."""
        raise LambdapackError(WRONG_IMAGE, f"the local engine builds no images such as {tag}")

    def caches(self) -> Sequence[Volume]:
        """Return the cache directories of all builds."""
        names = sorted(path.name for path in self._volumes.iterdir()) if self._volumes.is_dir() else []
        return [Volume(name, None) for name in names]

    def drop_cache(self, name: str) -> bool:
        """Remove such a directory."""
        with contextlib.suppress(OSError):
            remove_directory(self._volumes / name)
        return not (self._volumes / name).exists()

    @contextlib.contextmanager
    def open(self, spec: SandboxSpec, observer: Observer = SILENT) -> Iterator[Sandbox]:
        """Open a sandbox; its directories go with it. LP136 where scripts would run that nothing confines."""
        image = self.image(spec.image, spec.architecture, observer)
        bubblewrap = find_bubblewrap()
        if spec.untrusted and not bubblewrap and not self._allow_unconfined:
            raise LambdapackError(UNCONFINED, "bubblewrap is not here, or may not make user namespaces")
        root = Path(tempfile.mkdtemp(prefix=f"lambdapack-{spec.label}-"))
        secrets = None
        try:
            places = lay_out_places(root, self._nodes.obtain(spec.image, observer).directory)
            if spec.secrets:
                secrets = Path(tempfile.mkdtemp(prefix="lambdapack-", dir=_memory_directory()))
                places.add(spec.secrets, secrets)
            for volume in spec.volumes:
                places.add(volume.directory, self._make_volume(volume.name), read_only=volume.read_only)
            for inside in spec.writable:
                places.make(inside)
            yield LocalSandbox(spec, image, places, bubblewrap)
        finally:
            self._end(spec, root, secrets, observer)

    def _make_volume(self, name: str) -> Path:
        directory = self._volumes / name
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def _end(self, spec: SandboxSpec, root: Path, secrets: Path | None, observer: Observer) -> None:
        if secrets is not None:
            shutil.rmtree(secrets, ignore_errors=True)
        if spec.keep:
            observer.note(f"the directories of the sandbox are kept: {root}; remove them: rm -rf {root}")
            return
        try:
            remove_directory(root)
        except OSError as error:
            observer.note(f"{root} is still there: {error}; remove it: rm -rf {root}")


def _memory_directory() -> Path | None:
    return MEMORY_DIRECTORY if os.access(MEMORY_DIRECTORY, os.W_OK) else None


def host_architecture() -> Architecture:
    """Return this host's CPU. LP135 where no node can serve."""
    architecture = MACHINES.get(platform.machine().lower())
    if architecture is None:
        raise LambdapackError(NO_LOCAL_NODE, f"this host's CPU, {platform.machine()}, is none of Lambda's")
    if sys.platform == "win32":
        raise LambdapackError(NO_LOCAL_NODE, "this host runs Windows, which has no /bin/sh")
    if sys.platform == "linux" and not any(Path(loader).exists() for loader in LOADERS[architecture]):
        musl = "musl" if any(Path("/lib").glob("ld-musl-*")) else "no glibc"
        raise LambdapackError(NO_LOCAL_NODE, f"this host has {musl}, and node is built for glibc")
    return architecture
