"""The AWS SDK for JavaScript v3 that the runtimes from nodejs18.x on bring in /var/runtime/node_modules.

The official images have all clients, several hundred; the lab has the most used ones with their dependencies, which
`sdk/package-lock.json` pins. The version is the one that nodejs22.x had in aws-cdk's integration tests ("currently
ships SDK 3.895.0", framework-integ, read 2026-11); docs/lab.md has the command that makes the lockfile.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from images.lab.layer import Layer
from images.lab.recipe import Tarball

LOCKFILE: Final = Path(__file__).with_name("sdk") / "package-lock.json"
DIRECTORY: Final = "var/runtime"
NEVER_LOADED: Final = "dist-types"
"""Declarations for TypeScript, two thirds of the files: node reads none of them."""


def locked_packages() -> dict[str, Tarball]:
    """The pinned packages by their path in /var/runtime, such as `node_modules/@aws-sdk/client-s3`."""
    packages = json.loads(LOCKFILE.read_text("utf-8"))["packages"]
    return {
        path: Tarball(
            path.rpartition("node_modules/")[2], package["version"], package["integrity"].removeprefix("sha512-")
        )
        for path, package in sorted(packages.items())
        if path  # "" is the project itself
    }


def add_sdk(layer: Layer, packages: Iterable[tuple[str, bytes]]) -> None:
    """Unpack npm packages, given as path and archive, below /var/runtime."""
    for path, tarball in packages:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(tarball)), mode="r:") as archive:
            layer.unpack(archive, partial(_place, path))


def _place(package: str, member: str) -> str | None:
    """A package's only root directory may have any name."""
    inside = member.partition("/")[2]
    return None if not inside or NEVER_LOADED in inside.split("/") else f"{DIRECTORY}/{package}/{inside}"
