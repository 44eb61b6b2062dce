"""What yarn needs of a repository, which yarn that is, and which packages it lets run scripts."""

import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lambdapack.managers.layout import local_packages, sandbox_layout
from lambdapack.managers.lock import DependencySource
from lambdapack.managers.npm.inputs import repository_inputs
from lambdapack.managers.npm.versions import DEFAULT_REGISTRY
from lambdapack.managers.tool import ManagerPackage, named_manager
from lambdapack.managers.yarn.lockfile import BERRY
from lambdapack.managers.yarn.settings import read_yarnrc
from lambdapack.project.document import parse_object, read_text
from lambdapack.tree.compose import MemoryTree, OverlayTree
from lambdapack.tree.entry import Tree

CLASSIC_YARN = ManagerPackage(
    "yarn",
    "1.22.22",
    "sha512-prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg==",
)
BERRY_PACKAGE = "@yarnpkg/cli-dist"
BERRY_YARN = ManagerPackage(
    BERRY_PACKAGE,
    "4.9.2",
    "sha512-qrMyWzvEnWhaWOflvE1pGxWGiVOPsO/q4XfGCeRPnLU8ECkvhrhJEfCNakcy3s3VHcApBASQ4fmL0sOEw6xtZQ==",
)
"""What reads a lock where nothing names a version (npm registry, 2026-11)."""

YARN_REGISTRY = b"https://registry.yarnpkg.com/"
"""Another name of npm's registry, which yarn 1 writes into its locks."""

PUBLIC_KEYS = ("packageExtensions", "catalog", "catalogs", "checksumBehavior", "compressionLevel", "nmHoistingLimits",
               "cacheMigrationMode", "enableTransparentWorkspaces", "defaultProtocol")  # fmt: skip
"""Keys of .yarnrc.yml that decide what a descriptor means or how a checksum is made (yarnpkg.com, read 2026-11)."""

_YARN_PATH = re.compile(r"yarn-(\d+\.\d+\.\d+)\.c?js$")
_PATCH = re.compile(r"patch:[^#\"]*#(?:optional!|~/|\./)*(?P<path>[^\"&:!]+\.(?:patch|diff))")


def yarn_package(source: DependencySource) -> ManagerPackage:
    """Return the yarn that `packageManager` or `yarnPath` names, else the one for the lock's generation."""
    root, berry = source.repository.root, is_berry_source(source)
    manifest = root / "package.json"
    named = named_manager(parse_object(read_text(manifest), manifest)) if manifest.is_file() else None
    version = named.version if named is not None and named.name == "yarn" else ""
    if not version and berry:
        match = _YARN_PATH.search(str(read_yarnrc(root).get("yarnPath", "")))
        version = match[1] if match else ""
    if not berry:
        is_classic = version.startswith("1.") and version != CLASSIC_YARN.version
        return ManagerPackage("yarn", version, named.integrity if named else "") if is_classic else CLASSIC_YARN
    if not version or version == BERRY_YARN.version or version.startswith("1."):
        return BERRY_YARN
    return ManagerPackage(BERRY_PACKAGE, version)


def is_berry_source(source: DependencySource) -> bool:
    """Tell whether the lock is of yarn 2 or later."""
    return source.lock is not None and source.lock.manager == BERRY


def yarn_inputs(source: DependencySource, globs: Sequence[str] = ()) -> Tree:
    """Return what an install for one package needs, as it lies in the sandbox, yarn's own package.json among it."""
    root, directory = source.repository.root, sandbox_layout(source).root
    files: dict[str, tuple[bytes, int]] = dict(yarn_package(source).files)
    lock = source.lock.path if source.lock else root
    if is_berry_source(source):
        public = {key: value for key, value in read_yarnrc(root).items() if key in PUBLIC_KEYS}
        fixed = {"nodeLinker": "node-modules", "enableScripts": False, "enableTelemetry": False, "plugins": []}
        files[posixpath.join(directory, ".yarnrc.yml")] = (json.dumps({**public, **fixed}).encode(), 0o644)
        for path in _patch_files(lock.read_text("utf-8")):
            if (root / path).is_file():
                files[posixpath.join(directory, path)] = ((root / path).read_bytes(), 0o644)
    else:
        text = lock.read_bytes().replace(YARN_REGISTRY, DEFAULT_REGISTRY.encode())
        files[posixpath.join(directory, lock.name)] = (text, 0o644)
        files[posixpath.join(directory, "package.json")] = (_narrow_root(source), 0o644)
    return OverlayTree(repository_inputs(source, globs), MemoryTree(files))


def _narrow_root(source: DependencySource) -> bytes:
    """Return the root's package.json for yarn 1, which installs every workspace: those that ship, and no dev."""
    path = source.repository.root / "package.json"
    manifest: dict[str, Any] = {
        key: value for key, value in parse_object(read_text(path), path).items() if key != "scripts"
    }
    locals_ = [package.local or "" for package in local_packages(source)]
    if source.importer != ".":
        manifest = {
            key: value for key, value in manifest.items() if key not in {"dependencies", "optionalDependencies"}
        }
    if "workspaces" in manifest:
        importers = source.lock.importers if source.lock else {}
        manifest["workspaces"] = sorted({*locals_, source.importer} & set(importers) - {"."})
        manifest["private"] = True
    manifest.pop("devDependencies", None)
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _patch_files(text: str) -> Iterator[str]:
    for match in _PATCH.finditer(text):
        path = posixpath.normpath(match["path"])
        if not path.startswith(("..", "/")):
            yield path


def is_build_allowed(source: DependencySource, package: str) -> bool:
    """Tell whether yarn would run the install scripts of a package: "bcrypt@6.0.0"."""
    at = package.rfind("@", 1)
    name = package[:at] if at > 0 else package
    path = source.repository.root / "package.json"
    manifest = parse_object(read_text(path), path) if path.is_file() else {}
    meta = manifest.get("dependenciesMeta")
    entry = meta.get(package, meta.get(name)) if isinstance(meta, dict) else None
    built = entry.get("built") if isinstance(entry, dict) else None
    if built is not None:
        return built is True
    return not is_berry_source(source) or read_yarnrc(source.repository.root).get("enableScripts") is not False
