"""Whether npm ci can use the lockfile and reach its dependencies. Never reads a disk."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambdapack.managers.lock import DependencySource, Lock
from lambdapack.model import Finding
from lambdapack.project.repository import LOCKFILE_MANAGERS
from lambdapack.rules.lockfile.records import (
    FILE_OUTSIDE,
    FOREIGN_PROTOCOL,
    LOCK_FOREIGN,
    LOCK_LOOPBACK,
    LOCK_MISSING,
    LOCK_OLD,
    LOCK_UNKNOWN,
    OWN_LOCK_ADVICE,
    READY_TREE_ADVICE,
    WORKSPACE_MEMBER,
)
from lambdapack.rules.model.case import LockCase

NEWEST_LOCKFILE_VERSION = 3
"""The highest lockfileVersion that any npm up to 12.2.0 writes (read 2026-11)."""

_FOREIGN_PROTOCOL = re.compile(r"(workspace|catalog|link|portal|patch|jsr):")


def check_usable_lock(case: LockCase) -> tuple[Finding, ...]:
    """Return why npm ci could not start, at most one reason."""
    project = case.project
    if project.importer != ".":
        return (_member_finding(project, case.handler),)
    foreign = project.foreign_lockfiles
    if project.lock is None:
        return (_foreign_lock_finding(foreign) if foreign else _missing_lock_finding(),)
    if project.lock.version < 2:
        return (_old_lock_finding(project.lock),)
    return ()


def _member_finding(project: DependencySource, handler: str) -> Finding:
    root, foreign = project.repository.root, project.foreign_lockfiles
    message = f"{project.manifest.name} is the member {project.importer} of the workspace {root}"
    manager = LOCKFILE_MANAGERS[foreign[0]] if foreign else ""
    return Finding(
        WORKSPACE_MEMBER,
        "package.json",
        f"{message}, which {manager} manages" if manager else message,
        fix=READY_TREE_ADVICE if manager else f"{_root_build_fix(project, handler)} {OWN_LOCK_ADVICE}",
        evidence=(("root", str(root)), ("member", project.importer), ("locks", list(foreign))),
    )


def _root_build_fix(project: DependencySource, handler: str) -> str:
    whole = posixpath.join(project.importer, handler)
    command = f"lambdapack build {shlex.quote(str(project.repository.root))} --handler {shlex.quote(whole)}"
    return f"Build the workspace's root with the member's handler: `{command}`."


def _foreign_lock_finding(locks: tuple[str, ...]) -> Finding:
    managers = sorted({LOCKFILE_MANAGERS[lock] for lock in locks})
    message = f"there is {' and '.join(locks)} of {' and '.join(managers)}, and no package-lock.json"
    return Finding(LOCK_FOREIGN, locks[0], message, evidence=(("locks", list(locks)),))


def _missing_lock_finding() -> Finding:
    return Finding(LOCK_MISSING, "package.json", "neither npm-shrinkwrap.json nor package-lock.json is beside it")


def _old_lock_finding(lockfile: Lock) -> Finding:
    message = f"{lockfile.path.name} has lockfileVersion {lockfile.version}; 2 or 3 is needed"
    return Finding(LOCK_OLD, lockfile.path.name, message, evidence=(("lockfile_version", lockfile.version),))


def check_locked_sources(case: LockCase) -> Iterator[Finding]:
    """Yield a lockfile of an unknown format, dependencies outside the root and protocols that npm does not have."""
    project = case.project
    if project.lock and project.lock.version > NEWEST_LOCKFILE_VERSION:
        yield Finding(
            LOCK_UNKNOWN,
            project.lock.path.name,
            f"{project.lock.path.name} has lockfileVersion {project.lock.version}",
            evidence=(("lockfile_version", project.lock.version),),
        )
    yield from _protocol_findings(project)
    yield from _outside_findings(project)


def check_loopback(case: LockCase) -> Iterator[Finding]:
    """Yield one finding when production packages come from a registry on this machine."""
    lockfile, replaced_host = case.project.lock, case.settings.replaced_host
    if lockfile is None:
        return
    from lambdapack.managers.network import is_loopback  # noqa: PLC0415  # few checks wait for it

    local = [package for package in lockfile.production if is_loopback(_hostname(package.resolved))]
    hosts = {_hostname(package.resolved) for package in local}
    if local and replaced_host != "always" and hosts != {replaced_host}:
        first = local[0]
        yield Finding(
            LOCK_LOOPBACK,
            lockfile.path.name,
            f"{first.path} is fetched from {_hostname(first.resolved)}"
            + (f", and {len(local) - 1} more are" if len(local) > 1 else ""),
            package=first.name,
            line=first.line,
            evidence=(("hosts", sorted(hosts)), ("packages", len(local))),
        )


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "") if url.startswith(("http://", "https://")) else ""
    except ValueError:
        return ""


def _protocol_findings(project: DependencySource) -> Iterator[Finding]:
    for edge in project.lock.edges[project.lock.importers["."].id] if project.lock else ():
        if _FOREIGN_PROTOCOL.match(edge.spec):
            yield Finding(
                FOREIGN_PROTOCOL,
                "package.json",
                f"{edge.name} is required as {edge.spec}",
                package=edge.name,
                line=project.manifest.lines.get(f"{edge.need.value}.{edge.name}"),
                evidence=(("spec", edge.spec),),
            )


def _outside_findings(project: DependencySource) -> Iterator[Finding]:
    packages = project.lock.packages.values() if project.lock else ()
    for package in packages:
        if package.dev or package.local is None:
            continue
        if is_outside_root(package.local):
            yield Finding(
                FILE_OUTSIDE,
                project.lock.path.name if project.lock else "",
                f"{package.path} comes from {package.local}, which is not below {project.repository.root}",
                package=package.name,
                line=package.line,
                evidence=(("target", package.local),),
            )


def is_outside_root(path: str) -> bool:
    """Tell whether a lockfile path leaves the root: "../x", "/x" and "C:/x" do."""
    normal = posixpath.normpath(path)
    return normal == ".." or normal.startswith(("../", "/")) or re.match(r"[A-Za-z]:", normal) is not None
