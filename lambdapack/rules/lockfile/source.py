"""Whether npm ci can use the lockfile and reach its dependencies. Never reads a disk."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from lambdapack.managers.npm.lockfile import dependency_edges, link_target, root_package
from lambdapack.model import Finding
from lambdapack.project.project import Lockfile, Project
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

LOCKFILE_MANAGERS: Mapping[str, str] = {
    "yarn.lock": "yarn",
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}

_FOREIGN_PROTOCOL = re.compile(r"(workspace|catalog|link|portal|patch|jsr):")


def check_usable_lock(case: LockCase) -> tuple[Finding, ...]:
    """Return why npm ci could not start, at most one reason."""
    project = case.project
    if project.member != ".":
        return (_member_finding(project),)
    if project.lockfile is None:
        return (_foreign_lock_finding(project.foreign_locks) if project.foreign_locks else _missing_lock_finding(),)
    if project.lockfile.version < 2:
        return (_old_lock_finding(project.lockfile),)
    return ()


def _member_finding(project: Project) -> Finding:
    message = f"{project.name} is the member {project.member} of the workspace {project.root}"
    manager = LOCKFILE_MANAGERS[project.foreign_locks[0]] if project.foreign_locks else ""
    return Finding(
        WORKSPACE_MEMBER,
        "package.json",
        f"{message}, which {manager} manages" if manager else message,
        fix=READY_TREE_ADVICE if manager else f"{_root_build_fix(project)} {OWN_LOCK_ADVICE}",
        evidence=(("root", str(project.root)), ("member", project.member), ("locks", list(project.foreign_locks))),
    )


def _root_build_fix(project: Project) -> str:
    handler = posixpath.join(project.member, project.handler)
    command = f"lambdapack build {shlex.quote(str(project.root))} --handler {shlex.quote(handler)}"
    return f"Build the workspace's root with the member's handler: `{command}`."


def _foreign_lock_finding(locks: tuple[str, ...]) -> Finding:
    managers = sorted({LOCKFILE_MANAGERS[lock] for lock in locks})
    message = f"there is {' and '.join(locks)} of {' and '.join(managers)}, and no package-lock.json"
    return Finding(LOCK_FOREIGN, locks[0], message, evidence=(("locks", list(locks)),))


def _missing_lock_finding() -> Finding:
    return Finding(LOCK_MISSING, "package.json", "neither npm-shrinkwrap.json nor package-lock.json is beside it")


def _old_lock_finding(lockfile: Lockfile) -> Finding:
    message = f"{lockfile.path.name} has lockfileVersion {lockfile.version}; 2 or 3 is needed"
    return Finding(LOCK_OLD, lockfile.path.name, message, evidence=(("lockfile_version", lockfile.version),))


def check_locked_sources(case: LockCase) -> Iterator[Finding]:
    """Yield a lockfile of an unknown format, dependencies outside the root and protocols that npm does not have."""
    project = case.project
    if project.lockfile and project.lockfile.version > NEWEST_LOCKFILE_VERSION:
        yield Finding(
            LOCK_UNKNOWN,
            project.lockfile.path.name,
            f"{project.lockfile.path.name} has lockfileVersion {project.lockfile.version}",
            evidence=(("lockfile_version", project.lockfile.version),),
        )
    yield from _protocol_findings(project)
    yield from _outside_findings(project)


def check_loopback(case: LockCase) -> Iterator[Finding]:
    """Yield one finding when production packages come from a registry on this machine."""
    lockfile, replaced_host = case.project.lockfile, case.settings.replaced_host
    if lockfile is None:
        return
    from lambdapack.managers.npm.network import is_loopback  # noqa: PLC0415  # brings TLS, which few checks wait for

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


def _protocol_findings(project: Project) -> Iterator[Finding]:
    for edge in dependency_edges(root_package(project.manifest)):
        if _FOREIGN_PROTOCOL.match(edge.spec):
            yield Finding(
                FOREIGN_PROTOCOL,
                "package.json",
                f"{edge.name} is required as {edge.spec}",
                package=edge.name,
                line=project.manifest_lines.get(f"{edge.need.value}.{edge.name}"),
                evidence=(("spec", edge.spec),),
            )


def _outside_findings(project: Project) -> Iterator[Finding]:
    packages = project.lockfile.packages.values() if project.lockfile else ()
    for package in packages:
        if package.dev or not (package.link or package.resolved.startswith("file:")):
            continue
        path = link_target(package)
        if is_outside_root(path):
            yield Finding(
                FILE_OUTSIDE,
                project.lockfile.path.name if project.lockfile else "",
                f"{package.path} comes from {path}, which is not below {project.root}",
                package=package.name,
                line=package.line,
                evidence=(("target", path),),
            )


def is_outside_root(path: str) -> bool:
    """Tell whether a lockfile path leaves the root: "../x", "/x" and "C:/x" do."""
    normal = posixpath.normpath(path)
    return normal == ".." or normal.startswith(("../", "/")) or re.match(r"[A-Za-z]:", normal) is not None
