"""Would npm ci take this lockfile for this package.json? Says no only where npm surely does; never asks a registry."""

import re
from collections.abc import Mapping
from typing import Any

from lambdapack.model import Finding
from lambdapack.project.graph import Edge, Need, root_package, walk
from lambdapack.project.nouns import LockedPackage, Lockfile, Project
from lambdapack.project.semver import satisfies
from lambdapack.rules.lock_codes import LOCK_OUT_OF_STEP
from lambdapack.rules.lock_source import leads_out

MOST = 20
"""Findings that are spelled out; a lockfile of another project would give hundreds."""

_ALIAS = re.compile(r"npm:((?:@[^/@]+/)?[^@/]+)(?:@(.*))?")


def out_of_step(project: Project, lockfile: Lockfile, *, legacy_peer_deps: bool) -> tuple[Finding, ...]:
    """Return what npm ci of any version calls missing or invalid (tried with 10.9.9, 11.19.1 and 12.2.0, 2026-11).

    Missing: something that is reachable from package.json and no optional dependency of a dependency. Invalid: what
    package.json itself wants in another version. A differing range that the locked version still meets is fine, and
    so is an entry that nobody wants any more: npm takes both.
    """
    found = []
    seen = set()
    overridden = _overridden(project.manifest.get("overrides"))
    for edge, package in walk(lockfile, root_package(project.manifest), dev=True):
        problem = _problem(edge, package, overridden, legacy_peer_deps=legacy_peer_deps)
        if problem and problem not in seen:
            seen.add(problem)
            found.append(_finding(project, lockfile, edge, problem))
    return _shortened(found)


def _problem(
    edge: Edge, package: LockedPackage | None, overridden: frozenset[str], *, legacy_peer_deps: bool
) -> str | None:
    if (edge.need is Need.PEER and legacy_peer_deps) or _is_outside(edge):
        return None
    if package is None:
        # An optional dependency of a dependency that is missing is the platform rule's: npm 10 passes over it.
        lenient = edge.need is Need.OPTIONAL and edge.owner.path
        return None if lenient else f"Missing: {edge.name}@{edge.spec} from lock file"
    if edge.owner.path or edge.name in overridden or _meets(edge, package):
        return None
    return f"Invalid: lock file's {package.name}@{package.version} does not satisfy {edge.name}@{edge.spec}"


def _is_outside(edge: Edge) -> bool:
    """A package outside the root has a finding of its own; what it asks for in turn says nothing new."""
    return leads_out(_file_path(edge.spec)) or leads_out(edge.owner.path)


def _file_path(spec: str) -> str:
    return spec.removeprefix("file:") if spec.startswith(("file:", "../", "/")) else ""


def _meets(edge: Edge, package: LockedPackage) -> bool:
    """Tell whether the entry may stand for the wish; what cannot be decided from text (tags, git, URLs) may."""
    alias = _ALIAS.fullmatch(edge.spec)
    if alias:
        return package.name == alias[1] and satisfies(package.version, alias[2] or "*") is not False
    if edge.spec.strip() in {"", "*"}:
        return True
    return satisfies(package.version, edge.spec) is not False


def _overridden(overrides: object) -> frozenset[str]:
    """Return every package name that "overrides" speaks of, at any depth: npm judges those by other ranges."""
    found: set[str] = set()
    waiting: list[Any] = [overrides]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            found |= {key[:1] + key[1:].partition("@")[0] for key in here}
            waiting += here.values()
    return frozenset(found)


def _finding(project: Project, lockfile: Lockfile, edge: Edge, problem: str) -> Finding:
    by_root = not edge.owner.path
    peer = edge.need is Need.PEER and not by_root
    return Finding(
        LOCK_OUT_OF_STEP,
        "package.json" if by_root else lockfile.path.name,
        f"{problem} (wanted by {'package.json' if by_root else edge.owner.path})",
        package=edge.name,
        line=project.manifest_lines.get(f"{edge.need.value}.{edge.name}") if by_root else edge.owner.line,
        fix=_PEER_FIX if peer else "",
        evidence=(("name", edge.name), ("spec", edge.spec), ("section", edge.need.value), ("owner", edge.owner.path)),
    )


_PEER_FIX = (
    "Run `npm install --package-lock-only` and commit package-lock.json; was it made with --legacy-peer-deps, then "
    "write that into the project: `npm config set legacy-peer-deps true --location=project`."
)


def _shortened(found: list[Finding]) -> tuple[Finding, ...]:
    if len(found) <= MOST:
        return tuple(found)
    names = [each.package for each in found[MOST - 1 :]]
    message = f"{len(names)} more packages are missing or invalid, {names[0]} among them"
    rest = Finding(LOCK_OUT_OF_STEP, found[0].path, message, evidence=(("packages", names),))
    return (*found[: MOST - 1], rest)
