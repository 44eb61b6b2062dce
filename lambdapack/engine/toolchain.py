"""Builds images for installs: a toolchain on the runtime's image, system packages on a toolchain. Pushes none."""

import difflib
import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from lambdapack.engine.images import expand_image_name
from lambdapack.engine.interface import Engine, Image
from lambdapack.errors.build import IMAGE_BUILD
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.system_packages import SYSTEM_PACKAGE
from lambdapack.events import Observer
from lambdapack.model import Target

TOOLCHAIN_IMAGE = "lambdapack/nodejs:{node}-{arch}-build"
"""The name of what is made here; images of lambdapack/ are never pulled."""

SYSTEM_IMAGE = "lambdapack/system:{key}"
"""The name of an image with system packages; the key is made of its base, its packages and its Dockerfile."""

MAX_BUILD_LOG_LINES = 20
"""Last lines of a build that failed."""

PROXY_BUILD_ARGUMENTS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Arguments that every Dockerfile takes and that stay out of the image's history (Docker's build reference)."""

PACKAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:=~-]*")
"""Names of rpm and Debian packages, with a version or a CPU; nothing that a shell or an option parser would read."""

SIMILAR_NAME = re.compile(r"lambdapack-similar: (\S+)")
UNKNOWN_PACKAGE = re.compile(
    r"Unable to locate package (\S+)|No package (?:matches '([^']+)'|(\S+) available)|No match for argument: (\S+)"
    r"|has no installation candidate|Unable to find a match: (\S+)"
)
"""What apt-get, microdnf, yum and dnf say of a package that their index does not have."""


def make_toolchain_image(
    engine: Engine, target: Target, base: str, environ: Mapping[str, str], observer: Observer
) -> str:
    """Return the reference of the toolchain image for a target, made on its bare image `base`. LP108 when it fails."""
    tag = expand_image_name(TOOLCHAIN_IMAGE, target)
    arguments = {"BASE": expand_image_name(base, target)} | _proxy_arguments(environ)
    with observer.task(f"Building {tag}"):
        messages = engine.make_image(make_build_context(), tag, arguments, target.architecture)
        lines, error = _follow_build(messages, observer)
    if error:
        raise LambdapackError(IMAGE_BUILD, "\n".join((tag, *lines[-MAX_BUILD_LOG_LINES:], error)))
    return tag


def check_package_names(packages: Sequence[str]) -> None:
    """Refuse with LP190 what is no name of a package."""
    for package in packages:
        if not PACKAGE_NAME.fullmatch(package):
            raise LambdapackError(SYSTEM_PACKAGE, f"{package!r} is not the name of a package")


def make_system_image(
    engine: Engine, base: Image, packages: Sequence[str], environ: Mapping[str, str], observer: Observer
) -> str:
    """Return the reference of an image with system packages on a base; made once for each base and set of packages.

    LP190 when the base's package index does not have one of them, or they cannot be installed. No credential and no
    install script is near.
    """
    check_package_names(packages)
    wanted = " ".join(sorted(set(packages)))
    context = make_build_context("system-packages.Dockerfile")
    key = hashlib.sha256(f"{base.digest}\n{wanted}".encode() + read_dockerfile("system-packages.Dockerfile"))
    tag = SYSTEM_IMAGE.format(key=key.hexdigest()[:20])
    if engine.find_image(tag, base.architecture):
        return tag
    arguments = {"BASE": base.reference, "PACKAGES": wanted} | _proxy_arguments(environ)
    with observer.task(f"Installing {wanted} on {base.reference}"):
        lines, error = _follow_build(engine.make_image(context, tag, arguments, base.architecture), observer)
    if error:
        raise _package_failure(base, packages, lines, error)
    return tag


def _package_failure(base: Image, packages: Sequence[str], lines: Sequence[str], error: str) -> LambdapackError:
    said = "\n".join(lines)
    match = UNKNOWN_PACKAGE.search(said)
    unknown = next((name for name in match.groups() if name), packages[0]) if match else ""
    if not unknown:
        own = [line for line in lines if not SIMILAR_NAME.match(line)]
        return LambdapackError(SYSTEM_PACKAGE, "\n".join((base.reference, *own[-MAX_BUILD_LOG_LINES:], error)))
    names = sorted(set(SIMILAR_NAME.findall(said)))
    nearest = difflib.get_close_matches(unknown, names, 3, 0.5)
    hint = f"Correct the name: {' or '.join(nearest)}." if nearest else SYSTEM_PACKAGE.fix
    return LambdapackError(SYSTEM_PACKAGE, f"{base.reference} has no package {unknown}", hint=hint)


def read_dockerfile(name: str = "Dockerfile") -> bytes:
    """Return a Dockerfile of images/: inside the installed package, or where the repository has it."""
    shipped = files("lambdapack.engine").joinpath(name)
    if shipped.is_file():
        return shipped.read_bytes()
    return (Path(__file__).resolve().parents[2] / "images" / name).read_bytes()


def make_build_context(name: str = "Dockerfile") -> bytes:
    """Return the tar that an engine builds from: the Dockerfile alone."""
    data = read_dockerfile(name)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _proxy_arguments(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PROXY_BUILD_ARGUMENTS if environ.get(name)}


def _follow_build(messages: Iterable[Mapping[str, Any]], observer: Observer) -> tuple[list[str], str]:
    """Pass a build's lines on; return them and its error, "" when it went well."""
    lines: list[str] = []
    error = rest = ""
    for message in messages:
        error = str(message.get("error", error)).strip()
        *whole, rest = f"{rest}{message.get('stream', '')}".split("\n")  # the engine cuts lines anywhere
        for text in filter(None, map(_strip_colours, whole)):
            if not SIMILAR_NAME.match(text):
                observer.line(text)
            lines.append(text)
    return [*lines, *filter(None, [_strip_colours(rest)])], error


def _strip_colours(line: str) -> str:
    """Take the colours out that package managers print."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).rstrip()
