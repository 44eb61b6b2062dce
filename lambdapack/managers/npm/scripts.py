"""Which packages of a fetched tree have something to run, and how npm is told of them. Never runs one."""

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdapack.managers.interface import ScriptedPackage
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource, LockedPackage
from lambdapack.managers.npm.lockfile import parse_lock
from lambdapack.managers.npm.versions import INSTALLED_LOCKFILE
from lambdapack.managers.relocate import is_package_directory
from lambdapack.model import is_in_node_modules
from lambdapack.project.document import INSTALL_SCRIPTS, string_entries
from lambdapack.tree.compose import MemoryTree, OverlayTree
from lambdapack.tree.entry import EntryKind, Tree, read_file

LINK_SCRIPTS = (*INSTALL_SCRIPTS, "prepare")
"""What npm runs for a `file:` dependency that it links (arborist lib/arborist/rebuild.js, type "links")."""


def find_package_scripts(source: DependencySource, tree: Tree) -> tuple[ScriptedPackage, ...]:
    """Return the packages of which npm would run something, had it read their own files.

    A lockfile only has `hasInstallScript`, which comes from the registry's metadata: a package that was published
    without `gypfile` there has none although its binding.gyp is to be compiled, and npm compiles one that its
    package.json excludes by `gypfile: false` (arborist lib/arborist/rebuild.js, #addToBuildSet, npm 8 to 12).
    """
    return tuple(_scripted_packages(_installed_packages(source, tree), tree))


def _installed_packages(source: DependencySource, tree: Tree) -> Iterator[LockedPackage]:
    """Yield what npm noted in the tree; npm 6 notes nothing there."""
    lock = source.lock
    if sandbox_layout(source).is_moved:
        yield from _moved_packages(source, tree)
        return
    if INSTALLED_LOCKFILE in tree.entries:
        text = read_file(tree, INSTALLED_LOCKFILE).decode("utf-8", "replace")
        lock = parse_lock(text, source.repository.root / INSTALLED_LOCKFILE)
    for package in lock.packages.values() if lock else ():
        if is_in_node_modules(package.path):
            yield package


def _moved_packages(source: DependencySource, tree: Tree) -> Iterator[LockedPackage]:
    """Yield the packages of a tree that was moved, as their own files name them; the lock tells which are optional."""
    locked = source.lock.production if source.lock else ()
    required = {(package.name, package.version) for package in locked if not package.optional}
    for path in tree.entries:
        directory = posixpath.dirname(path)
        if posixpath.basename(path) != "package.json" or not is_package_directory(directory):
            continue
        manifest = _read_manifest(tree, directory) or {}
        name, version = (manifest.get(key) for key in ("name", "version"))
        if isinstance(name, str) and name:
            text = version if isinstance(version, str) else ""
            is_local = any(package.name == name and package.local is not None for package in locked)
            optional = not is_local and (name, text) not in required
            yield LockedPackage(directory, name, text, 1, path=directory, optional=optional)


def _scripted_packages(packages: Iterator[LockedPackage], tree: Tree) -> Iterator[ScriptedPackage]:
    for package in packages:
        directory = package.local if package.link and package.local else package.path
        manifest = _read_manifest(tree, directory)
        if manifest is None:
            continue
        scripts = string_entries(manifest.get("scripts"))
        events = [event for event in (LINK_SCRIPTS if package.link else INSTALL_SCRIPTS) if scripts.get(event)]
        excluded = manifest.get("gypfile") is False
        if events or (not excluded and _has_file(tree, f"{directory}/binding.gyp")):
            name = f"{package.name}@{package.version}" if package.version else package.name
            yield ScriptedPackage(name, package.path, directory, package.optional, compiles=not excluded)


def _has_file(tree: Tree, path: str) -> bool:
    entry = tree.entries.get(path)
    return entry is not None and entry.kind is EntryKind.FILE


def _read_manifest(tree: Tree, directory: str) -> Mapping[str, Any] | None:
    """Return a package.json, None when there is none that npm could read: it runs nothing then."""
    path = f"{directory}/package.json"
    if not _has_file(tree, path):
        return None
    try:
        manifest = json.loads(read_file(tree, path).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) else None


def mark_scripts(tree: Tree, packages: Sequence[ScriptedPackage]) -> Tree:
    """Return the tree with the marks in npm's own list of it that make `npm rebuild` read the packages' scripts.

    The list stays, since npm 12 takes from it by which name `allowScripts` knows a package.
    """
    if INSTALLED_LOCKFILE not in tree.entries:
        return tree
    document = json.loads(read_file(tree, INSTALLED_LOCKFILE))
    for package in packages:
        entry = document["packages"].get(package.directory)
        if isinstance(entry, dict):
            entry["hasInstallScript"] = True
            if not package.compiles:
                entry["gypfile"] = False
    return OverlayTree(tree, MemoryTree({INSTALLED_LOCKFILE: json.dumps(document).encode()}))
