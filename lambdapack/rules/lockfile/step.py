"""Whether npm ci accepts the lockfile for this package.json. Reports certain refusals only, asks no registry."""

import re
from collections.abc import Mapping
from typing import Any

from lambdapack.managers.lock import DependencySource, Edge, EdgeType, Lock, LockedPackage
from lambdapack.model import Finding
from lambdapack.project.semver import satisfies
from lambdapack.rules.lockfile.records import LOCK_OUT_OF_STEP
from lambdapack.rules.lockfile.source import is_outside_root, uncovered_findings
from lambdapack.rules.model.case import LockCase

MAX_LOCK_STEP_FINDINGS = 20
"""Findings that are spelled out; a lockfile of another project would give hundreds."""

_ALIAS = re.compile(r"npm:((?:@[^/@]+/)?[^@/]+)(?:@(.*))?")


def check_lock_step(case: LockCase) -> tuple[Finding, ...]:
    """Return what npm ci of any version calls missing or invalid (tried with 10.9.9, 11.19.1 and 12.2.0, 2026-11).

    Missing: something that is reachable from package.json and no optional dependency of a dependency. Invalid: what
    package.json itself wants in another version. A differing range that the locked version still meets is fine, and
    so is an entry that nobody wants any more: npm takes both.
    """
    project, lockfile = case.project, case.project.lock
    if lockfile is None:
        return ()
    if project.manager != "npm":
        return _shorten_findings([_outdated_finding(project, lockfile, problem) for problem in lockfile.outdated])
    findings: dict[str, Finding] = {}
    overridden = _overridden_names(project.manifest.document.get("overrides"))
    for edge in lockfile.walk(project.importer, dev=True):
        problem = _edge_problem(edge, edge.target, overridden, legacy_peer_deps=case.settings.legacy_peer_deps)
        if problem and problem not in findings:
            findings[problem] = _lock_step_finding(project, lockfile, edge, problem)
    others = (finding for finding in uncovered_findings(case) if finding.rule is LOCK_OUT_OF_STEP)
    return (*_shorten_findings(list(findings.values())), *others)


def _edge_problem(
    edge: Edge, package: LockedPackage | None, overridden: frozenset[str], *, legacy_peer_deps: bool
) -> str | None:
    if (edge.need is EdgeType.PEER and legacy_peer_deps) or _leads_outside(edge):
        return None
    if package is None:
        # An optional dependency of a dependency that is missing is the platform rule's: npm 10 passes over it.
        lenient = edge.need is EdgeType.OPTIONAL and edge.owner.path
        return None if lenient else f"Missing: {edge.name}@{edge.spec} from lock file"
    if edge.owner.path or edge.name in overridden or _satisfies_spec(edge, package):
        return None
    return f"Invalid: lock file's {package.name}@{package.version} does not satisfy {edge.name}@{edge.spec}"


def _leads_outside(edge: Edge) -> bool:
    """A package outside the root has a finding of its own; what it asks for in turn says nothing new."""
    return is_outside_root(_file_path(edge.spec)) or is_outside_root(edge.owner.path)


def _file_path(spec: str) -> str:
    return spec.removeprefix("file:") if spec.startswith(("file:", "../", "/")) else ""


def _satisfies_spec(edge: Edge, package: LockedPackage) -> bool:
    """Tell whether the entry may stand for the wish; what cannot be decided from text (tags, git, URLs) may."""
    alias = _ALIAS.fullmatch(edge.spec)
    if alias:
        return package.name == alias[1] and satisfies(package.version, alias[2] or "*") is not False
    if edge.spec.strip() in {"", "*"}:
        return True
    return satisfies(package.version, edge.spec) is not False


def _overridden_names(overrides: object) -> frozenset[str]:
    """Return every package name that "overrides" speaks of, at any depth: npm judges those by other ranges."""
    found: set[str] = set()
    waiting: list[Any] = [overrides]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            found |= {key[:1] + key[1:].partition("@")[0] for key in here}
            waiting += here.values()
    return frozenset(found)


def _lock_step_finding(project: DependencySource, lockfile: Lock, edge: Edge, problem: str) -> Finding:
    by_root = not edge.owner.path
    peer = edge.need is EdgeType.PEER and not by_root
    return Finding(
        LOCK_OUT_OF_STEP,
        "package.json" if by_root else lockfile.path.name,
        f"{problem} (required by {'package.json' if by_root else edge.owner.path})",
        package=edge.name,
        line=project.manifest.lines.get(f"{edge.need.value}.{edge.name}") if by_root else edge.owner.line,
        fix=_PEER_FIX if peer else "",
        evidence=(("name", edge.name), ("spec", edge.spec), ("section", edge.need.value), ("owner", edge.owner.path)),
    )


_PEER_FIX = (
    "Run `npm install --package-lock-only` and commit package-lock.json; was it made with --legacy-peer-deps, then "
    "write that into the project: `npm config set legacy-peer-deps true --location=project`."
)


def _outdated_finding(project: DependencySource, lockfile: Lock, problem: str) -> Finding:
    package = problem.partition(": ")[2].removeprefix("lock file has ")
    name = package[: package.find("@", 1)]
    fix = f"Run `{project.manager} install` and commit {lockfile.path.name}."
    return Finding(LOCK_OUT_OF_STEP, "package.json", problem, package=name, fix=fix, evidence=(("name", name),))


def _shorten_findings(found: list[Finding]) -> tuple[Finding, ...]:
    if len(found) <= MAX_LOCK_STEP_FINDINGS:
        return tuple(found)
    names = [finding.package for finding in found[MAX_LOCK_STEP_FINDINGS - 1 :]]
    message = f"{len(names)} more packages are missing or invalid, {names[0]} among them"
    rest = Finding(LOCK_OUT_OF_STEP, found[0].path, message, evidence=(("packages", names),))
    return (*found[: MAX_LOCK_STEP_FINDINGS - 1], rest)
