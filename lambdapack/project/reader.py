"""Reads a directory into a Project, and says which of its scripts npm will run. Never writes, never runs npm."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import NO_PROJECT
from lambdapack.managers.npm.lockfile import (
    DEPENDENCY_SECTIONS,
    complete_links,
    parse_locked_package,
    read_lockfile,
    update_dev_flags,
)
from lambdapack.managers.npm.workspaces import find_workspace_root
from lambdapack.model import Architecture
from lambdapack.project.document import key_lines, parse_object, read_text, string_entries
from lambdapack.project.project import LockedPackage, Lockfile, Project, is_in_node_modules
from lambdapack.tree.entry import Tree

INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
"""What `npm ci` runs for the root and every package, in this order (npm lib/commands/ci.js, 11.19.1)."""

AUTHOR_SCRIPTS = ("prepublish", "preprepare", "prepare", "postprepare")
"""What it runs for the root besides: they build or set up a checkout with devDependencies, which are not there."""

GYP_SCRIPT = "node-gyp rebuild"


def sandbox_manifest(project: Project) -> bytes:
    """Return package.json without the author's scripts."""
    manifest = dict(project.manifest)
    if isinstance(manifest.get("scripts"), dict):
        manifest["scripts"] = {name: text for name, text in manifest["scripts"].items() if name not in AUTHOR_SCRIPTS}
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def root_scripts(project: Project, inputs: Tree | None = None) -> Mapping[str, str]:
    """Return the scripts of the root that npm will run in the sandbox, in the order in which it does.

    With a binding.gyp among the inputs npm compiles the root itself, unless a script of it takes care.
    """
    written = string_entries(project.manifest.get("scripts"))
    found = {name: written[name] for name in INSTALL_SCRIPTS if written.get(name)}
    has_gyp = inputs is not None and "binding.gyp" in inputs.entries and project.manifest.get("gypfile") is not False
    if has_gyp and not {"preinstall", "install"} & set(found):
        found = {"install": GYP_SCRIPT, **found}
    return found


def packages_with_install_scripts(lockfile: Lockfile, architecture: Architecture) -> tuple[LockedPackage, ...]:
    """Return the production packages with an install script that npm would put down on the target."""
    return tuple(
        package
        for package in lockfile.production
        if package.has_install_script and is_installable(package, architecture)
    )


def is_installable(package: LockedPackage, architecture: Architecture) -> bool:
    """Tell whether npm's platform check lets a package onto Lambda: linux, glibc, this CPU."""
    return (
        _is_admitted("linux", package.os)
        and _is_admitted(architecture.node, package.cpu)
        and _is_admitted("glibc", package.libc)
    )


def _is_admitted(value: str, listed: tuple[str, ...]) -> bool:
    """Follow npm-install-checks 7 (lib/index.js, checkList): `!x` excludes, an empty list takes all."""
    if not listed or listed == ("any",):
        return True
    excluded = [each[1:] for each in listed if each.startswith("!")]
    if value in excluded:
        return False
    return value in listed or len(excluded) == len(listed)


DEFAULT_HANDLER = "index.handler"
FOREIGN_LOCKFILES = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")


def read_project(directory: Path, handler: str = DEFAULT_HANDLER) -> Project:
    """Return the project in a directory. LP002 without package.json, LP003 when a file cannot be read.

    Without a lockfile beside package.json, `root` is the workspace root above that includes the directory.
    """
    manifest_path = _manifest_path(directory)
    text = read_text(manifest_path)
    manifest = parse_object(text, manifest_path)
    home = manifest_path.parent
    lockfile = read_lockfile(home)
    root = home if lockfile else find_workspace_root(home) or home
    return Project(
        root=root,
        member=home.relative_to(root).as_posix(),
        name=_manifest_string(manifest, "name") or home.name,
        version=_manifest_string(manifest, "version"),
        manifest=manifest,
        lockfile=_refresh_lockfile(lockfile, home, manifest) if lockfile else _read_lockfile_above(root, home),
        handler=handler,
        foreign_locks=tuple(name for name in FOREIGN_LOCKFILES if (root / name).is_file()),
        manifest_lines=_manifest_lines(text, manifest),
    )


def _manifest_path(directory: Path) -> Path:
    home = directory.resolve()
    if not home.exists():
        raise LambdapackError(NO_PROJECT, f"{home}: there is no such directory")
    if not home.is_dir():
        raise LambdapackError(NO_PROJECT, f"{home}: this is a file, a directory is needed")
    if not (home / "package.json").is_file():
        raise LambdapackError(NO_PROJECT, f"{home / 'package.json'}: there is no such file")
    return home / "package.json"


def _read_lockfile_above(root: Path, home: Path) -> Lockfile | None:
    return read_lockfile(root) if root != home else None


def _manifest_string(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest.get(key)
    return value if isinstance(value, str) else ""


def _manifest_lines(text: str, manifest: Mapping[str, Any]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for section in (*DEPENDENCY_SECTIONS, "scripts"):
        value = manifest.get(section)
        if isinstance(value, dict):
            lines |= {f"{section}.{key}": line for key, line in key_lines(text, section, value).items()}
    return lines


def _refresh_lockfile(lockfile: Lockfile, home: Path, manifest: Mapping[str, Any]) -> Lockfile:
    """Return the lockfile as npm will see it: link targets as they are on disk, "dev" as package.json says today."""
    packages = {
        key: package
        if not key or is_in_node_modules(key) or key.startswith("..")
        else _refresh_link_target(package, home / key)
        for key, package in lockfile.packages.items()
    }
    return update_dev_flags(replace(lockfile, packages=complete_links(packages)), manifest)


def _refresh_link_target(target: LockedPackage, directory: Path) -> LockedPackage:
    path = directory / "package.json"
    if not path.is_file():
        return target
    manifest = parse_object(read_text(path), path)
    found = parse_locked_package(target.path, manifest, target.line)
    return replace(
        target,
        dependencies=found.dependencies,
        dev_dependencies=found.dev_dependencies,
        optional_dependencies=found.optional_dependencies,
        peer_dependencies=found.peer_dependencies,
        optional_peers=found.optional_peers,
        bundled=found.bundled,
        has_install_script=_has_scripts(manifest, directory),
    )


def _has_scripts(manifest: Mapping[str, Any], directory: Path) -> bool:
    """Tell whether npm runs something for a link target; the lockfile does not tell of a binding.gyp there."""
    scripts = string_entries(manifest.get("scripts"))
    compiles = (directory / "binding.gyp").is_file() and manifest.get("gypfile") is not False
    return compiles or any(scripts.get(name) for name in (*INSTALL_SCRIPTS, "prepare"))
