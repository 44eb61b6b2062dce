"""Dependencies that the package lacks, and packages in it that only development needs. Reads no file."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lambdapack.managers.lock import Lock
from lambdapack.model import MIB, Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.binary.file_system import LambdaFileSystem
from lambdapack.rules.model.case import Case, Policy
from lambdapack.rules.package.records import DEPENDENCY_MISSING
from lambdapack.rules.selection.platforms import ModuleResolver
from lambdapack.tree.entry import EntryKind

RUNTIME_PACKAGE_PREFIXES = ("@aws-sdk/", "@smithy/")
"""Packages that the runtimes from nodejs18.x on bring themselves (AWS docs lambda-nodejs, read 2026-11)."""

MAX_NAMED_DEPENDENCIES = 5


def dependency_findings(
    facts: Case, space: LambdaFileSystem, installed: ModuleResolver, policy: Policy
) -> Iterator[Finding]:
    """Yield one finding for all that is absent: an error for a build, a note where a bundler may have taken it in."""
    manifest = facts.manifests.get("")
    if manifest is None:
        return
    absent = sorted(
        name
        for name in manifest.dependencies - manifest.optional_dependencies
        if not name.startswith(RUNTIME_PACKAGE_PREFIXES) and not _is_dependency_present(facts, space, installed, name)
    )
    if absent:
        more = f" and {len(absent) - MAX_NAMED_DEPENDENCIES} more" if len(absent) > MAX_NAMED_DEPENDENCIES else ""
        nor = " and no layer has it" if facts.layers else ""
        message = f"node_modules has no {', '.join(absent[:MAX_NAMED_DEPENDENCIES])}{more}{nor}"
        severity = None if policy.handler_required else Severity.NOTE
        yield Finding(DEPENDENCY_MISSING, "package.json", message, severity=severity, evidence=(("absent", absent),))


def _is_dependency_present(facts: Case, space: LambdaFileSystem, installed: ModuleResolver, name: str) -> bool:
    """A link counts as it is (what it points to is another rule's), and a package without its package.json too."""
    for modules in installed.searched(facts.root):
        place = posixpath.join(modules, name)
        if place in space.links or space.is_directory(place):
            return True
    return False


DEV_PACKAGES = Rule(
    "LP318",
    "dev-packages",
    "packages that only development needs are in the package",
    "They count against Lambda's 250 MB and lengthen the cold start, and nothing of them is ever called.",
    "Run `npm ci --omit=dev` before zipping, or let `lambdapack build` install.",
    Severity.WARNING,
)

MAX_NAMED_DEV_PACKAGES: Final = 3
"""Packages that are named, the largest first."""


def find_dev_packages(facts: Case, space: LambdaFileSystem, installed: ModuleResolver) -> frozenset[str]:
    """Return the absolute directories of the packages that a lockfile or package.json has for development only.

    What something in production can find, by node's own lookup, is never one of them.
    """
    roots = [each for each in space.manifests.values() if not is_in_node_modules(each.directory)]
    locked = _dev_packages_of_lock(facts, space)
    marked = _reached_directories(installed, roots, dev=True) if locked is None else locked
    marked = {each for each in marked if each.startswith(f"{facts.root}/")}  # a layer's are there on purpose
    return frozenset(marked - _reached_directories(installed, roots, dev=False)) if marked else frozenset()


def _dev_packages_of_lock(facts: Case, space: LambdaFileSystem) -> set[str] | None:
    locks = facts.locks
    lock = _first_usable_lock(locks.own, facts.origin.lockfile if facts.origin else None, locks.hidden)
    if lock is None or locks.foreign:
        return None
    places = {posixpath.join(facts.root, locks.base, package.path): package for package in lock.packages.values()}
    return {place for place, package in places.items() if package.dev and package.path and place in space.manifests}


def _first_usable_lock(*locks: Lock | None) -> Lock | None:
    return next((lockfile for lockfile in locks if lockfile is not None and lockfile.packages), None)


def _reached_directories(installed: ModuleResolver, roots: Iterable[PackageManifest], *, dev: bool) -> set[str]:
    """Return the directories that can be found from the roots' devDependencies, or from all their others."""
    waiting = [(root, root.dev_dependencies if dev else _needed_names(root)) for root in roots]
    seen: set[str] = set()
    while waiting:
        owner, names = waiting.pop()
        for found in (installed.find(owner, name) for name in names):
            if found is not None and found.directory not in seen and is_in_node_modules(found.directory):
                seen.add(found.directory)
                waiting.append((found, _needed_names(found)))
    return seen


def _needed_names(package: PackageManifest) -> frozenset[str]:
    return package.dependencies | package.optional_dependencies | package.peer_dependencies


def dev_package_findings(facts: Case, space: LambdaFileSystem, found: frozenset[str]) -> Iterator[Finding]:
    """Yield one finding for all of them, with what they weigh."""
    if not found:
        return
    sizes = _package_sizes(facts, found)
    names = {space.manifests[each].name: sizes.get(each, 0) for each in sorted(found)}
    ordered = sorted(names, key=lambda name: (-names[name], name))
    more = f" and {len(ordered) - MAX_NAMED_DEV_PACKAGES} more" if len(ordered) > MAX_NAMED_DEV_PACKAGES else ""
    total = sum(sizes.values())
    weigh = "weighs" if len(ordered) == 1 else "weigh"
    message = f"{', '.join(ordered[:MAX_NAMED_DEV_PACKAGES])}{more} {weigh} {total / MIB:.1f} MB"
    evidence = (("packages", ordered), ("bytes", total))
    path = posixpath.join(facts.locks.base, "node_modules")
    yield Finding(DEV_PACKAGES, path, message, package=ordered[0] if len(ordered) == 1 else "", evidence=evidence)


def _package_sizes(facts: Case, found: frozenset[str]) -> Mapping[str, int]:
    """Return the bytes of each package without the packages inside it."""
    owners: dict[str, str] = {}
    sizes = dict.fromkeys(found, 0)
    for path, entry in facts.entries.items():
        if entry.kind is EntryKind.FILE:
            owner = _owner_directory(posixpath.dirname(posixpath.join(facts.root, path)), found, owners)
            if owner:
                sizes[owner] += entry.size
    return sizes


def _owner_directory(directory: str, found: frozenset[str], owners: dict[str, str]) -> str:
    """Return the package that a directory belongs to, "" when it is none of these."""
    if directory in found:
        return directory
    if directory not in owners:
        above = posixpath.dirname(directory)
        ends = above == directory or posixpath.basename(directory) == "node_modules"
        owners[directory] = "" if ends else _owner_directory(above, found, owners)
    return owners[directory]
