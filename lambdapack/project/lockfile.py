"""Reads package-lock.json and npm-shrinkwrap.json. Never repairs one: what is missing is a finding of rules/."""

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdapack.errors import BROKEN_MANIFEST, LambdapackError
from lambdapack.project.document import key_lines, parse_object, read_text, strings
from lambdapack.project.nouns import LockedPackage, Lockfile

NAMES = ("npm-shrinkwrap.json", "package-lock.json")
"""In the order in which npm looks (arborist lib/shrinkwrap.js, npm 11.19.1, read 2026-11)."""


def read_lockfile(directory: Path) -> Lockfile | None:
    """Return the lockfile that npm would use in a directory, None when there is none. LP003 when it is broken."""
    path = next((directory / name for name in NAMES if (directory / name).is_file()), None)
    return parse_lockfile(read_text(path), path) if path else None


def parse_lockfile(text: str, path: Path) -> Lockfile:
    """Return the lockfile that a text is; `path` is how messages name it. LP003 when it is broken."""
    document = parse_object(text, path)
    packages = document.get("packages")
    if packages is None:
        return Lockfile(path, min(_version(document, path), 1), {})
    if not isinstance(packages, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "packages" is not an object')
    lines = key_lines(text, "packages", packages)
    parsed = {key: _entry(key, value, path, lines[key]) for key, value in packages.items()}
    return Lockfile(path, _version(document, path), with_links(parsed))


def _version(document: Mapping[str, Any], path: Path) -> int:
    # npm takes a lockfile without a version, but with "packages", for its own newest format (3).
    value = document.get("lockfileVersion", 3 if "packages" in document else 1)
    if isinstance(value, bool) or not isinstance(value, int):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "lockfileVersion" is {value!r}, a number is expected')
    return value


def _entry(key: str, value: object, path: Path, line: int) -> LockedPackage:
    if not isinstance(value, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}:{line}: the entry "{key}" is not an object')
    return locked(key, value, line)


def locked(key: str, value: Mapping[str, Any], line: int) -> LockedPackage:
    """Return one entry. A package.json has the same fields, so this reads that as well."""
    optional = strings(value.get("optionalDependencies"))
    return LockedPackage(
        path=key,
        name=_text(value, "name") or _name(key),
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
        engines_node=strings(value.get("engines")).get("node", ""),
        # npm lets the optional one win when a name is in both.
        dependencies={k: v for k, v in strings(value.get("dependencies")).items() if k not in optional},
        optional_dependencies=optional,
        dev_dependencies=strings(value.get("devDependencies")),
        peer_dependencies=strings(value.get("peerDependencies")),
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
        return (posixpath.basename(_text(value, "name") or _name(key)),)
    return tuple(found) if isinstance(found, dict) else ()


def _name(key: str) -> str:
    """Return the package name that a path ends in: "a/node_modules/@b/c" is "@b/c", "lib/x" is "x"."""
    parts = key.split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 and parts[-2].startswith("@") else parts[-1]


def with_links(packages: Mapping[str, LockedPackage]) -> Mapping[str, LockedPackage]:
    """Give each link what npm writes down for its target only: flags, scripts, platform."""
    return {key: _through(each, packages) if each.link else each for key, each in packages.items()}


def _through(link: LockedPackage, packages: Mapping[str, LockedPackage]) -> LockedPackage:
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
