"""Whether the packages in node_modules are the ones that the lockfile names.

What package.json itself asks for lies at the top whatever npm's install strategy is, so it is held to its one entry.
Places of all else differ: there only a version that the lockfile has nowhere is out of step. Trees of yarn, pnpm and
bun are not compared: package-lock.json, if it is there, is not theirs.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lambdapack.managers.lock import Lock, LockedPackage
from lambdapack.model import Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.rules.model.case import Case

MODULES_STALE = Rule(
    "LP319",
    "modules-stale",
    "node_modules is out of step with the lockfile",
    "The package would differ from the tested lockfile; a changed version may need a different binary.",
    "Run `npm ci --omit=dev`, or let `lambdapack build` install.",
    Severity.WARNING,
)
ZIP_STALE = Rule(
    "LP320",
    "zip-stale",
    "the zip is out of step with its project",
    "The project has changed since the zip was made, so deploying it would bring back older code or dependencies.",
    "Run `lambdapack build` again.",
    Severity.WARNING,
)

MAX_NAMED_DIFFERENCES: Final = 3

TOP_LEVEL_PACKAGE = re.compile(r"node_modules/(?:@[^/]+/)?[^/]+")


@dataclass(frozen=True, slots=True)
class LockStep:
    """What differs between a tree and a lockfile."""

    differing: Mapping[str, tuple[str, str]]  # name to version in the tree and version in the lockfile
    missing: Mapping[str, str]  # name to version in the lockfile
    extra: Mapping[str, str]  # name to version in the tree

    @property
    def severity(self) -> Severity | None:
        """A package too many alone is weight, and may have been put there on purpose."""
        return None if self.differing or self.missing else Severity.NOTE

    def __bool__(self) -> bool:
        return bool(self.differing or self.missing or self.extra)


def check_lock_versions(case: Case) -> Iterator[Finding]:
    """Yield one finding for the lockfile that lies in the tree, and one for the project that a zip was made from."""
    facts, kind = case.facts, case.subject.kind
    locks, origin = facts.locks, facts.origin
    modules = posixpath.join(locks.base, "node_modules")
    tree = {path[len(locks.base) :].lstrip("/"): manifest for path, manifest in facts.manifests.items()}
    if locks.foreign or not any(TOP_LEVEL_PACKAGE.fullmatch(path) for path in tree):
        if origin is not None and origin.changed:
            yield _stale_finding(ZIP_STALE, "", LockStep({}, {}, {}), f"the {kind}", "", origin.changed)
        return
    if locks.own is not None and locks.own.packages:
        step = compare_with_lock(tree, locks.own, complete=locks.hidden is not None)
        if step:
            where = modules if kind == "directory" else f"the {kind}"
            yield _stale_finding(MODULES_STALE, modules, step, where, locks.own.path.name)
    if origin is not None:
        complete = origin.owns_lockfile and origin.has_manifest
        step = compare_with_lock(tree, origin.lockfile, complete=complete) if origin.lockfile else LockStep({}, {}, {})
        if step or origin.changed:
            name = origin.lockfile.path.name if origin.lockfile else ""
            yield _stale_finding(ZIP_STALE, "", step, f"the {kind}", name, origin.changed)


def compare_with_lock(tree: Mapping[str, PackageManifest], lock: Lock, *, complete: bool) -> LockStep:
    """Return what differs; `tree` is by directory. What is missing counts only where the tree claims to be `complete`.

    Links, `file:` packages and what a tarball bundles have no version of their own in a lockfile to hold them to.
    """
    known = _locked_versions(lock)
    direct = _direct_versions(lock, known)
    differing: dict[str, tuple[str, str]] = {}
    extra: dict[str, str] = {}
    there: set[tuple[str, str]] = set()
    for path, package in tree.items():
        names = (name_from_directory(path), package.name)
        there.update((name, _plain_version(package.version)) for name in names)
        if not is_in_node_modules(path) or not package.version or not _is_compared(path, lock):
            continue
        versions = next((known[name] for name in names if name in known), None)
        if versions is None:
            extra[names[0]] = package.version
            continue
        versions = direct.get(path, versions)
        if versions and _plain_version(package.version) not in versions:
            differing[names[0]] = (package.version, " and ".join(sorted(versions)))
    missing = dict(_missing_packages(lock, there)) if complete else {}
    return LockStep(differing, {name: version for name, version in missing.items() if name not in differing}, extra)


def _is_compared(path: str, lock: Lock) -> bool:
    """Below another package, only what the lockfile knows: tarballs bring node_modules that no lockfile tells of."""
    return bool(TOP_LEVEL_PACKAGE.fullmatch(path)) or (path in lock.packages and not lock.packages[path].in_bundle)


def _locked_versions(lock: Lock) -> Mapping[str, frozenset[str]]:
    """Return the versions of each name; an empty set where any will do."""
    found: dict[str, set[str]] = {}
    loose: set[str] = set()
    for package in lock.packages.values():
        names = {package.name, name_from_directory(package.path)} - {""}
        for name in names:
            found.setdefault(name, set()).add(_plain_version(package.version))
        if package.local is not None or not is_in_node_modules(package.path) or not package.version:
            loose |= names
    return {name: frozenset() if name in loose else frozenset(versions) for name, versions in found.items()}


def _direct_versions(lock: Lock, known: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Return the one version of each place that package.json itself asks for, where a version can be told."""
    root = lock.importers["."]
    names = {*root.dependencies, *root.dev_dependencies, *root.optional_dependencies}
    places = {f"node_modules/{name}": name for name in names if known.get(name)}
    return {path: frozenset({_plain_version(lock.packages[path].version)}) for path in places if path in lock.packages}


def _missing_packages(lock: Lock, there: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for package in lock.packages.values():
        name = name_from_directory(package.path)
        if name and _is_required(package) and (name, _plain_version(package.version)) not in there:
            yield name, package.version


def _is_required(package: LockedPackage) -> bool:
    spared = package.dev or package.optional or package.dev_optional or package.peer
    return not (spared or package.link or package.in_bundle or not package.version)


def _plain_version(version: str) -> str:
    """Return a version as npm compares it: "v1.2.3" and "1.2.3+build" are 1.2.3."""
    return version.strip().lstrip("v=").partition("+")[0]


def _stale_finding(
    rule: Rule, path: str, step: LockStep, where: str, lock: str, changed: tuple[str, ...] = ()
) -> Finding:
    differences = [
        f"{name} {found} in {where}, {locked} in {lock}" for name, (found, locked) in sorted(step.differing.items())
    ]
    differences += [f"{name} {version} of {lock} is missing" for name, version in sorted(step.missing.items())]
    differences += [f"{name} {version} is not in {lock}" for name, version in sorted(step.extra.items())]
    more = f"; and {len(differences) - MAX_NAMED_DIFFERENCES} more" if len(differences) > MAX_NAMED_DIFFERENCES else ""
    if changed:
        since = f"changed since it was built: {', '.join(changed[:MAX_NAMED_DIFFERENCES])}"
        more += f"; {since}" if differences else since
    names = sorted({*step.differing, *step.missing, *step.extra})
    evidence = (
        ("differing", {name: list(pair) for name, pair in sorted(step.differing.items())}),
        ("missing", dict(sorted(step.missing.items()))),
        ("extra", dict(sorted(step.extra.items()))),
        ("changed", list(changed)),
    )
    severity = None if changed else step.severity
    package = names[0] if len(names) == 1 else ""
    return Finding(
        rule,
        path,
        "; ".join(differences[:MAX_NAMED_DIFFERENCES]) + more,
        package=package,
        severity=severity,
        evidence=evidence,
    )
