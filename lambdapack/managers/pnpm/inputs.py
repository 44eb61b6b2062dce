"""What `pnpm install` needs of a repository, and which packages it lets run scripts. Never the whole source."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource
from lambdapack.managers.npm.inputs import repository_inputs
from lambdapack.managers.pnpm.pnpm import place, read_pnpm_table
from lambdapack.managers.tool import ManagerPackage, named_manager
from lambdapack.project.document import parse_object, read_text, string_entries
from lambdapack.tree.compose import MemoryTree, OverlayTree
from lambdapack.tree.entry import Tree

SHIPPED_PNPM: Mapping[int, ManagerPackage] = {
    6: ManagerPackage(
        "pnpm",
        "8.15.9",
        "sha512-SZQ0ydj90aJ5Tr9FUrOyXApjOrzuW7Fee13pDzL0e1E6ypjNXP0AHDHw20VLw4BO3M1XhQHkyik6aBYWa72fgQ==",
    ),
    9: ManagerPackage(
        "pnpm",
        "10.34.9",
        "sha512-9JtajqD97bRLs8DB1ldQkqU8KVDZW3rRXfEfF5dId6LeOgHAfpNOmyjOcW5RwJqUlixzBtCb4uHksYqMh2L9Mg==",
    ),
}
"""By format of the lock: what reads it where no `packageManager` names a version (npm registry, 2026-11)."""

OWN_KEYS = frozenset({
    "node-linker", "hoist", "hoist-pattern", "public-hoist-pattern", "shamefully-hoist", "shared-workspace-lockfile",
    "link-workspace-packages", "prefer-workspace-packages", "inject-workspace-packages", "auto-install-peers",
    "dedupe-peer-dependents", "strict-peer-dependencies", "resolve-peers-from-workspace-root", "save-prefix",
    "save-workspace-protocol", "dedupe-direct-deps", "dedupe-injected-deps", "exclude-links-from-lockfile",
    "recursive-install", "manage-package-manager-versions", "package-import-method", "side-effects-cache",
    "ignore-workspace-root-check", "resolution-mode", "store-dir", "modules-dir", "virtual-store-dir",
    "enable-pre-post-scripts", "disallow-workspace-cycles", "ignore-workspace-cycles", "symlink",
    "lockfile-include-tarball-url", "peers-suffix-max-length", "use-node-version", "use-lockfile-v6",
    "only-built-dependencies", "ignored-built-dependencies", "verify-deps-before-run", "minimum-release-age",
})  # fmt: skip
"""Keys of .npmrc that are pnpm's (pnpm.io/settings, read 2026-11): npm does not know them."""

LOCKED_KEYS = ("auto-install-peers", "exclude-links-from-lockfile", "link-workspace-packages",
               "peers-suffix-max-length", "prefer-workspace-packages", "inject-workspace-packages",
               "lockfile-include-tarball-url", "dedupe-peer-dependents", "shared-workspace-lockfile")  # fmt: skip
"""Those that the frozen lock is compared with, or that choose what a specifier leads to."""

_SCALAR = re.compile(r"^\s*(?P<key>[\w-]+)\s*=\s*(?P<value>[\w.-]+)\s*$", re.MULTILINE)
_PATCH_NAME = re.compile(r"^[^\0]+$")

BUILD_CONSENT_VERSION = 10
"""The first pnpm that runs a package's scripts only where the repository allows them."""


def without_own_keys(settings: ManagerSettings) -> ManagerSettings:
    """Return the settings without the dropped keys that are pnpm's own."""
    dropped = (key for key in settings.dropped if key.partition("[")[0] not in OWN_KEYS)
    return replace(settings, dropped=tuple(dropped))


def pnpm_package(source: DependencySource) -> ManagerPackage:
    """Return the pnpm that `packageManager` names, else the one for the lock's format."""
    manifest = source.repository.root / "package.json"
    named = named_manager(parse_object(read_text(manifest), manifest)) if manifest.is_file() else None
    if named is not None and named.name == "pnpm":
        known = (package for package in SHIPPED_PNPM.values() if package.version == named.version)
        return next(known, ManagerPackage("pnpm", named.version, named.integrity))
    return SHIPPED_PNPM.get(source.lock.version if source.lock else 9, SHIPPED_PNPM[9])


def pnpm_inputs(source: DependencySource, globs: Sequence[str] = ()) -> Tree:
    """Return what an install for one importer needs, as it lies in the sandbox, pnpm's own package.json among it."""
    root, directory = source.repository.root, sandbox_layout(source).root
    files: dict[str, tuple[bytes, int]] = dict(pnpm_package(source).files)
    for name in ("pnpm-workspace.yaml", ".pnpmfile.cjs", *_patch_files(source)):
        path = root / name
        if path.is_file():
            files[place(directory, name)] = (path.read_bytes(), 0o644)
    npmrc = root / ".npmrc"
    if npmrc.is_file():
        kept = {match["key"]: match["value"] for match in _SCALAR.finditer(read_text(npmrc))}
        text = "".join(f"{key}={kept[key]}\n" for key in LOCKED_KEYS if key in kept)
        files[place(directory, ".npmrc")] = (text.encode(), 0o644)
    return OverlayTree(repository_inputs(source, globs), MemoryTree(files))


def _patch_files(source: DependencySource) -> Iterator[str]:
    for written in string_entries(read_pnpm_table(source.repository).get("patchedDependencies")).values():
        path = posixpath.normpath(written)
        if not path.startswith(("..", "/")) and _PATCH_NAME.match(path):
            yield path


def is_build_allowed(source: DependencySource, package: str) -> bool:
    """Tell whether pnpm would run the install scripts of a package: "bcrypt@6.0.0"."""
    at = package.rfind("@", 1)
    name = package[:at] if at > 0 else package
    if source.lock and any(local.name == name and local.local for local in source.lock.production):
        return True
    table = read_pnpm_table(source.repository)
    if name in _names(table.get("neverBuiltDependencies")) or name in _names(table.get("ignoredBuiltDependencies")):
        return False
    if int(pnpm_package(source).version.partition(".")[0]) < BUILD_CONSENT_VERSION:
        return True
    allowed = table.get("allowBuilds")
    if isinstance(allowed, dict) and (name in allowed or package in allowed):
        return allowed.get(package, allowed.get(name)) is True
    return table.get("dangerouslyAllowAllBuilds") is True or bool(
        {name, package} & set(_names(table.get("onlyBuiltDependencies")))
    )


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
