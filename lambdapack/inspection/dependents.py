"""Finds the dependency chain that requires each package, and packages and files that are there twice."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.inspection.model import DependentStep, DuplicateFiles, DuplicatePackage, InspectedFile, PackageWeight
from lambdapack.model import is_in_node_modules
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.file_system import TREE_ROOTS, LambdaFileSystem
from lambdapack.rules.model.installed import InstalledPackages
from lambdapack.rules.model.package import PackageFacts


@dataclass(frozen=True, slots=True)
class DependentChain:
    """How one package came here."""

    steps: tuple[DependentStep, ...]
    dev: bool  # only development asks for it


def find_dependent_chains(
    facts: PackageFacts, file_system: LambdaFileSystem, installed: InstalledPackages
) -> Mapping[str, DependentChain]:
    """Return the chain of every package that something asks for, by its absolute directory.

    Roots are the function's own package.json files; where they ask for nothing, the lockfile's entry for the project;
    without that, every package that nothing else asks for. Ways for production come before those for development.
    """
    own = [manifest for manifest in file_system.manifests.values() if not is_in_node_modules(manifest.directory)]
    starts = [(manifest, name) for manifest in own for name in sorted(manifest.needed_names)]
    starts += [(file_system.manifests[facts.root], name) for name in _read_locked_names(facts)] if not starts else []
    found = _walk_dependencies(installed, _resolve_packages(installed, starts), {}, dev=False)
    late = [(manifest, name) for manifest in own for name in sorted(manifest.dev_dependencies)]
    found = _walk_dependencies(installed, _resolve_packages(installed, late), found, dev=True)
    loose = (
        manifest
        for root in TREE_ROOTS
        for manifest in installed.root_manifests(root)
        if is_in_node_modules(manifest.directory)
    )
    return _walk_dependencies(installed, loose, found, dev=False)


def _read_locked_names(facts: PackageFacts) -> list[str]:
    """Return what the project asks for by its lockfile, in the tree or beside the zip."""
    locks = (facts.locks.own, facts.origin.lockfile if facts.origin else None)
    root = next((lock.importers["."] for lock in locks if lock), None)
    return sorted({*root.dependencies, *root.optional_dependencies, *root.peer_dependencies}) if root else []


def _resolve_packages(
    installed: InstalledPackages, starts: Iterable[tuple[PackageManifest, str]]
) -> Iterator[PackageManifest]:
    yield from (found for owner, name in starts if (found := installed.find(owner, name)) is not None)


def _walk_dependencies(
    installed: InstalledPackages, starts: Iterable[PackageManifest], known: Mapping[str, DependentChain], *, dev: bool
) -> dict[str, DependentChain]:
    """Breadth first, so that the shortest way wins; of two that are as short, the first by name."""
    found = dict(known)
    waiting: deque[tuple[PackageManifest, tuple[DependentStep, ...]]] = deque((manifest, ()) for manifest in starts)
    while waiting:
        package, before = waiting.popleft()
        if package.directory in found:
            continue
        steps = (*before, DependentStep(package.name, package.version))
        found[package.directory] = DependentChain(steps, dev)
        following = (installed.find(package, name) for name in sorted(package.needed_names))
        waiting.extend(
            (manifest, steps) for manifest in following if manifest is not None and manifest.directory not in found
        )
    return found


MIN_DUPLICATE_BYTES = 1024
"""Bytes below which a copy is not told: each costs about as much in names and headers of the zip."""

HashFile = Callable[[str], str]
"""SHA-256 in hex of a file, by the path that a report has for it."""


def find_duplicate_packages(packages: Iterable[PackageWeight]) -> tuple[DuplicatePackage, ...]:
    """Return names and versions that lie in several places, what wastes most first."""
    places: dict[tuple[str, str], list[PackageWeight]] = {}
    for package_weight in packages:
        if package_weight.name and package_weight.version:
            places.setdefault((package_weight.name, package_weight.version), []).append(package_weight)
    found = (
        DuplicatePackage(
            name, version, tuple(sorted(package_weight.path for package_weight in several)), _wasted_bytes(several)
        )
        for (name, version), several in places.items()
        if len(several) > 1
    )
    return tuple(
        sorted(
            found,
            key=lambda duplicate_package: (-duplicate_package.spare, duplicate_package.name, duplicate_package.version),
        )
    )


def _wasted_bytes(several: list[PackageWeight]) -> int:
    sizes = [package_weight.size for package_weight in several]
    return sum(sizes) - max(sizes)


def find_duplicate_files(packages: Iterable[PackageWeight], digest: HashFile) -> tuple[DuplicateFiles, ...]:
    """Return files that are equal, what wastes most first. Only those of one size are read."""
    sizes: dict[int, list[InspectedFile]] = {}
    for package in packages:
        for inspected_file in package.files:
            if inspected_file.size >= MIN_DUPLICATE_BYTES:
                sizes.setdefault(inspected_file.size, []).append(inspected_file)
    found = (same for alike in sizes.values() if len(alike) > 1 for same in _group_by_digest(alike, digest))
    return tuple(sorted(found, key=lambda duplicate_files: (-duplicate_files.spare, duplicate_files.paths)))


def _group_by_digest(alike: list[InspectedFile], digest: HashFile) -> Iterator[DuplicateFiles]:
    paths: dict[str, list[str]] = {}
    for inspected_file in alike:
        paths.setdefault(digest(inspected_file.path), []).append(inspected_file.path)
    for sha256, several in paths.items():
        if len(several) > 1:
            yield DuplicateFiles(sha256, alike[0].size, tuple(sorted(several)))
