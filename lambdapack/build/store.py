"""The images of an engine: held, pulled, and their CPU proved. Never starts a container."""

import contextlib
import posixpath
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lambdapack.build import container, images
from lambdapack.build.daemon import Daemon, NotThereError
from lambdapack.build.engine import Image
from lambdapack.build.shield import shielded
from lambdapack.build.tarhead import Head, head
from lambdapack.errors import ENGINE_REFUSED, NO_IMAGE, WRONG_IMAGE, LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Architecture

NODE = "/var/lang/bin/node"
"""Where every Node.js runtime image of Lambda has its node (FACTS.md section 5)."""

PULL_TRIES = 5
PULL_WAIT_SECONDS = 2.0
"""The first wait after a registry's "not now"; each next one is twice as long, give or take a half."""

LINKS_MAX = 8
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
        if found is None or (machine not in {architecture, None} and not images.is_local(reference)):
            if found is not None:
                observer.note(f"{reference} is here for {machine} only: pulling the image for {architecture}")
            found = self._pull(reference, architecture, observer)
            machine = self._machine(found, architecture)
        if machine is not architecture:
            raise LambdapackError(WRONG_IMAGE, _mismatch(reference, machine, architecture))
        return Image(reference, images.digest(found), architecture)

    def held(self, reference: str, architecture: Architecture) -> Image | None:
        """Return the image when the server holds it for that CPU; never pulls."""
        found = self._daemon.image(reference)
        if found is None or self._machine(found, architecture) is not architecture:
            return None
        return Image(reference, images.digest(found), architecture)

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
        except NotThereError:
            return self._daemon.create(body, name, None)

    @contextlib.contextmanager
    def created(self, identity: str, architecture: Architecture) -> Iterator[str]:
        """Enclose a container that is never started."""
        name = container.name("look")
        body = container.idle(identity, self._owner, "look")
        try:
            yield shielded(lambda: self.create(body, name, architecture))
        finally:
            shielded(lambda: self._daemon.remove(name))

    def _machine(self, found: Mapping[str, Any], architecture: Architecture) -> Architecture | None:
        """Return the CPU of the image's own node; None when it has no node that Lambda could run."""
        key = (str(found["Id"]), architecture)
        if key not in self._proved:
            self._proved[key] = self._read_machine(*key)
        return self._proved[key]

    def _read_machine(self, identity: str, architecture: Architecture) -> Architecture | None:
        path = NODE
        with self.created(identity, architecture) as looked:
            for _ in range(LINKS_MAX):
                found = self._head(looked, path)
                if not found.link:
                    return Architecture.of_machine(found.machine or 0)
                path = posixpath.normpath(posixpath.join(posixpath.dirname(path), found.link))
        return None

    def _head(self, looked: str, path: str) -> Head:
        try:
            with self._daemon.download(looked, path) as chunks:
                return head(chunks)
        except NotThereError:
            return Head()

    def _pull(self, reference: str, architecture: Architecture, observer: Observer) -> Mapping[str, Any]:
        if images.is_local(reference):
            raise LambdapackError(NO_IMAGE, f"{reference} is not in {self._daemon.about}", hint=images.LOCAL_HINT)
        for tried in range(1, PULL_TRIES + 1):
            words = self._pull_once(reference, architecture, observer)
            if not words:
                break
            if tried == PULL_TRIES or not images.worth_another_try(words):
                hint = images.pull_hint(reference, architecture, words)
                raise LambdapackError(NO_IMAGE, f"{reference}: {words}", hint=hint)
            wait = PULL_WAIT_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter, no secret
            observer.note(f"{images.registry(reference)} says: {words}; trying again in {wait:.0f} s")
            self._sleep(wait)
        found = self._daemon.image(reference)
        if found is None:
            raise LambdapackError(NO_IMAGE, f"{reference} was pulled, yet {self._daemon.about} does not hold it")
        return found

    def _pull_once(self, reference: str, architecture: Architecture, observer: Observer) -> str:
        """Return what stood in the way, "" when the image has come."""
        layers = images.Layers()
        try:
            with observer.task(f"Pulling {reference}", None, "B") as advance:
                for message in self._daemon.pull(reference, architecture.oci_platform):
                    if "error" in message:
                        return str(message["error"]).strip() or "the pull failed"
                    advance(layers.advance(message))
        except NotThereError as error:
            return str(error)
        except LambdapackError as error:
            if error.failure is not ENGINE_REFUSED:
                raise
            return error.detail
        return ""


def _mismatch(reference: str, machine: Architecture | None, architecture: Architecture) -> str:
    if machine is None:
        return f"{reference} has no {NODE} for a CPU of Lambda's, so it is not a Node.js runtime image"
    return f"{reference} is for {machine}, and {architecture} is wanted"
