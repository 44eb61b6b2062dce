"""Which packages of a fetched tree have something to run, and how npm is told of them. Never runs one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdapack.managers.interface import ScriptedPackage
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource, Lock, LockedPackage
from lambdapack.managers.npm.lockfile import parse_lock
from lambdapack.managers.npm.versions import INSTALLED_LOCKFILE
from lambdapack.managers.relocate import InstalledTree
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
    if sandbox_layout(source).is_moved:
        return tuple(_scripted_packages(_moved_packages(source, tree), tree))
    lock = _installed_lock(source, tree)
    return tuple(_scripted_packages(_packages_by_need(lock), tree)) if lock else ()


def find_prepare_scripts(source: DependencySource, tree: Tree) -> tuple[ScriptedPackage, ...]:
    """Return the packages from git with a prepare script: npm runs it, and no other, when it packs a checkout.

    Source: pacote lib/dir.js, #prepareDir, 13 to 21.
    """
    lock = _installed_lock(source, tree)
    found = []
    for package in lock.packages.values() if lock else ():
        manifest = _read_manifest(tree, package.path) if package.from_git else None
        if manifest is not None and string_entries(manifest.get("scripts")).get("prepare"):
            found.append(ScriptedPackage(f"{package.name}@{package.version}", package.path, package.path))
    return tuple(found)


def _installed_lock(source: DependencySource, tree: Tree) -> Lock | None:
    """Return what npm noted in the tree; npm 6 notes nothing there."""
    if INSTALLED_LOCKFILE not in tree.entries:
        return source.lock
    text = read_file(tree, INSTALLED_LOCKFILE).decode("utf-8", "replace")
    return parse_lock(text, source.repository.root / INSTALLED_LOCKFILE)


def _packages_by_need(lock: Lock) -> Iterator[LockedPackage]:
    """Yield what is in node_modules, each package after those that it depends on, else in the lock's order.

    npm runs all `install` scripts before any `postinstall`; one package at a time may use what its dependencies built.
    """
    seen: set[str] = set()
    for first in lock.packages.values():
        waiting = [(first, iter(lock.edges.get(first.id, ())))] if first.id not in seen else []
        seen.add(first.id)
        while waiting:
            package, edges = waiting[-1]
            needed = next((edge.target for edge in edges if edge.target and edge.target.id not in seen), None)
            if needed is not None:
                seen.add(needed.id)
                waiting.append((needed, iter(lock.edges.get(lock.follow(needed).id, ()))))
                continue
            waiting.pop()
            if is_in_node_modules(package.path):
                yield package


def _moved_packages(source: DependencySource, tree: Tree) -> Iterator[LockedPackage]:
    """Yield the packages of a tree that was moved, as their own files name them; the lock tells which are optional."""
    locked = source.lock.production if source.lock else ()
    required = {(package.name, package.version) for package in locked if not package.optional}
    for package in InstalledTree(tree).packages_by_need():
        name, version = (package.manifest.get(key) for key in ("name", "version"))
        if isinstance(name, str) and name:
            text = version if isinstance(version, str) else ""
            is_local = any(other.name == name and other.local is not None for other in locked)
            optional = not is_local and (name, text) not in required
            yield LockedPackage(package.directory, name, text, 1, path=package.directory, optional=optional)


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
