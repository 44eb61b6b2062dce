"""Builds the toolchain image from images/Dockerfile on the runtime's image. Never pushes it."""

import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from lambdapack.engine.images import expand_image_name
from lambdapack.engine.interface import Engine
from lambdapack.errors.build import IMAGE_BUILD
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Target

TOOLCHAIN_IMAGE = "lambdapack/nodejs:{node}-{arch}-build"
"""The name of what is made here; images of lambdapack/ are never pulled."""

MAX_BUILD_LOG_LINES = 20
"""Last lines of a build that failed."""

PROXY_BUILD_ARGUMENTS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Arguments that every Dockerfile takes and that stay out of the image's history (Docker's build reference)."""


def make_toolchain_image(
    engine: Engine, target: Target, base: str, environ: Mapping[str, str], observer: Observer
) -> str:
    """Return the reference of the toolchain image for a target, made on its bare image `base`. LP108 when it fails."""
    tag = expand_image_name(TOOLCHAIN_IMAGE, target)
    arguments = {"BASE": expand_image_name(base, target)} | {
        name: environ[name] for name in PROXY_BUILD_ARGUMENTS if environ.get(name)
    }
    with observer.task(f"Building {tag}"):
        messages = engine.make_image(make_build_context(), tag, arguments, target.architecture)
        _follow_build(messages, tag, observer)
    return tag


def read_dockerfile() -> bytes:
    """Return images/Dockerfile: inside the installed package, or where the repository has it."""
    shipped = files("lambdapack.engine").joinpath("Dockerfile")
    if shipped.is_file():
        return shipped.read_bytes()
    return (Path(__file__).resolve().parents[2] / "images" / "Dockerfile").read_bytes()


def make_build_context() -> bytes:
    """Return the tar that an engine builds from: the Dockerfile alone."""
    data = read_dockerfile()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _follow_build(messages: Iterable[Mapping[str, Any]], tag: str, observer: Observer) -> None:
    lines: list[str] = []
    for message in messages:
        for line in str(message.get("stream", "")).splitlines():
            if text := _strip_colours(line):
                observer.line(text)
                lines = [*lines[1 - MAX_BUILD_LOG_LINES :], text]
        if "error" in message:
            raise LambdapackError(IMAGE_BUILD, "\n".join((tag, *lines, str(message["error"]).strip())))


def _strip_colours(line: str) -> str:
    """Take the colours out that package managers print."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).rstrip()
