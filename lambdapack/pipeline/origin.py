"""Finds the project that a zip was built from, and compares it with the zip's manifest."""

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.lock import DependencySource
from lambdapack.managers.registry import find_manager, read_dependencies
from lambdapack.pack.digest import code_digest
from lambdapack.pack.output import read_zip_manifest
from lambdapack.rules.model.package import PackageOrigin
from lambdapack.tree.entry import EntryKind, Tree

MAX_PARENT_LEVELS = 3
"""Directories above a zip in which its project is looked for: .lambdapack/NAME.zip and build/out/NAME.zip."""

PACKAGE_JSON = "package.json"

SCRIPT_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".json")

SETTINGS_PART = ".npmrc"
"""Part of a dependency key that depends on the user's own settings: another machine has others, and no other files."""


def find_package_origin(archive: Path, directory: Path | None = None) -> PackageOrigin | None:
    """Return the origin of a zip: the named project, or the one around the zip that its manifest was written for.

    None when there is no such project. LP002 and LP003 for a named one that cannot be read.
    """
    memory = _read_own_manifest(archive)
    if directory is not None:
        project = read_dependencies(directory)
        own = memory if memory.get("project") == project.manifest.document.get("name") else {}
        return _compare_project(archive, project, own)
    project_around = next(_projects_around(archive, memory), None)
    return _compare_project(archive, project_around, memory) if project_around else None


def _read_own_manifest(archive: Path) -> Mapping[str, Any]:
    """Return the manifest beside a zip, empty when there is none or it is another zip's."""
    document = read_zip_manifest(archive) if archive.is_file() else None
    return document if document is not None and document.get("code_digest") == code_digest(archive) else {}


def _projects_around(archive: Path, memory: Mapping[str, Any]) -> Iterator[DependencySource]:
    name = memory.get("project")
    for directory in archive.resolve().parents[:MAX_PARENT_LEVELS] if isinstance(name, str) else ():
        if (directory / "package.json").is_file():
            try:
                project = read_dependencies(directory)
            except LambdapackError:  # a project that cannot be read is no reason to refuse a zip
                return
            if project.manifest.document.get("name") == name:
                yield project


def _compare_project(archive: Path, project: DependencySource, memory: Mapping[str, Any]) -> PackageOrigin:
    key = memory.get("dependency_key")
    parts = key.get("parts") if isinstance(key, dict) else None
    changed = _changed_files(project, parts) if isinstance(parts, dict) else ()
    if memory.get("kind") == "zip" or not memory:
        source = _changed_source(archive, project.manifest.path.parent, complete=bool(memory))
        changed += tuple(path for path in source if path not in changed)
    lockfile = project.lock if project.lock and project.lock.packages else None
    return PackageOrigin(
        lockfile, owns_lockfile=project.importer == ".", has_manifest=isinstance(parts, dict), changed=changed
    )


def _changed_source(archive: Path, directory: Path, *, complete: bool) -> Iterator[str]:
    """Yield the project's own files that are other than in the zip, and its scripts that a `complete` zip lacks.

    A zip without a manifest may hold a bundler's output, so what it lacks says nothing.
    What else the zip lacks may have been left out on purpose: a build drops binaries for other platforms.
    """
    from lambdapack.pack.source import read_project_source  # noqa: PLC0415  # few zips lie beside a project
    from lambdapack.tree.archive import ZipTree  # noqa: PLC0415

    try:
        source = read_project_source(directory).tree
    except LambdapackError:
        return
    with ZipTree(archive) as package:
        for path in source.entries:
            if not complete and posixpath.basename(path) == PACKAGE_JSON:  # other packers change it
                continue
            packed = package.entries.get(path)
            lacking = complete and packed is None and path.endswith(SCRIPT_SUFFIXES)
            if lacking or (packed is not None and not _is_same(source, package, path)):
                yield path


def _is_same(source: Tree, package: Tree, path: str) -> bool:
    one, other = source.entries[path], package.entries[path]
    if (one.kind, one.size, one.target) != (other.kind, other.size, other.target):
        return False
    if one.kind is not EntryKind.FILE:
        return True
    with source.view(path) as own, package.view(path) as packed:
        return own == packed


def _changed_files(project: DependencySource, remembered: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files of the project that are not what they were; those of install-inputs are not looked at."""
    from lambdapack.install.request import differing_parts  # noqa: PLC0415  # few zips lie beside a project

    try:
        manager = find_manager(project.repository)
        parts = manager.key_parts(project, manager.inputs(project), "")
    except LambdapackError:
        return ()
    now = {name: data for name, data in parts.items() if name != SETTINGS_PART}
    return tuple(name.removeprefix("file ").removeprefix("link ") for name in differing_parts(now, remembered))
