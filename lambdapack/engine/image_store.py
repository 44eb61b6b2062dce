"""The images of an engine: present, pulled, their CPU read from node's ELF header. Never starts a container."""

import contextlib
import io
import posixpath
import random
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambdapack.engine import container, images
from lambdapack.engine.daemon import Daemon, NotFoundError
from lambdapack.engine.interface import Image
from lambdapack.engine.shield import run_shielded
from lambdapack.errors.build import ENGINE_REFUSED, NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Architecture

_ELF_MAGIC = b"\x7fELF"


class ChunkReader(io.RawIOBase):
    """A stream of chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        """Read nothing yet."""
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while size < 0 or len(self._rest) < size:
            more = next(self._chunks, b"")
            if not more:
                break
            self._rest += more
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


@dataclass(frozen=True, slots=True)
class TarHead:
    """What the first member is."""

    link: str = ""  # where it points, when it is a symlink
    machine: int | None = None  # e_machine, when it is a little-endian ELF file


def read_tar_head(chunks: Iterator[bytes]) -> TarHead:
    """Return what the first member is; an empty Head for no tar stream, a directory, or anything else than ELF."""
    try:
        with tarfile.open(fileobj=ChunkReader(chunks), mode="r|", bufsize=tarfile.BLOCKSIZE) as stream:
            member = stream.next()
            if member is None or member.issym():
                return TarHead(link=member.linkname if member else "")
            file = stream.extractfile(member)
            start = file.read(64) if file else b""
    except tarfile.TarError:
        return TarHead()
    if len(start) < 20 or not start.startswith(_ELF_MAGIC):
        return TarHead()
    return TarHead(machine=int.from_bytes(start[18:20], "little"))


NODE_PROGRAM = "/var/lang/bin/node"
"""Where every Node.js runtime image of Lambda has its node (docs/facts.md#5-images)."""

PULL_TRIES = 5
PULL_WAIT_SECONDS = 2.0
"""The first wait after a registry's "not now"; each next one is twice as long, give or take a half."""

MAX_NODE_LINKS = 8
"""Symlinks followed to find node."""


class ImageStore:
    """What a server holds, looked at with containers that are created and never started."""

    def __init__(self, daemon: Daemon, owner: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """`owner` labels those containers; `sleep` waits between two tries of a pull."""
        self._daemon = daemon
        self._owner = owner
        self._sleep = sleep
        self._proved: dict[tuple[str, Architecture], Architecture | None] = {}

    def image(self, reference: str, architecture: Architecture, observer: Observer) -> Image:
        """Return the image, pulled when it is not there or there for another CPU only (LP102), proved (LP103)."""
        found = self._daemon.image(reference)
        machine = None if found is None else self._machine(found, architecture)
        if found is None or (machine not in {architecture, None} and not images.is_local_image(reference)):
            if found is not None:
                observer.note(f"{reference} is here for {machine} only: pulling the image for {architecture}")
            found = self._pull(reference, architecture, observer)
            machine = self._machine(found, architecture)
        if machine is not architecture:
            raise LambdapackError(WRONG_IMAGE, _describe_mismatch(reference, machine, architecture))
        return Image(reference, images.image_digest(found), architecture)

    def find_image(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the server holds it for that CPU; never pulls."""
        found = self._daemon.image(reference)
        if found is None or self._machine(found, architecture) is not architecture:
            return None
        return Image(reference, images.image_digest(found), architecture)

    def identity(self, reference: str) -> str:
        """Return the server's own id of an image that it held a moment ago."""
        found = self._daemon.image(reference)
        if found is None:
            raise LambdapackError(NO_IMAGE, f"{reference} was here a moment ago")
        return str(found["Id"])

    def create(self, body: Mapping[str, Any], name: str, architecture: Architecture) -> str:
        """Create a container for a platform, or for none where the image's label lies: its CPU is proved otherwise."""
        try:
            return self._daemon.create(body, name, architecture.oci_platform)
        except NotFoundError:
            return self._daemon.create(body, name, None)

    @contextlib.contextmanager
    def create_idle(self, identity: str, architecture: Architecture) -> Iterator[str]:
        """Enclose a container that is never started."""
        name = container.container_name("look")
        body = container.idle_config(identity, self._owner, "look")
        try:
            yield run_shielded(lambda: self.create(body, name, architecture))
        finally:
            run_shielded(lambda: self._daemon.remove(name))

    def _machine(self, found: Mapping[str, Any], architecture: Architecture) -> Architecture | None:
        """Return the CPU of the image's own node; None when it has no node that Lambda could run."""
        key = (str(found["Id"]), architecture)
        if key not in self._proved:
            self._proved[key] = self._read_machine(*key)
        return self._proved[key]

    def _read_machine(self, identity: str, architecture: Architecture) -> Architecture | None:
        path = NODE_PROGRAM
        with self.create_idle(identity, architecture) as idle:
            for _ in range(MAX_NODE_LINKS):
                found = self._head(idle, path)
                if not found.link:
                    return Architecture.of_machine(found.machine or 0)
                path = posixpath.normpath(posixpath.join(posixpath.dirname(path), found.link))
        return None

    def _head(self, idle: str, path: str) -> TarHead:
        try:
            with self._daemon.download(idle, path) as chunks:
                return read_tar_head(chunks)
        except NotFoundError:
            return TarHead()

    def _pull(self, reference: str, architecture: Architecture, observer: Observer) -> Mapping[str, Any]:
        if images.is_local_image(reference):
            raise LambdapackError(NO_IMAGE, f"{reference} is not in {self._daemon.about}", hint=images.LOCAL_IMAGE_HINT)
        for tried in range(1, PULL_TRIES + 1):
            words = self._pull_once(reference, architecture, observer)
            if not words:
                break
            if tried == PULL_TRIES or not images.is_retryable_pull(words):
                hint = images.pull_hint(reference, architecture, words)
                raise LambdapackError(NO_IMAGE, f"{reference}: {words}", hint=hint)
            wait = PULL_WAIT_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter, no secret
            observer.note(f"{images.registry_host(reference)} says: {words}; trying again in {wait:.0f} s")
            self._sleep(wait)
        found = self._daemon.image(reference)
        if found is None:
            raise LambdapackError(NO_IMAGE, f"{reference} was pulled, yet {self._daemon.about} does not hold it")
        return found

    def _pull_once(self, reference: str, architecture: Architecture, observer: Observer) -> str:
        """Return what stood in the way, "" when the image has come."""
        layers = images.PullProgress()
        try:
            with observer.task(f"Pulling {reference}", None, "B") as advance:
                for message in self._daemon.pull(reference, architecture.oci_platform):
                    if "error" in message:
                        return str(message["error"]).strip() or "the pull failed"
                    advance(layers.advance(message))
        except NotFoundError as error:
            return str(error)
        except LambdapackError as error:
            if error.failure is not ENGINE_REFUSED:
                raise
            return error.detail
        return ""


def _describe_mismatch(reference: str, machine: Architecture | None, architecture: Architecture) -> str:
    if machine is None:
        return f"{reference} has no {NODE_PROGRAM} for a CPU of Lambda's, so it is not a Node.js runtime image"
    return f"{reference} is for {machine}, and {architecture} is wanted"
