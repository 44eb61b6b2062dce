"""Dependencies that the package lacks, and packages in it that only development needs. Reads no file."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lambdapack.managers.lock import Lock
from lambdapack.model import MIB, Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.graph import ModuleEdge, Presence
from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.resolver import package_name
from lambdapack.rules.commands import PRODUCTION_INSTALLS
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.file_system import LambdaFileSystem, has_node_modules, path_in_report
from lambdapack.rules.model.installed import InstalledPackages
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.package.records import DEPENDENCY_MISSING
from lambdapack.script.specifier import ImportCertainty
from lambdapack.tree.entry import EntryKind

MAX_NAMED_DEPENDENCIES = 5

WARNING: Final = Severity.WARNING


def check_dependencies(case: Case) -> Iterator[Finding]:
    """Yield one finding for all missing ones, as bad as what is loaded makes it."""
    manifest = case.facts.manifests.get("")
    if manifest is None:
        return
    absent = sorted(
        name
        for name in manifest.dependencies - manifest.optional_dependencies - set(case.policy.provided)
        if not case.runtime.behaviour.provides(name) and not _is_dependency_present(case, name)
    )
    if not absent:
        return
    asked = {name: edge for name in absent if (edge := _surest_use(case, name)) is not None}
    absent.sort(key=lambda name: (asked[name].certainty if name in asked else ImportCertainty.NEVER, name))
    more = f" and {len(absent) - MAX_NAMED_DEPENDENCIES} more" if len(absent) > MAX_NAMED_DEPENDENCIES else ""
    nor = " and no layer has it" if case.facts.layers else ""
    first = asked.get(absent[0])
    place = f"; {path_in_report(case.facts.root, first.asking)} line {first.specifier.line} loads it" if first else ""
    place = place if len(absent) == 1 else place.replace(" it", f" {absent[0]}")
    message = f"node_modules has no {', '.join(absent[:MAX_NAMED_DEPENDENCIES])}{more}{nor}{place}"
    evidence = (("absent", absent), ("loaded", sorted(asked)))
    severity = _absence_severity(case, min((edge.certainty for edge in asked.values()), default=None))
    yield Finding(DEPENDENCY_MISSING, "package.json", message, severity=severity, evidence=evidence)


def _surest_use(case: Case, name: str) -> ModuleEdge | None:
    """Return the surest specifier of the function's own files that means a package, None when nothing loads it."""
    edges = case.modules.graph.missing_edges() if case.modules else ()
    own = (edge for edge in edges if edge.asking and not is_in_node_modules(edge.asking))
    return next((edge for edge in own if package_name(edge.specifier.text or "") == name), None)


def _absence_severity(case: Case, certainty: ImportCertainty | None) -> Severity | None:
    """Without a use that is seen, a build stays strict only where something else may load it: a computed name."""
    strict = case.policy.handler_required
    if certainty is ImportCertainty.AT_IMPORT:
        return None if strict or case.subject.kind != "directory" or has_node_modules(case.file_system) else WARNING
    if certainty is ImportCertainty.IN_FUNCTION:
        return WARNING
    return None if strict and not _is_all_known(case) else Severity.NOTE


def _is_all_known(case: Case) -> bool:
    """Tell whether the graph has every module that the function's own files name."""
    graph = case.modules.graph if case.modules else None
    if graph is None or graph.bounds or not graph.roots:
        return False
    own = [edge for edge in graph.edges if not is_in_node_modules(edge.asking)]
    whole = all(not reached.incomplete for reached in graph.files.values() if not is_in_node_modules(reached.path))
    return whole and all(edge.presence is not Presence.COMPUTED for edge in own)


def _is_dependency_present(case: Case, name: str) -> bool:
    """A link counts whatever it points to (other rules check that), and so does a package without package.json."""
    for modules in case.installed.search_path(case.facts.root):
        place = posixpath.join(modules, name)
        if place in case.file_system.links or case.file_system.is_directory(place):
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


def find_dev_packages(
    facts: PackageFacts, file_system: LambdaFileSystem, installed: InstalledPackages
) -> frozenset[str]:
    """Return the absolute directories of the packages that a lockfile or package.json has for development only.

    What something in production can find, by node's own lookup, is never one of them.
    """
    roots = [manifest for manifest in file_system.manifests.values() if not is_in_node_modules(manifest.directory)]
    locked = _dev_packages_of_lock(facts, file_system)
    marked = _reached_directories(installed, roots, dev=True) if locked is None else locked
    marked = {directory for directory in marked if directory.startswith(f"{facts.root}/")}  # a layer's are deliberate
    return frozenset(marked - _reached_directories(installed, roots, dev=False)) if marked else frozenset()


def _dev_packages_of_lock(facts: PackageFacts, file_system: LambdaFileSystem) -> set[str] | None:
    locks = facts.locks
    lock = _first_usable_lock(locks.own, facts.origin.lockfile if facts.origin else None, locks.hidden)
    if lock is None or lock.manager != "npm" or locks.foreign:  # the others' locks name no directories
        return None
    places = {posixpath.join(facts.root, locks.base, package.path): package for package in lock.packages.values()}
    return {
        place for place, package in places.items() if package.dev and package.path and place in file_system.manifests
    }


def _first_usable_lock(*locks: Lock | None) -> Lock | None:
    return next((lockfile for lockfile in locks if lockfile is not None and lockfile.packages), None)


def _reached_directories(installed: InstalledPackages, roots: Iterable[PackageManifest], *, dev: bool) -> set[str]:
    """Return the directories that can be found from the roots' devDependencies, or from all their others."""
    waiting = [(root, root.dev_dependencies if dev else root.needed_names) for root in roots]
    seen: set[str] = set()
    while waiting:
        owner, names = waiting.pop()
        for package in (installed.find(owner, name) for name in names):
            if package is not None and package.directory not in seen and is_in_node_modules(package.directory):
                seen.add(package.directory)
                waiting.append((package, package.needed_names))
    return seen


def check_dev_packages(case: Case) -> Iterator[Finding]:
    """Yield one finding for all packages that only development needs, with their size."""
    directories = case.dev_packages
    if not directories:
        return
    sizes = _package_sizes(case.facts, directories)
    manifests = case.file_system.manifests
    names = {manifests[directory].name: sizes.get(directory, 0) for directory in sorted(directories)}
    ordered = sorted(names, key=lambda name: (-names[name], name))
    more = f" and {len(ordered) - MAX_NAMED_DEV_PACKAGES} more" if len(ordered) > MAX_NAMED_DEV_PACKAGES else ""
    total = sum(sizes.values())
    weigh = "weighs" if len(ordered) == 1 else "weigh"
    message = f"{', '.join(ordered[:MAX_NAMED_DEV_PACKAGES])}{more} {weigh} {total / MIB:.1f} MB"
    evidence = (("packages", ordered), ("bytes", total))
    path = posixpath.join(case.facts.locks.base, "node_modules")
    package = ordered[0] if len(ordered) == 1 else ""
    yield Finding(DEV_PACKAGES, path, message, package=package, fix=_dev_packages_fix(case), evidence=evidence)


def _dev_packages_fix(case: Case) -> str:
    manager = case.facts.locks.manager
    return f"Run `{PRODUCTION_INSTALLS[manager]}` before packing." if manager in PRODUCTION_INSTALLS else ""


def _package_sizes(facts: PackageFacts, packages: frozenset[str]) -> Mapping[str, int]:
    """Return the bytes of each package without the packages inside it."""
    owners: dict[str, str] = {}
    sizes = dict.fromkeys(packages, 0)
    for path, entry in facts.entries.items():
        if entry.kind is EntryKind.FILE:
            owner = _owner_directory(posixpath.dirname(posixpath.join(facts.root, path)), packages, owners)
            if owner:
                sizes[owner] += entry.size
    return sizes


def _owner_directory(directory: str, packages: frozenset[str], owners: dict[str, str]) -> str:
    """Return the package that a directory belongs to, "" when it is none of these."""
    if directory in packages:
        return directory
    if directory not in owners:
        above = posixpath.dirname(directory)
        ends = above == directory or posixpath.basename(directory) == "node_modules"
        owners[directory] = "" if ends else _owner_directory(above, packages, owners)
    return owners[directory]
