"""Whether the lockfile has the platform packages of the target (npm/cli#4828). Knows no package by name."""

import re
from collections.abc import Iterable, Iterator

from lambdapack.managers.lock import EdgeType, Lock, LockedPackage, is_installable
from lambdapack.model import Architecture, Finding, Severity
from lambdapack.project.semver import parse_version
from lambdapack.rules.lockfile.records import NPM_REFUSES_LOCK, PLATFORM_PACKAGE_MISSING
from lambdapack.rules.model.case import LockCase

CPU_WORDS = {
    Architecture.X86_64: frozenset({"x64", "amd64", "64"}),
    Architecture.ARM64: frozenset({"arm64", "aarch64"}),
}
"""How names of platform packages spell a CPU: @img/sharp-linux-x64, cli-linux-amd64, turbo-linux-64."""

OTHER_PLATFORM_WORDS = frozenset({"musl", "musleabi", "musleabihf", "android", "ohos", "openharmony"})
"""Words that make a linux package one for another C library or system."""

STRICT_LOCK_SINCE = (11, 3, 0)
"""npm that wants every optional package in the lockfile (PR #8184; 10.9.9 takes, 11.19.1 refuses: tried 2026-11)."""


def check_locked_platforms(case: LockCase) -> Iterator[Finding]:
    """Yield one finding for each package some of whose optional packages have no entry.

    An error when one of them is the target's, or when the image's npm is one that refuses; else a note.
    """
    lockfile, architecture = case.project.lock, case.architecture
    if lockfile is None:
        return
    strict = _is_strict_npm(case.npm_version)
    for owner in lockfile.packages.values():
        missing = _missing_optionals(lockfile, owner)
        if not missing or not owner.path or owner.has_shrinkwrap:
            continue
        ours = tuple(name for name in missing if is_for_target(name, architecture))
        needed = not owner.dev and is_installable(owner, architecture)
        if ours and needed:
            yield _missing_finding(lockfile, owner, ours, f"which it needs on {architecture}")
        elif strict:
            yield _refusal_finding(lockfile, owner, missing, str(case.npm_version))
        elif needed and any(is_platform_name(name) for name in missing):
            yield _missing_finding(lockfile, owner, missing, "which other platforms need", Severity.NOTE)


def _is_strict_npm(npm_version: str | None) -> bool:
    parsed = parse_version(npm_version) if npm_version else None
    return parsed is not None and parsed[:3] >= STRICT_LOCK_SINCE


def _missing_optionals(lockfile: Lock, owner: LockedPackage) -> tuple[str, ...]:
    return tuple(
        edge.name for edge in lockfile.edges[owner.id] if edge.need is EdgeType.OPTIONAL and edge.target is None
    )


def is_for_target(name: str, architecture: Architecture) -> bool:
    """Tell whether a package name says that it holds glibc binaries for Linux on this CPU."""
    words = _name_words(name)
    return "linux" in words and bool(words & CPU_WORDS[architecture]) and not words & OTHER_PLATFORM_WORDS


def is_platform_name(name: str) -> bool:
    """Tell whether a package name speaks of an operating system."""
    return bool(_name_words(name) & {"linux", "linuxmusl", "darwin", "macos", "win32", "windows", "freebsd", "android"})


def _name_words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", name.lower().replace("x86_64", "x64").replace("x86-64", "x64")))


def _missing_finding(
    lockfile: Lock, owner: LockedPackage, missing: tuple[str, ...], why: str, severity: Severity | None = None
) -> Finding:
    present = _present_optionals(lockfile, owner)
    others = _platform_systems(present)
    unpublished = severity is None and len(others) > 1
    because = (
        f": it was never published, or the lock has lost it; the packages for {' and '.join(others)} are there"
        if unpublished
        else ""
    )
    lists = f"{owner.name} {owner.version} lists {_list_names(missing)}, {why}"
    return Finding(
        PLATFORM_PACKAGE_MISSING,
        lockfile.path.name,
        f"{lists}, and the lockfile has no such entry{because}",
        package=owner.name,
        line=owner.line,
        fix=_unpublished_fix(owner, missing[0]) if unpublished else "",
        severity=severity,
        evidence=(("missing", list(missing)), ("present", present)),
    )


def _platform_systems(names: Iterable[str]) -> tuple[str, ...]:
    """Return the systems that names speak of; npm loses those of all systems but the one that it locks on."""
    words = frozenset(word for name in names for word in _name_words(name))
    return tuple(sorted(words & {"linux", "darwin", "win32", "windows", "freebsd"}))


def _unpublished_fix(owner: LockedPackage, missing: str) -> str:
    return (
        f"Run `npm view {missing} version`: where it exists, run `npx npm@11 install --package-lock-only` and commit "
        f"package-lock.json; where it does not, no version of that name was published: choose another version of "
        f"{owner.name}, or another CPU."
    )


def _list_names(names: tuple[str, ...]) -> str:
    more = len(names) - 3
    return f"{', '.join(names[:3])} and {more} more" if more > 0 else ", ".join(names)


def _refusal_finding(lockfile: Lock, owner: LockedPackage, missing: tuple[str, ...], npm_version: str) -> Finding:
    return Finding(
        NPM_REFUSES_LOCK,
        lockfile.path.name,
        f"npm {npm_version} will say `Missing: {missing[0]} from lock file`: {owner.name} {owner.version} lists "
        f"{len(missing)} optional package{'s' * (len(missing) > 1)} without an entry",
        package=owner.name,
        line=owner.line,
        evidence=(("missing", list(missing)), ("npm", npm_version)),
    )


def _present_optionals(lockfile: Lock, owner: LockedPackage) -> list[str]:
    return [edge.name for edge in lockfile.edges[owner.id] if edge.need is EdgeType.OPTIONAL and edge.target]
