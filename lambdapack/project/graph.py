"""Which package of a lockfile needs which, by node's own lookup. Never reads a disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from lambdapack.project.lockfile import link_target, locked
from lambdapack.project.nouns import LockedPackage, Lockfile

SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


class Need(Enum):
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
    need: Need


def edges(owner: LockedPackage) -> Iterator[Edge]:
    """Yield what a package asks for; optional peers are left out, since nobody installs them."""
    for need, section in (
        (Need.PROD, owner.dependencies),
        (Need.DEV, owner.dev_dependencies),
        (Need.OPTIONAL, owner.optional_dependencies),
        (Need.PEER, owner.peer_dependencies),
    ):
        for name, spec in section.items():
            if not (need is Need.PEER and name in owner.optional_peers):
                yield Edge(owner, name, spec, need)


def resolve(lockfile: Lockfile, start: str, name: str) -> LockedPackage | None:
    """Return the entry that `require(name)` finds from the directory `start`, None when the lockfile has none."""
    here = start
    while True:
        # "node_modules/node_modules" is no place that node looks at, and no key that npm writes.
        found = lockfile.packages.get(f"{here}/node_modules/{name}" if here else f"node_modules/{name}")
        if found or not here or here.startswith(".."):
            return found
        here = here.rpartition("/")[0]


def follow(lockfile: Lockfile, package: LockedPackage) -> LockedPackage:
    """Return the target of a link, anything else as it is."""
    return lockfile.packages.get(link_target(package), package) if package.link else package


def walk(lockfile: Lockfile, root: LockedPackage, *, dev: bool) -> Iterator[tuple[Edge, LockedPackage | None]]:
    """Yield every edge that is reachable from `root` and the entry it leads to, None for a missing one.

    What a package bundles, or locks by a shrinkwrap of its own, is not followed: npm takes that from its tarball.
    """
    seen = {root.path}
    waiting = [root]
    while waiting:
        owner = waiting.pop()
        for edge in edges(owner):
            # The root bundles only when it is packed itself; here it needs its entries like any other.
            if (edge.name in owner.bundled and owner.path) or (edge.need is Need.DEV and not dev):
                continue
            found = resolve(lockfile, owner.path, edge.name)
            yield edge, found
            target = follow(lockfile, found) if found else None
            if target and target.path not in seen and not target.has_shrinkwrap:
                seen.add(target.path)
                waiting.append(target)


def root_package(manifest: Mapping[str, Any]) -> LockedPackage:
    """Return package.json as the root entry that an up-to-date lockfile would have."""
    return locked("", manifest, 1)


def with_dev_flags(lockfile: Lockfile, manifest: Mapping[str, Any]) -> Lockfile:
    """Return the lockfile without "dev" on what package.json wants for production today.

    npm does so when the root entry differs (arborist load-virtual.js, checkRootEdges): a package that moved from
    devDependencies to dependencies is installed, whatever the lockfile's flag says.
    """
    root = root_package(manifest)
    old = lockfile.packages.get("")
    if old is None or not lockfile.packages or _same_sections(old, root):
        return lockfile
    wanted = set()
    for _edge, found in walk(lockfile, root, dev=False):
        if found:
            wanted |= {found.path, follow(lockfile, found).path}
    packages = {key: replace(each, dev=False) if key in wanted else each for key, each in lockfile.packages.items()}
    return replace(lockfile, packages=packages)


def _same_sections(one: LockedPackage, other: LockedPackage) -> bool:
    return (
        one.dependencies == other.dependencies
        and one.dev_dependencies == other.dev_dependencies
        and one.optional_dependencies == other.optional_dependencies
        and one.peer_dependencies == other.peer_dependencies
    )
