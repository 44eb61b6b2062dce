"""Whether npm ci can use the lockfile and reach its dependencies. Never reads a disk."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambdapack.managers.lock import DependencySource, Edge, EdgeType, Lock
from lambdapack.model import Finding, Severity, is_in_node_modules
from lambdapack.project.document import string_entries
from lambdapack.project.repository import LOCKFILE_MANAGERS
from lambdapack.project.semver import satisfies
from lambdapack.rules.lockfile.ready_tree import ready_tree_advice, target_options
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
    PLUG_N_PLAY,
    PNPM_LOCK_COMMAND,
    WORKSPACE_MEMBER,
)
from lambdapack.rules.lockfile.repository_records import LOCAL_DEPENDENCY_UNLOCKED, LOCK_OF_ANOTHER, TWO_LOCKS
from lambdapack.rules.model.case import LockCase

NEWEST_LOCKFILE_VERSION = 3
"""The highest lockfileVersion that any npm up to 12.2.0 writes (read 2026-11)."""

_FOREIGN_PROTOCOL = re.compile(r"(workspace|catalog|link|portal|patch|jsr):")


def check_usable_lock(case: LockCase) -> tuple[Finding, ...]:
    """Return why npm ci could not start, or would install another package's dependencies; at most one reason."""
    project = case.project
    if project.importer != "." and (project.lock is None or project.importer not in project.lock.importers):
        return (_member_finding(case),)
    foreign = project.foreign_lockfiles
    chosen = tuple(check_manager_choice(case))
    if chosen:
        return chosen
    if project.lock is None:
        return (_foreign_lock_finding(case, foreign) if foreign else _missing_lock_finding(),)
    if not project.lock.importers or (project.manager == "npm" and project.lock.version < 2):
        return (_old_lock_finding(project.manager, project.lock),)
    if project.manager != "npm":
        return tuple(_handler_elsewhere(case))
    return tuple(finding for finding in uncovered_findings(case) if finding.rule is LOCK_FOREIGN)


def check_manager_choice(case: LockCase) -> Iterator[Finding]:
    """Yield two locks of which nobody says which one counts, a lock of another manager than named, Plug'n'Play."""
    project, site = case.project, case.site
    repository = project.repository
    managers = dict.fromkeys(LOCKFILE_MANAGERS[name] for name in repository.lockfiles)
    named = repository.named_manager
    evidence = (("locks", list(repository.lockfiles)), ("named", named))
    if managers and named in LOCKFILE_MANAGERS.values() and named not in managers:
        message = (
            f"package.json names {named} as its package manager, and there is {' and '.join(repository.lockfiles)}"
        )
        fix = f"Run `{named} install` and commit its lockfile, or name the other one: `npm pkg set packageManager=...`."
        yield Finding(LOCK_OF_ANOTHER, repository.lockfiles[0], message, fix=fix, evidence=evidence)
    elif len(managers) > 1 and named not in managers:
        yield Finding(TWO_LOCKS, "package.json", f"there is {' and '.join(repository.lockfiles)}", evidence=evidence)
    elif project.manager == "yarn" and site is not None and site.plug_n_play:
        message = f"{site.plug_n_play}: Yarn keeps the packages in zips of its own"
        yield Finding(PLUG_N_PLAY, "package.json", message, evidence=(("found", site.plug_n_play),))


def _handler_elsewhere(case: LockCase) -> Iterator[Finding]:
    """Yield a handler in a member of the workspace: its dependencies are that member's, not the root's."""
    package, lock = case.site.handler_package if case.site else None, case.project.lock
    if package is None or lock is None:
        return
    member = package.path.parent.relative_to(case.project.repository.root).as_posix()
    if member in lock.importers:
        message = f"the handler belongs to the member {member} of the workspace"
        yield Finding(WORKSPACE_MEMBER, "package.json", message, fix=_member_build_fix(case, member))


def _member_finding(case: LockCase) -> Finding:
    project = case.project
    root, foreign = project.repository.root, project.foreign_lockfiles
    message = f"{project.manifest.name} is the member {project.importer} of the workspace {root}"
    manager = LOCKFILE_MANAGERS[foreign[0]] if foreign else ""
    return Finding(
        WORKSPACE_MEMBER,
        "package.json",
        f"{message}, which {manager} manages" if manager else f"{message}, whose lockfile has no entry for it",
        fix=ready_tree_advice(case) if manager else f"{_root_lock_fix(project)} {OWN_LOCK_ADVICE}",
        evidence=(("root", str(root)), ("member", project.importer), ("locks", list(foreign))),
    )


def _root_lock_fix(project: DependencySource) -> str:
    root = shlex.quote(str(project.repository.root))
    return f"Run `npm install --package-lock-only --prefix {root}` and commit package-lock.json."


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


def _member_build_fix(case: LockCase, member: str) -> str:
    place = shlex.quote(str(case.project.repository.root / member))
    inside = posixpath.relpath(case.handler, member)
    return f"Build that directory: `lambdapack build {place} --handler {shlex.quote(inside)}{target_options(case)}`."


def _uncovered_fix(case: LockCase, member: str) -> str:
    return (
        f"{_member_build_fix(case, member).rstrip('.')}, or "
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


def _old_lock_finding(manager: str, lockfile: Lock) -> Finding:
    if manager != "npm":
        message = f"{lockfile.path.name} has format {lockfile.version}, which nothing here reads"
        fix = f"Run `npx {manager}@10 install --lockfile-only` and commit {lockfile.path.name}."
        return Finding(LOCK_OLD, lockfile.path.name, message, fix=fix)
    message = f"{lockfile.path.name} has lockfileVersion {lockfile.version}; 2 or 3 is needed"
    return Finding(LOCK_OLD, lockfile.path.name, message, evidence=(("lockfile_version", lockfile.version),))


def check_locked_sources(case: LockCase) -> Iterator[Finding]:
    """Yield a lockfile of an unknown format, dependencies outside the root and protocols that npm does not have."""
    project = case.project
    if project.manager != "npm":
        yield from _outside_findings(project)
        return
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
    for edge in project.lock.edges[project.lock.importers[project.importer].id] if project.lock else ():
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
        if package.absent or _is_unreachable(package.local):
            yield Finding(
                FILE_OUTSIDE,
                project.lock.path.name if project.lock else "",
                f"{package.path} comes from {package.local}, which "
                + ("is not on this host" if package.absent else "is a path of one host only"),
                package=package.name,
                line=package.line,
                evidence=(("target", package.local),),
            )


def check_local_dependencies(case: LockCase) -> Iterator[Finding]:
    """Yield each package beside the repository whose own dependencies no lock pins, where npm installs none of them."""
    project = case.project
    lock = project.lock
    if lock is None:
        return
    for package in lock.packages.values():
        if not is_outside_root(package.path) or package.dev or package.absent or is_in_node_modules(package.path):
            continue
        loose = [edge for edge in lock.edges[package.id] if not edge.target and not _is_served(edge, project)]
        wanted = [f"{edge.name}@{edge.spec}" for edge in loose if edge.need in {EdgeType.PROD, EdgeType.OPTIONAL}]
        if wanted:
            yield Finding(
                LOCAL_DEPENDENCY_UNLOCKED,
                lock.path.name,
                f"{package.name} of {package.path} needs {', '.join(wanted[:MAX_NAMED_DEPENDENCIES])}, "
                f"which {lock.path.name} does not have",
                package=package.name,
                line=package.line,
                evidence=(("directory", package.path), ("dependencies", wanted)),
            )


def _is_served(edge: Edge, project: DependencySource) -> bool:
    """Tell whether a copy in the importer's node_modules would find a version that fits there."""
    lock = project.lock
    own = lock.edges[lock.importers[project.importer].id] if lock else ()
    found = next((other.target for other in own if other.name == edge.name), None)
    top = found or (lock.packages.get(f"node_modules/{edge.name}") if lock else None)
    return top is not None and satisfies(top.version, edge.spec) is not False


def _is_unreachable(path: str) -> bool:
    """Tell whether no copy can be made on another machine: an absolute path, or one of another drive."""
    return is_outside_root(path) and not posixpath.normpath(path).startswith("..")


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
