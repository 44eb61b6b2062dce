"""Which copy of a package node takes where function and layers have several, and which ones nothing can reach."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.project.installed import PackageManifest, name_from
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import Space
from lambdapack.runtimes.node_path import layer_modules
from lambdapack.runtimes.runtime import Runtime

MODULES = "node_modules"


@dataclass(frozen=True, slots=True)
class Copies:
    """The packages of one name where the function's code looks for it, the one that it gets first."""

    taken: PackageManifest
    others: tuple[PackageManifest, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the code of a function, or of another package, can get at."""

    copies: tuple[Copies, ...]
    dead: frozenset[str]  # directories of the layers' packages that nothing gets at


def reach(space: Space, installed: Installed, runtime: Runtime) -> Reach:
    """Return who wins and what is dead; what the function's code asks for without package.json may be anything."""
    if LAYER_ROOT not in space.directories:
        return Reach((), frozenset())
    searched = (posixpath.join(TASK_ROOT, MODULES), *layer_modules(runtime.node_major))
    found = tuple(_copies(space, installed, searched))
    shadowed = any(each.others for each in found)
    live = installed.reached([*installed.roots(TASK_ROOT), *(each.taken for each in found)], optional=True)
    dead = (
        directory
        for directory in space.manifests
        if (modules := _modules(directory)) and (shadowed or modules not in searched) and not _inside(directory, live)
    )
    return Reach(tuple(each for each in found if each.others), frozenset(dead))


def _copies(space: Space, installed: Installed, searched: tuple[str, ...]) -> Iterator[Copies]:
    names = dict.fromkeys(name for modules in searched for name in names_in(space, modules))
    for name in names:
        every = [each for modules in searched if (each := installed.at(modules, name)) is not None]
        unique = {each.directory: each for each in every}
        if unique:
            taken, *others = unique.values()
            yield Copies(taken, tuple(each for each in others))


def names_in(space: Space, modules: str) -> Iterator[str]:
    """Yield the names of what lies in a node_modules, packages and links to packages alike."""
    for path in (*space.manifests, *space.links):
        if path.startswith(f"{modules}/"):
            name = path[len(modules) + 1 :]
            if name_from(f"{MODULES}/{name}") == name and MODULES not in name.split("/"):
                yield name


def _modules(directory: str) -> str:
    """The outermost node_modules of a layer that a package is in; one of an extension's own is none of node's."""
    before, found, _ = directory.partition(f"/{MODULES}/")
    parent, name = posixpath.split(before)
    place = before in {LAYER_ROOT, f"{LAYER_ROOT}/nodejs"} or (parent == f"{LAYER_ROOT}/nodejs" and is_folder(name))
    return posixpath.join(before, MODULES) if found and place else ""


def is_folder(name: str) -> bool:
    """Tell whether a directory's name is that of a layer's part for one runtime: node22."""
    return name.startswith("node") and name[4:].isdigit()


def _inside(directory: str, live: frozenset[str]) -> bool:
    while directory not in {"/", ""}:
        if directory in live:
            return True
        directory = posixpath.dirname(directory)
    return False
