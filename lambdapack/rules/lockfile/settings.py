"""Package entries and npm settings under which two installs of one lockfile can differ. Never reads a disk."""

from collections.abc import Iterator

from lambdapack.managers.lock import LockedPackage
from lambdapack.model import Finding, Severity
from lambdapack.rules.lockfile.records import NO_INTEGRITY, SETTING_NOT_TAKEN
from lambdapack.rules.model.case import LockCase


def check_integrity(case: LockCase) -> Iterator[Finding]:
    """Yield one finding when packages of a registry have no integrity; git and directories never have one."""
    lock = case.project.lock
    missing = [package for package in lock.production if _lacks_integrity(package)] if lock else []
    if lock and missing:
        first, more = missing[0], f", and {len(missing) - 1} more have none" if len(missing) > 1 else ""
        yield Finding(
            NO_INTEGRITY,
            lock.path.name,
            f"{first.path} has no integrity{more}",
            package=first.name,
            line=first.line,
            evidence=(("packages", [f"{package.name}@{package.version}" for package in missing]),),
        )


def _lacks_integrity(package: LockedPackage) -> bool:
    is_fetched = not (package.link or package.in_bundle or package.from_git or package.local is not None)
    return is_fetched and not package.integrity


def check_settings(case: LockCase) -> Iterator[Finding]:
    """Yield the settings that choose packages and that a build goes against, and those that it does not know."""
    settings = case.settings
    if settings.refused:
        yield Finding(
            SETTING_NOT_TAKEN,
            ".npmrc",
            f"{', '.join(settings.refused)} does not count: a build installs what the lockfile has without dev",
            severity=Severity.WARNING,
            evidence=(("settings", list(settings.refused)),),
        )
    elif settings.dropped:
        verb = "is" if len(settings.dropped) == 1 else "are"
        yield Finding(
            SETTING_NOT_TAKEN,
            ".npmrc",
            f"{', '.join(settings.dropped)} {verb} not handed to the container",
            evidence=(("settings", list(settings.dropped)),),
        )
