"""Whether npm ci can use the lockfile and reach its dependencies. Never reads a disk."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambdapack.managers.lock import DependencySource, Lock
from lambdapack.model import Finding, Severity
from lambdapack.project.document import string_entries
from lambdapack.project.repository import LOCKFILE_MANAGERS
from lambdapack.rules.lockfile.ready_tree import ready_tree_advice, root_handler, target_options
from lambdapack.rules.lockfile.records import (
    FILE_OUTSIDE,
    FOREIGN_PROTOCOL,
    GIT_DEPENDENCY,
    LOCK_FOREIGN,
    LOCK_LOOPBACK,
    LOCK_MISSING,
    LOCK_OLD,
    LOCK_OUT_OF_STEP,
    LOCK_UNKNOWN,
    OWN_LOCK_ADVICE,
    PNPM_LOCK_COMMAND,
    WORKSPACE_MEMBER,
)
from lambdapack.rules.model.case import LockCase

NEWEST_LOCKFILE_VERSION = 3
"""The highest lockfileVersion that any npm up to 12.2.0 writes (read 2026-11)."""

_FOREIGN_PROTOCOL = re.compile(r"(workspace|catalog|link|portal|patch|jsr):")


def check_usable_lock(case: LockCase) -> tuple[Finding, ...]:
    """Return why npm ci could not start, or would install another package's dependencies; at most one reason."""
    project = case.project
    if project.importer != ".":
        return (_member_finding(case),)
    foreign = project.foreign_lockfiles
    if project.lock is None:
        return (_foreign_lock_finding(case, foreign) if foreign else _missing_lock_finding(),)
    if project.lock.version < 2:
        return (_old_lock_finding(project.lock),)
    return tuple(finding for finding in uncovered_findings(case) if finding.rule is LOCK_FOREIGN)


def _member_finding(case: LockCase) -> Finding:
    project = case.project
    root, foreign = project.repository.root, project.foreign_lockfiles
    message = f"{project.manifest.name} is the member {project.importer} of the workspace {root}"
    manager = LOCKFILE_MANAGERS[foreign[0]] if foreign else ""
    return Finding(
        WORKSPACE_MEMBER,
        "package.json",
        f"{message}, which {manager} manages" if manager else message,
        fix=ready_tree_advice(case) if manager else f"{_root_build_fix(case)} {OWN_LOCK_ADVICE}",
        evidence=(("root", str(root)), ("member", project.importer), ("locks", list(foreign))),
    )


def _root_build_fix(case: LockCase) -> str:
    root, handler = shlex.quote(str(case.project.repository.root)), shlex.quote(root_handler(case))
    command = f"lambdapack build {root} --handler {handler}{target_options(case)}"
    return f"Build the workspace's root with the member's handler: `{command}`."


def uncovered_findings(case: LockCase) -> Iterator[Finding]:
    """Yield a lock that lacks the package of the handler: npm ci would install the root's dependencies alone.

    Beside another manager's workspace that is certain; else a bundler may have inlined what that package needs.
    """
    package, lock = case.site.handler_package if case.site else None, case.project.lock
    if package is None or lock is None:
        return
    wanted = {
        name
        for section in ("dependencies", "optionalDependencies")
        for name in string_entries(package.document.get(section))
        if not name.startswith(PROVIDED_SCOPES)
    }
    member = package.path.parent.relative_to(case.project.repository.root).as_posix()
    if not wanted or member in lock.importers or member in lock.packages:
        return
    wanted -= {edge.name for edge in lock.edges[lock.importers["."].id]}
    if not wanted:
        return
    named = ", ".join(sorted(wanted)[:MAX_NAMED_DEPENDENCIES])
    message = f"{member}/package.json needs {named}, and {lock.path.name} has no entry for {member}"
    foreign = [name for name in case.project.repository.lockfiles if LOCKFILE_MANAGERS[name] != "npm"]
    other = bool(foreign) or (case.site is not None and case.site.has_pnpm_members)
    fix = ready_tree_advice(case) if other else _uncovered_fix(case, member)
    rule, severity = (LOCK_FOREIGN, None) if other else (LOCK_OUT_OF_STEP, Severity.WARNING)
    yield Finding(rule, lock.path.name, message, fix=fix, severity=severity)


def _uncovered_fix(case: LockCase, member: str) -> str:
    place = shlex.quote(str(case.project.repository.root / member))
    inside = posixpath.relpath(case.handler, member)
    return (
        f"Build that directory: `lambdapack build {place} --handler {shlex.quote(inside)}{target_options(case)}`, or "
        f"list {member} under `workspaces` in package.json and run `npm install --package-lock-only`."
    )


MAX_NAMED_DEPENDENCIES = 3

PROVIDED_SCOPES = ("@aws-sdk/", "@smithy/")
"""Scopes that the runtimes bring since nodejs18.x."""


def _foreign_lock_finding(case: LockCase, locks: tuple[str, ...]) -> Finding:
    managers = sorted({LOCKFILE_MANAGERS[lock] for lock in locks})
    message = f"there is {' and '.join(locks)} of {' and '.join(managers)}, and no package-lock.json"
    return Finding(LOCK_FOREIGN, locks[0], message, fix=_foreign_lock_fix(case), evidence=(("locks", list(locks)),))


def _foreign_lock_fix(case: LockCase) -> str:
    """Members that npm does not know, and a node_modules that it cannot read, decide which advice works."""
    site = case.site
    if site is None:
        return ""
    ready = ready_tree_advice(case)
    if site.has_pnpm_members:
        return ready
    command = PNPM_LOCK_COMMAND if site.installed_by == "pnpm" else "npm install --package-lock-only"
    keeps = case.project.foreign_lockfiles == ("yarn.lock",) and not site.is_yarn_berry
    pins = "" if keeps else f", which chooses versions anew: what {case.project.foreign_lockfiles[0]} pins is lost"
    return f"{ready} Or build with npm: `{command}`{pins}."


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
                f"{package.path} comes from {package.local}, which is outside {project.repository.root}",
                package=package.name,
                line=package.line,
                evidence=(("target", package.local),),
            )


def is_outside_root(path: str) -> bool:
    """Tell whether a lockfile path leaves the root: "../x", "/x" and "C:/x" do."""
    normal = posixpath.normpath(path)
    return normal == ".." or normal.startswith(("../", "/")) or re.match(r"[A-Za-z]:", normal) is not None


HOSTED_GIT = re.compile(r"(?:git\+)?(?:ssh|https?|git)://(?:[^@/]*@)?(?:github\.com|gitlab\.com|bitbucket\.org)[:/]")
"""Hosts whose repositories npm fetches as tarballs first (hosted-git-info 7 and 8); public ones need no git."""

PUBLIC_GIT = re.compile(r"git\+https?://|git://")


def check_git_sources(case: LockCase) -> Iterator[Finding]:
    """Yield the production packages that git fetches: an error where a key is needed, which no container has."""
    lock = case.project.lock
    for package in lock.production if lock else ():
        if not package.from_git:
            continue
        possible = HOSTED_GIT.match(package.resolved) or PUBLIC_GIT.match(package.resolved)
        kind = "works only where the repository is public" if possible else "needs a key that no container has"
        url = package.resolved.partition("#")[0]
        yield Finding(
            GIT_DEPENDENCY,
            lock.path.name if lock else "",
            f"{package.name} comes from {url}, which {kind}",
            package=package.name,
            line=package.line,
            severity=Severity.WARNING if possible else None,
            evidence=(("resolved", url),),
        )
