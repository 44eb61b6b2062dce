"""Finds the dependency chain that requires each package, and packages and files that are there twice."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.inspection.model import DependentStep, DuplicateFiles, DuplicatePackage, InspectedFile, PackageWeight
from lambdapack.packages.manifests import PackageManifest
from lambdapack.project.project import LockedPackage, Lockfile, is_in_node_modules
from lambdapack.rules.binary.file_system import TREE_ROOTS, LambdaFileSystem
from lambdapack.rules.model.case import Case
from lambdapack.rules.selection.platforms import ModuleResolver


@dataclass(frozen=True, slots=True)
class DependentChain:
    """How one package came here."""

    steps: tuple[DependentStep, ...]
    dev: bool  # only development asks for it


def find_dependent_chains(
    facts: Case, space: LambdaFileSystem, installed: ModuleResolver
) -> Mapping[str, DependentChain]:
    """Return the chain of every package that something asks for, by its absolute directory.

    Roots are the function's own package.json files; where they ask for nothing, the lockfile's entry for the project;
    without that, every package that nothing else asks for. Ways for production come before those for development.
    """
    own = [each for each in space.manifests.values() if not is_in_node_modules(each.directory)]
    starts = [(each, name) for each in own for name in sorted(_dependency_names(each))]
    starts += [(space.manifests[facts.root], name) for name in _read_locked_names(facts)] if not starts else []
    found = _walk_dependencies(installed, _resolve_packages(installed, starts), {}, dev=False)
    late = [(each, name) for each in own for name in sorted(each.dev_dependencies)]
    found = _walk_dependencies(installed, _resolve_packages(installed, late), found, dev=True)
    loose = (each for root in TREE_ROOTS for each in installed.roots(root) if is_in_node_modules(each.directory))
    return _walk_dependencies(installed, loose, found, dev=False)


def _dependency_names(package: PackageManifest) -> frozenset[str]:
    return package.dependencies | package.optional_dependencies | package.peer_dependencies


def _read_locked_names(facts: Case) -> list[str]:
    """Return what the project asks for by its lockfile, in the tree or beside the zip."""
    locks: tuple[Lockfile | None, ...] = (facts.locks.own, facts.origin.lockfile if facts.origin else None)
    roots: Iterator[LockedPackage | None] = (each.packages.get("") for each in locks if each)
    root = next((each for each in roots if each), None)
    return sorted({*root.dependencies, *root.optional_dependencies, *root.peer_dependencies}) if root else []


def _resolve_packages(
    installed: ModuleResolver, starts: Iterable[tuple[PackageManifest, str]]
) -> Iterator[PackageManifest]:
    yield from (found for owner, name in starts if (found := installed.find(owner, name)) is not None)


def _walk_dependencies(
    installed: ModuleResolver, starts: Iterable[PackageManifest], known: Mapping[str, DependentChain], *, dev: bool
) -> dict[str, DependentChain]:
    """Breadth first, so that the shortest way wins; of two that are as short, the first by name."""
    found = dict(known)
    waiting: deque[tuple[PackageManifest, tuple[DependentStep, ...]]] = deque((each, ()) for each in starts)
    while waiting:
        package, before = waiting.popleft()
        if package.directory in found:
            continue
        steps = (*before, DependentStep(package.name, package.version))
        found[package.directory] = DependentChain(steps, dev)
        following = (installed.find(package, name) for name in sorted(_dependency_names(package)))
        waiting.extend((each, steps) for each in following if each is not None and each.directory not in found)
    return found


MIN_DUPLICATE_BYTES = 1024
"""Bytes below which a copy is not told: each costs about as much in names and headers of the zip."""

HashFile = Callable[[str], str]
"""SHA-256 in hex of a file, by the path that a report has for it."""


def find_duplicate_packages(packages: Iterable[PackageWeight]) -> tuple[DuplicatePackage, ...]:
    """Return names and versions that lie in several places, what wastes most first."""
    places: dict[tuple[str, str], list[PackageWeight]] = {}
    for each in packages:
        if each.name and each.version:
            places.setdefault((each.name, each.version), []).append(each)
    found = (
        DuplicatePackage(name, version, tuple(sorted(each.path for each in several)), _wasted_bytes(several))
        for (name, version), several in places.items()
        if len(several) > 1
    )
    return tuple(sorted(found, key=lambda each: (-each.spare, each.name, each.version)))


def _wasted_bytes(several: list[PackageWeight]) -> int:
    sizes = [each.size for each in several]
    return sum(sizes) - max(sizes)


def find_duplicate_files(packages: Iterable[PackageWeight], digest: HashFile) -> tuple[DuplicateFiles, ...]:
    """Return files that are equal, what wastes most first. Only those of one size are read."""
    sizes: dict[int, list[InspectedFile]] = {}
    for package in packages:
        for each in package.files:
            if each.size >= MIN_DUPLICATE_BYTES:
                sizes.setdefault(each.size, []).append(each)
    found = (same for alike in sizes.values() if len(alike) > 1 for same in _group_by_digest(alike, digest))
    return tuple(sorted(found, key=lambda each: (-each.spare, each.paths)))


def _group_by_digest(alike: list[InspectedFile], digest: HashFile) -> Iterator[DuplicateFiles]:
    paths: dict[str, list[str]] = {}
    for each in alike:
        paths.setdefault(digest(each.path), []).append(each.path)
    for sha256, several in paths.items():
        if len(several) > 1:
            yield DuplicateFiles(sha256, alike[0].size, tuple(sorted(several)))
