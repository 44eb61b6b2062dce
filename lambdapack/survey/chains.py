"""Who pulled a package in: the shortest way to it from what the function itself asks for, by node's own lookup."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.project.installed import PackageManifest
from lambdapack.project.nouns import LockedPackage, Lockfile, in_node_modules
from lambdapack.rules.facts import Facts
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import ROOTS, Space
from lambdapack.survey.nouns import Step


@dataclass(frozen=True, slots=True)
class Chain:
    """How one package came here."""

    steps: tuple[Step, ...]
    dev: bool  # only development asks for it


def chains(facts: Facts, space: Space, installed: Installed) -> Mapping[str, Chain]:
    """Return the chain of every package that something asks for, by its absolute directory.

    Roots are the function's own package.json files; where they ask for nothing, the lockfile's entry for the project;
    without that, every package that nothing else asks for. Ways for production come before those for development.
    """
    own = [each for each in space.manifests.values() if not in_node_modules(each.directory)]
    starts = [(each, name) for each in own for name in sorted(_needs(each))]
    starts += [(space.manifests[facts.root], name) for name in _locked(facts)] if not starts else []
    found = _walked(installed, _first(installed, starts), {}, dev=False)
    late = [(each, name) for each in own for name in sorted(each.dev_dependencies)]
    found = _walked(installed, _first(installed, late), found, dev=True)
    loose = (each for root in ROOTS for each in installed.roots(root) if in_node_modules(each.directory))
    return _walked(installed, loose, found, dev=False)


def _needs(package: PackageManifest) -> frozenset[str]:
    return package.dependencies | package.optional_dependencies | package.peer_dependencies


def _locked(facts: Facts) -> list[str]:
    """Return what the project asks for by its lockfile, in the tree or beside the zip."""
    locks: tuple[Lockfile | None, ...] = (facts.locks.own, facts.origin.lockfile if facts.origin else None)
    roots: Iterator[LockedPackage | None] = (each.packages.get("") for each in locks if each)
    root = next((each for each in roots if each), None)
    return sorted({*root.dependencies, *root.optional_dependencies, *root.peer_dependencies}) if root else []


def _first(installed: Installed, starts: Iterable[tuple[PackageManifest, str]]) -> Iterator[PackageManifest]:
    yield from (found for owner, name in starts if (found := installed.find(owner, name)) is not None)


def _walked(
    installed: Installed, starts: Iterable[PackageManifest], known: Mapping[str, Chain], *, dev: bool
) -> dict[str, Chain]:
    """Breadth first, so that the shortest way wins; of two that are as short, the first by name."""
    found = dict(known)
    waiting: deque[tuple[PackageManifest, tuple[Step, ...]]] = deque((each, ()) for each in starts)
    while waiting:
        package, before = waiting.popleft()
        if package.directory in found:
            continue
        steps = (*before, Step(package.name, package.version))
        found[package.directory] = Chain(steps, dev)
        following = (installed.find(package, name) for name in sorted(_needs(package)))
        waiting.extend((each, steps) for each in following if each is not None and each.directory not in found)
    return found
