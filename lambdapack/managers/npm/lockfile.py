"""Reads package-lock.json and npm-shrinkwrap.json, and walks their dependency graph. Never repairs a lockfile."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BROKEN_MANIFEST
from lambdapack.project.document import key_lines, parse_object, read_text, string_entries
from lambdapack.project.project import LockedPackage, Lockfile

LOCKFILE_NAMES = ("npm-shrinkwrap.json", "package-lock.json")
"""In the order in which npm looks (arborist lib/shrinkwrap.js, npm 11.19.1, read 2026-11)."""


def read_lockfile(directory: Path) -> Lockfile | None:
    """Return the lockfile that npm would use in a directory, None when there is none. LP003 when it is broken."""
    path = next((directory / name for name in LOCKFILE_NAMES if (directory / name).is_file()), None)
    return parse_lockfile(read_text(path), path) if path else None


def parse_lockfile(text: str, path: Path) -> Lockfile:
    """Return the lockfile that a text is; `path` is how messages name it. LP003 when it is broken."""
    document = parse_object(text, path)
    packages = document.get("packages")
    if packages is None:
        return Lockfile(path, min(_lockfile_version(document, path), 1), {})
    if not isinstance(packages, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "packages" is not an object')
    lines = key_lines(text, "packages", packages)
    parsed = {key: _parse_entry(key, value, path, lines[key]) for key, value in packages.items()}
    return Lockfile(path, _lockfile_version(document, path), complete_links(parsed))


def _lockfile_version(document: Mapping[str, Any], path: Path) -> int:
    # npm takes a lockfile without a version, but with "packages", for its own newest format (3).
    value = document.get("lockfileVersion", 3 if "packages" in document else 1)
    if isinstance(value, bool) or not isinstance(value, int):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "lockfileVersion" is {value!r}, a number is expected')
    return value


def _parse_entry(key: str, value: object, path: Path, line: int) -> LockedPackage:
    if not isinstance(value, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}:{line}: the entry "{key}" is not an object')
    return parse_locked_package(key, value, line)


def parse_locked_package(key: str, value: Mapping[str, Any], line: int) -> LockedPackage:
    """Return one entry. A package.json has the same fields, so this reads that as well."""
    optional = string_entries(value.get("optionalDependencies"))
    return LockedPackage(
        path=key,
        name=_text(value, "name") or _package_name(key),
        version=_text(value, "version"),
        line=line,
        dev=_flag(value, "dev"),
        optional=_flag(value, "optional"),
        dev_optional=_flag(value, "devOptional"),
        peer=_flag(value, "peer"),
        link=_flag(value, "link"),
        has_install_script=_flag(value, "hasInstallScript"),
        resolved=_text(value, "resolved"),
        integrity=_text(value, "integrity"),
        os=_words(value.get("os")),
        cpu=_words(value.get("cpu")),
        libc=_words(value.get("libc")),
        engines_node=string_entries(value.get("engines")).get("node", ""),
        # npm lets the optional one win when a name is in both.
        dependencies={k: v for k, v in string_entries(value.get("dependencies")).items() if k not in optional},
        optional_dependencies=optional,
        dev_dependencies=string_entries(value.get("devDependencies")),
        peer_dependencies=string_entries(value.get("peerDependencies")),
        optional_peers=_optional_peers(value.get("peerDependenciesMeta")),
        bundled=frozenset(_words(value.get("bundleDependencies") or value.get("bundledDependencies"))),
        in_bundle=_flag(value, "inBundle"),
        has_shrinkwrap=_flag(value, "hasShrinkwrap"),
        commands=_commands(value, key),
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _flag(value: Mapping[str, Any], key: str) -> bool:
    return value.get(key) is True


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _optional_peers(value: object) -> frozenset[str]:
    if not isinstance(value, dict):
        return frozenset()
    return frozenset(name for name, meta in value.items() if isinstance(meta, dict) and meta.get("optional") is True)


def _commands(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = value.get("bin")
    if isinstance(found, str):
        return (posixpath.basename(_text(value, "name") or _package_name(key)),)
    return tuple(found) if isinstance(found, dict) else ()


def _package_name(key: str) -> str:
    """Return the package name that a path ends in: "a/node_modules/@b/c" is "@b/c", "lib/x" is "x"."""
    parts = key.split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 and parts[-2].startswith("@") else parts[-1]


def complete_links(packages: Mapping[str, LockedPackage]) -> Mapping[str, LockedPackage]:
    """Give each link what npm writes down for its target only: flags, scripts, platform."""
    return {key: _complete_link(package, packages) if package.link else package for key, package in packages.items()}


def _complete_link(link: LockedPackage, packages: Mapping[str, LockedPackage]) -> LockedPackage:
    target = packages.get(link_target(link))
    if target is None or target.link or not target.path:
        return link
    return replace(
        link,
        version=target.version,
        dev=target.dev,
        optional=target.optional,
        dev_optional=target.dev_optional,
        has_install_script=target.has_install_script,
        os=target.os,
        cpu=target.cpu,
        libc=target.libc,
        commands=target.commands,
    )


def link_target(link: LockedPackage) -> str:
    """Return the lockfile path that a link points at: "lib/x", "../x", "" for the project itself."""
    normal = posixpath.normpath(link.resolved.removeprefix("file:").replace("\\", "/"))
    return "" if normal == "." else normal


DEPENDENCY_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


class EdgeType(Enum):
    """Why a package is wanted; the value is the section of package.json."""

    PROD = "dependencies"
    DEV = "devDependencies"
    OPTIONAL = "optionalDependencies"
    PEER = "peerDependencies"


@dataclass(frozen=True, slots=True)
class Edge:
    """One line of a dependency section."""

    owner: LockedPackage
    name: str
    spec: str
    need: EdgeType


def dependency_edges(owner: LockedPackage) -> Iterator[Edge]:
    """Yield what a package asks for; optional peers are left out, since nobody installs them."""
    for need, section in (
        (EdgeType.PROD, owner.dependencies),
        (EdgeType.DEV, owner.dev_dependencies),
        (EdgeType.OPTIONAL, owner.optional_dependencies),
        (EdgeType.PEER, owner.peer_dependencies),
    ):
        for name, spec in section.items():
            if not (need is EdgeType.PEER and name in owner.optional_peers):
                yield Edge(owner, name, spec, need)


def resolve_package(lockfile: Lockfile, start: str, name: str) -> LockedPackage | None:
    """Return the entry that `require(name)` finds from the directory `start`, None when the lockfile has none."""
    here = start
    while True:
        # "node_modules/node_modules" is no place that node looks at, and no key that npm writes.
        found = lockfile.packages.get(f"{here}/node_modules/{name}" if here else f"node_modules/{name}")
        if found or not here or here.startswith(".."):
            return found
        here = here.rpartition("/")[0]


def follow_link(lockfile: Lockfile, package: LockedPackage) -> LockedPackage:
    """Return the target of a link, anything else as it is."""
    return lockfile.packages.get(link_target(package), package) if package.link else package


def walk_edges(lockfile: Lockfile, root: LockedPackage, *, dev: bool) -> Iterator[tuple[Edge, LockedPackage | None]]:
    """Yield every edge that is reachable from `root` and the entry it leads to, None for a missing one.

    What a package bundles, or locks by a shrinkwrap of its own, is not followed: npm takes that from its tarball.
    """
    seen = {root.path}
    waiting = [root]
    while waiting:
        owner = waiting.pop()
        for edge in dependency_edges(owner):
            # The root bundles only when it is packed itself; here it needs its entries like any other.
            if (edge.name in owner.bundled and owner.path) or (edge.need is EdgeType.DEV and not dev):
                continue
            found = resolve_package(lockfile, owner.path, edge.name)
            yield edge, found
            target = follow_link(lockfile, found) if found else None
            if target and target.path not in seen and not target.has_shrinkwrap:
                seen.add(target.path)
                waiting.append(target)


def root_package(manifest: Mapping[str, Any]) -> LockedPackage:
    """Return package.json as the root entry that an up-to-date lockfile would have."""
    return parse_locked_package("", manifest, 1)


def update_dev_flags(lockfile: Lockfile, manifest: Mapping[str, Any]) -> Lockfile:
    """Return the lockfile without "dev" on what package.json wants for production today.

    npm does so when the root entry differs (arborist load-virtual.js, checkRootEdges): a package that moved from
    devDependencies to dependencies is installed, whatever the lockfile's flag says.
    """
    root = root_package(manifest)
    old = lockfile.packages.get("")
    if old is None or not lockfile.packages or _has_same_sections(old, root):
        return lockfile
    wanted = set()
    for _edge, found in walk_edges(lockfile, root, dev=False):
        if found:
            wanted |= {found.path, follow_link(lockfile, found).path}
    packages = {
        key: replace(package, dev=False) if key in wanted else package for key, package in lockfile.packages.items()
    }
    return replace(lockfile, packages=packages)


def _has_same_sections(one: LockedPackage, other: LockedPackage) -> bool:
    return (
        one.dependencies == other.dependencies
        and one.dev_dependencies == other.dev_dependencies
        and one.optional_dependencies == other.optional_dependencies
        and one.peer_dependencies == other.peer_dependencies
    )
