"""Install scripts that only look for a binary which the fetched tree has: decided from its files, never run.

Every manager's tree has the same package.json and the same prebuilds, so this is no part of one manager.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdapack.managers.interface import ScriptedPackage
from lambdapack.model import NODE_MODULES, Architecture
from lambdapack.project.document import INSTALL_SCRIPTS, string_entries
from lambdapack.tree.entry import EntryKind, Tree, read_file

PREBUILD_LOADER = re.compile(r"(?:node-gyp-build)(?:\s*\|\|\s*(?:exit 0|true))?")
"""node-gyp-build 4 as an install script: it ends at once when its own choice of a prebuild loads (its bin.js)."""

OPTIONAL_PACKAGES_LOADER = re.compile(r"node-gyp-build-optional-packages(?:\s*\|\|\s*(?:exit 0|true))?")
"""The same for a prebuild in an optional package of the platform (node-gyp-build-optional-packages 5, index.js)."""

ARM_VERSION = "8"
"""node-gyp-build's `armv` on arm64."""

UV_MAJOR = "1"
"""Of every Node.js since 0.12: process.versions.uv."""


def find_undecided(
    packages: Sequence[ScriptedPackage], tree: Tree, architecture: Architecture, abi: int
) -> tuple[ScriptedPackage, ...]:
    """Return the packages of which something has to run although their prebuild may be there."""
    return tuple(package for package in packages if not _has_prebuild(package, tree, architecture, abi))


def _has_prebuild(package: ScriptedPackage, tree: Tree, architecture: Architecture, abi: int) -> bool:
    manifest = _read_manifest(tree, package.directory)
    scripts = string_entries(manifest.get("scripts"))
    events = [event for event in INSTALL_SCRIPTS if scripts.get(event)]
    if len(events) != 1 or f"{package.directory}/build" in tree.entries:
        return False
    script = scripts[events[0]].strip()
    if PREBUILD_LOADER.fullmatch(script):
        return any(_fits(name, abi) for name in _prebuilds(package.directory, tree, architecture))
    if OPTIONAL_PACKAGES_LOADER.fullmatch(script):
        return any(_fits(name, abi) for name in _platform_package(package, manifest, tree, architecture))
    return False


def _prebuilds(directory: str, tree: Tree, architecture: Architecture) -> Iterator[str]:
    """Yield the names of a package's prebuilds for a CPU: prebuilds/linux-arm64/NAME, or one directory for several."""
    prefix = f"{directory}/prebuilds/"
    for path, entry in tree.entries.items():
        if path.startswith(prefix) and entry.kind is EntryKind.FILE:
            platform, _slash, name = path.removeprefix(prefix).partition("/")
            system, _dash, cpus = platform.partition("-")
            if system == "linux" and architecture.node in cpus.split("+") and "/" not in name:
                yield name


def _platform_package(
    package: ScriptedPackage, manifest: Mapping[str, Any], tree: Tree, architecture: Architecture
) -> Iterator[str]:
    """Yield the names of the binaries in the optional package of the platform, where node would find it."""
    name = str(manifest.get("name", ""))
    scope = "" if name.startswith("@") else f"@{name}/"
    wanted = f"{scope}{name}-linux-{architecture.node}"
    if wanted not in string_entries(manifest.get("optionalDependencies")):
        return
    place = package.directory
    while place:
        directory = posixpath.join(place, NODE_MODULES, wanted)
        if posixpath.basename(place) != NODE_MODULES and f"{directory}/package.json" in tree.entries:
            start = f"{directory}/"
            yield from (path.removeprefix(start) for path in tree.entries if path.startswith(start))
            return
        place = posixpath.dirname(place)
    start = f"{NODE_MODULES}/{wanted}/"
    if f"{start}package.json" in tree.entries:
        yield from (path.removeprefix(start) for path in tree.entries if path.startswith(start))


def _fits(name: str, abi: int) -> bool:
    """Tell whether node-gyp-build would take a prebuild, by the tags in its name (index.js, parseTags, matchTags)."""
    *tags, extension = name.split(".")
    if extension != "node":
        return False
    runtime = next((tag for tag in tags if tag in {"node", "electron", "node-webkit"}), "")
    if runtime not in {"", "node"}:
        return False
    wanted = {"abi": str(abi), "uv": UV_MAJOR, "armv": ARM_VERSION}
    for tag in tags:
        key, value = next(((key, tag[len(key) :]) for key in wanted if re.fullmatch(rf"{key}\d+", tag)), ("", ""))
        if key and value != wanted[key] and not (key == "abi" and "napi" in tags):
            return False
    return "musl" not in tags


def _read_manifest(tree: Tree, directory: str) -> Mapping[str, Any]:
    try:
        manifest = json.loads(read_file(tree, f"{directory}/package.json").decode("utf-8-sig"))
    except (KeyError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
