"""The package book against the registry: names, versions, and how each package delivers its binary.

The standard run asks about a few packages. `BOOK_NAMES="sharp bcrypt"` names others, `BOOK_NAMES=all` every one: for
whoever brings the book up to date.
"""

import json
import os
import subprocess
from typing import Any

import pytest

from lambdapack.book.book import BinaryDelivery, BookEntry, read_book
from lambdapack.rules.selection.tokens import parse_platform_tags

pytestmark = pytest.mark.registry

SAMPLE = ("@resvg/resvg-js", "ffmpeg-static", "mozjpeg", "tree-sitter", "xxhash-addon")
FIELDS = ("name", "version", "deprecated", "optionalDependencies", "scripts", "gypfile")
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")


def names() -> tuple[str, ...]:
    """The packages to ask about."""
    wanted = os.environ.get("BOOK_NAMES", "")
    return tuple(read_book()) if wanted == "all" else tuple(wanted.split()) or SAMPLE


def manifest_of(entry: BookEntry) -> dict[str, Any]:
    """What the registry has of the version that the book names, by npm's own client."""
    command = ["npm", "view", f"{entry.name}@{entry.newest}", *FIELDS, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def contradictions(entry: BookEntry, manifest: dict[str, Any]) -> list[str]:
    """What the registry shows otherwise than the book says."""
    platforms = [name for name in manifest.get("optionalDependencies", {}) if parse_platform_tags(name).names_platform]
    scripts = [name for name in INSTALL_SCRIPTS if name in manifest.get("scripts", {})]
    installs = bool(scripts) or bool(manifest.get("gypfile"))
    said = {
        BinaryDelivery.PLATFORM_PACKAGES: "" if platforms else "it has no optional package for a platform",
        BinaryDelivery.DOWNLOAD: "" if installs else "it has no install script",
        BinaryDelivery.COMPILE: "" if installs else "it has no install script and no binding.gyp",
        BinaryDelivery.IN_PACKAGE: "it has optional packages for platforms" if platforms else "",
        BinaryDelivery.NONE: "",
    }[entry.delivery]
    deprecated = "it is deprecated" if manifest.get("deprecated") and entry.is_maintained else ""
    return [each for each in (said, deprecated) if each]


@pytest.mark.parametrize("name", names())
def test_an_entry_is_as_the_registry_has_it(name: str) -> None:
    entry = read_book()[name]
    assert contradictions(entry, manifest_of(entry)) == []
