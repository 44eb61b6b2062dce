"""Reads a function's directory into a Project. Never judges it, never writes, never runs npm."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdapack.errors import NO_PROJECT, LambdapackError
from lambdapack.project.document import key_lines, parse_object, read_text, strings
from lambdapack.project.graph import SECTIONS, with_dev_flags
from lambdapack.project.lockfile import locked, read_lockfile, with_links
from lambdapack.project.manifest import INSTALL_SCRIPTS
from lambdapack.project.nouns import LockedPackage, Lockfile, Project, in_node_modules
from lambdapack.project.workspaces import find_root

DEFAULT_HANDLER = "index.handler"
FOREIGN_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")


def load(directory: Path, handler: str = DEFAULT_HANDLER) -> Project:
    """Return the project in a directory. LP002 without package.json, LP003 when a file cannot be read.

    Without a lockfile beside package.json, `root` is the workspace root above that includes the directory.
    """
    manifest_path = _manifest_path(directory)
    text = read_text(manifest_path)
    manifest = parse_object(text, manifest_path)
    home = manifest_path.parent
    lockfile = read_lockfile(home)
    root = home if lockfile else find_root(home) or home
    return Project(
        root=root,
        member=home.relative_to(root).as_posix(),
        name=_string(manifest, "name") or home.name,
        version=_string(manifest, "version"),
        manifest=manifest,
        lockfile=_current(lockfile, home, manifest) if lockfile else _lockfile_above(root, home),
        handler=handler,
        foreign_locks=tuple(name for name in FOREIGN_LOCKS if (root / name).is_file()),
        manifest_lines=_lines(text, manifest),
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


def _lockfile_above(root: Path, home: Path) -> Lockfile | None:
    return read_lockfile(root) if root != home else None


def _string(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest.get(key)
    return value if isinstance(value, str) else ""


def _lines(text: str, manifest: Mapping[str, Any]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for section in (*SECTIONS, "scripts"):
        value = manifest.get(section)
        if isinstance(value, dict):
            lines |= {f"{section}.{key}": line for key, line in key_lines(text, section, value).items()}
    return lines


def _current(lockfile: Lockfile, home: Path, manifest: Mapping[str, Any]) -> Lockfile:
    """Return the lockfile as npm will see it: link targets as they are on disk, "dev" as package.json says today."""
    packages = {
        key: each if not key or in_node_modules(key) or key.startswith("..") else _on_disk(each, home / key)
        for key, each in lockfile.packages.items()
    }
    return with_dev_flags(replace(lockfile, packages=with_links(packages)), manifest)


def _on_disk(target: LockedPackage, directory: Path) -> LockedPackage:
    path = directory / "package.json"
    if not path.is_file():
        return target
    manifest = parse_object(read_text(path), path)
    found = locked(target.path, manifest, target.line)
    return replace(
        target,
        dependencies=found.dependencies,
        dev_dependencies=found.dev_dependencies,
        optional_dependencies=found.optional_dependencies,
        peer_dependencies=found.peer_dependencies,
        optional_peers=found.optional_peers,
        bundled=found.bundled,
        has_install_script=_runs_scripts(manifest, directory),
    )


def _runs_scripts(manifest: Mapping[str, Any], directory: Path) -> bool:
    """Tell whether npm runs something for a link target; the lockfile does not tell of a binding.gyp there."""
    scripts = strings(manifest.get("scripts"))
    compiles = (directory / "binding.gyp").is_file() and manifest.get("gypfile") is not False
    return compiles or any(scripts.get(name) for name in (*INSTALL_SCRIPTS, "prepare"))
