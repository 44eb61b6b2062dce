"""Which copy of a package node loads from function and layers, and which packages are unreachable."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.rules.model.file_system import LambdaFileSystem
from lambdapack.rules.model.installed import InstalledPackages, is_runtime_folder
from lambdapack.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PackageCopies:
    """The packages of one name where the function's code looks for it, the one that it gets first."""

    taken: PackageManifest
    others: tuple[PackageManifest, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the code of a function, or of another package, can get at."""

    copies: tuple[PackageCopies, ...]
    dead: frozenset[str]  # directories of the layers' packages that nothing gets at


def find_reach(file_system: LambdaFileSystem, installed: InstalledPackages, runtime: Runtime) -> Reach:
    """Return who wins and what is dead; what the function's code asks for without package.json may be anything."""
    if LAYER_ROOT not in file_system.directories:
        return Reach((), frozenset())
    searched = (posixpath.join(TASK_ROOT, NODE_MODULES), *runtime.behaviour.layer_modules)
    found = tuple(_find_copies(file_system, installed, searched))
    shadowed = any(package_copies.others for package_copies in found)
    live = installed.reachable_directories(
        [*installed.root_manifests(TASK_ROOT), *(package_copies.taken for package_copies in found)], optional=True
    )
    dead = (
        directory
        for directory in file_system.manifests
        if (modules := _searched_modules(directory))
        and (shadowed or modules not in searched)
        and not _is_inside(directory, live)
    )
    return Reach(tuple(package_copies for package_copies in found if package_copies.others), frozenset(dead))


def _find_copies(
    file_system: LambdaFileSystem, installed: InstalledPackages, searched: tuple[str, ...]
) -> Iterator[PackageCopies]:
    names = dict.fromkeys(name for modules in searched for name in package_names(file_system, modules))
    for name in names:
        manifests = [manifest for modules in searched if (manifest := installed.package_at(modules, name)) is not None]
        copies = {manifest.directory: manifest for manifest in manifests}
        if copies:
            taken, *others = copies.values()
            yield PackageCopies(taken, tuple(others))


def package_names(file_system: LambdaFileSystem, modules: str) -> Iterator[str]:
    """Yield the names of what lies in a node_modules, packages and links to packages alike."""
    for path in (*file_system.manifests, *file_system.links):
        if path.startswith(f"{modules}/"):
            name = path[len(modules) + 1 :]
            if name_from_directory(f"{NODE_MODULES}/{name}") == name and NODE_MODULES not in name.split("/"):
                yield name


def _searched_modules(directory: str) -> str:
    """The outermost node_modules of a layer that a package is in; one of an extension's own is none of node's."""
    before, found, _ = directory.partition(f"/{NODE_MODULES}/")
    parent, name = posixpath.split(before)
    place = before in {LAYER_ROOT, f"{LAYER_ROOT}/nodejs"} or (
        parent == f"{LAYER_ROOT}/nodejs" and is_runtime_folder(name)
    )
    return posixpath.join(before, NODE_MODULES) if found and place else ""


def _is_inside(directory: str, live: frozenset[str]) -> bool:
    while directory not in {"/", ""}:
        if directory in live:
            return True
        directory = posixpath.dirname(directory)
    return False
