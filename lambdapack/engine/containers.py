"""The container engine: opens sandboxes and always closes them. Never imports an SDK."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lambdapack.engine import container
from lambdapack.engine import sandbox as spooling
from lambdapack.engine.container import CACHE_LABEL, OWNER_LABEL, SYSTEM_LABEL, current_owner, is_abandoned
from lambdapack.engine.daemon import Daemon, NotFoundError, NotRunningError
from lambdapack.engine.image_store import ImageStore
from lambdapack.engine.interface import EngineKind, Image, Sandbox, SandboxSpec, SystemImage, Volume
from lambdapack.engine.sandbox import ContainerSandbox
from lambdapack.engine.shield import run_shielded
from lambdapack.engine.wire import Wire
from lambdapack.errors.build import ENGINE_LOST, ENGINE_REFUSED, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture

KILL_SECONDS = 10.0
"""How long a killed container may take to end."""


CAREFUL_WORDS = ("rlimit", "cpu shares", "cpu.weight", "controller `cpu`", "cpu controller")
"""What an engine says that may not set limits of processes, or a share of the CPU (rootless, without delegation)."""


class ContainerEngine:
    """Docker, or what answers like it."""

    def __init__(self, daemon: Daemon, sleep: Callable[[float], None] = time.sleep) -> None:
        """Use a server that has answered already; `sleep` waits between two tries of a pull."""
        self._daemon = daemon
        self._owner = current_owner()
        self._store = ImageStore(daemon, self._owner.text, sleep)
        self._careful = False
        self._reaped = False

    @property
    def kind(self) -> EngineKind:
        """Docker or podman."""
        return self._daemon.about.kind

    @property
    def name(self) -> str:
        """For people: "Docker Engine 20.10.24 (linux/amd64)"."""
        return str(self._daemon.about)

    @property
    def address(self) -> str:
        """Where it answers."""
        return self._daemon.about.address

    @property
    def architecture(self) -> Architecture:
        """The CPU of the engine's machine."""
        return self._daemon.about.architecture

    def image(self, reference: str, architecture: Architecture, observer: Observer = SILENT) -> Image:
        """Return the image, pulled only when it is not there (LP102), its CPU proved (LP103)."""
        return self._store.image(reference, architecture, observer)

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the engine holds it for that CPU; never pulls."""
        return self._store.find_image(reference, architecture)

    def file_system(self, image: Image, path: str, spool: Path) -> None:
        """Write the tar stream of a directory of the image; LP103 when it has no such directory."""
        with self._store.create_idle(self._store.identity(image.reference), image.architecture) as idle:
            try:
                with self._daemon.download(idle, f"{path.rstrip('/')}/.") as chunks:
                    spooling.write_spool(chunks, spool, lambda _bytes: None)
            except NotFoundError as error:
                raise LambdapackError(WRONG_IMAGE, f"{image.reference} has no directory {path}: {error}") from error

    def make_image(
        self, context: bytes, tag: str, arguments: Mapping[str, str], architecture: Architecture
    ) -> Iterator[Mapping[str, Any]]:
        """Build an image from a tar with a Dockerfile; yields its messages, one with "error" when it failed."""
        return self._daemon.build(context, tag, arguments, architecture.oci_platform)

    def system_images(self) -> Sequence[SystemImage]:
        """Return the images with system packages that builds have made."""
        made = (
            SystemImage(reference, (image.get("Labels") or {}).get(SYSTEM_LABEL, ""), int(image.get("Size") or 0))
            for image in self._daemon.images(SYSTEM_LABEL)
            for reference in image.get("RepoTags") or ()
        )
        return sorted(made, key=lambda image: image.reference)

    def drop_image(self, reference: str) -> bool:
        """Remove such an image; False when a container uses it now."""
        try:
            self._daemon.remove_image(reference)
        except LambdapackError as error:
            if error.failure is not ENGINE_REFUSED:
                raise
            return False
        return True

    def caches(self) -> Sequence[Volume]:
        """Return the cache volumes of all builds."""
        found = [
            (volume["Name"], (volume.get("UsageData") or {}).get("Size"))
            for volume in self._daemon.volumes(CACHE_LABEL)
        ]
        return sorted(
            (Volume(name, size if size is not None and size >= 0 else None) for name, size in found),
            key=lambda volume: volume.name,
        )

    def drop_cache(self, name: str) -> bool:
        """Remove such a volume; False when a container holds it."""
        try:
            self._daemon.remove_volume(name)
        except LambdapackError as error:
            if error.failure is not ENGINE_REFUSED:
                raise
            return False
        return True

    @contextlib.contextmanager
    def open(self, spec: SandboxSpec, observer: Observer = SILENT) -> Iterator[Sandbox]:
        """Open a sandbox. However it is left, nothing of it remains; `spec.keep` leaves the container and says so."""
        image = self.image(spec.image, spec.architecture, observer)
        self._reap()
        name, wires = container.container_name(spec.label), list[Wire]()
        try:
            yield run_shielded(lambda: self._start(spec, image, name, wires))
        finally:
            run_shielded(lambda: self._end(spec, name, wires, observer))

    def _start(self, spec: SandboxSpec, image: Image, name: str, wires: list[Wire]) -> Sandbox:
        for volume in spec.volumes:
            self._daemon.volume(volume.name, {CACHE_LABEL: volume.directory})
        try:
            return self._started(spec, image, name, wires)
        except LambdapackError as error:
            if self._careful or not any(word in error.detail.lower() for word in CAREFUL_WORDS):
                raise
            self._careful = True
            self._daemon.remove(name)
            return self._started(spec, image, name, wires)

    def _started(self, spec: SandboxSpec, image: Image, name: str, wires: list[Wire]) -> Sandbox:
        body = container.sandbox_config(spec, self._store.identity(spec.image), self._owner.text, careful=self._careful)
        try:
            created = self._store.create(body, name, image.architecture)
            wire = self._daemon.attach(created)
            wires.append(wire)
            self._daemon.start(created)
        except (NotFoundError, NotRunningError) as error:
            raise LambdapackError(ENGINE_LOST, f"the container went away while it was started: {error}") from error
        return ContainerSandbox(self._daemon, created, wire, spec, image)

    def _end(self, spec: SandboxSpec, name: str, wires: list[Wire], observer: Observer) -> None:
        for wire in wires:
            wire.close()
        try:
            if spec.keep and self._daemon.state(name):
                self._keep(name, observer)
            else:
                self._daemon.remove(name)
        except (LambdapackError, NotFoundError, NotRunningError) as error:
            words = getattr(error, "detail", str(error))
            observer.note(f"the container {name} may still be there: {words}; remove it: docker rm -f -v {name}")

    def _keep(self, name: str, observer: Observer) -> None:
        """Let it end and start it again: its tmpfs, and the secrets there, are gone then."""
        self._daemon.kill(name)
        until = time.monotonic() + KILL_SECONDS
        while self._daemon.state(name) == "running" and time.monotonic() < until:
            time.sleep(0.05)
        self._daemon.start(name)
        observer.note(f"the container is kept: docker exec -it {name} sh; remove it: docker rm -f -v {name}")

    def _reap(self) -> None:
        """Remove what a killed run of this program left, once; a failure of that is nobody's concern now."""
        if self._reaped:
            return
        self._reaped = True
        with contextlib.suppress(LambdapackError):
            for candidate in self._daemon.containers(OWNER_LABEL):
                if is_abandoned(candidate, self._owner, time.time()):
                    self._daemon.remove(str(candidate["Id"]))
