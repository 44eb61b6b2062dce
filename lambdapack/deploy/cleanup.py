"""Finds and deletes old versions of a function that nothing uses."""

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.memory import AliasMemory, LiveEntry, read_memory, record_move
from lambdapack.deploy.nouns import DesiredFunction
from lambdapack.errors.cloud import ACCESS_DENIED, NO_FUNCTION, NOT_THERE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer


def find_used_versions(cloud: Cloud, function: str, moving: str = "") -> frozenset[str]:
    """Return the versions that an alias, a weight, provisioned concurrency or the way back of an alias uses.

    The way back of the alias that is about to move is the version where it is now.
    """
    used: set[str] = set()
    for alias in cloud.aliases(function):
        if alias.name == moving:
            used |= _way_back(record_move(alias, LiveEntry("new")))
            continue
        memory = read_memory(alias)
        used |= {alias.version, *_way_back(memory), *(version for version, _weight in alias.weights)}
        used |= {memory.current} if not memory.follows(alias) else set()
    return frozenset(used | set(cloud.provisioned_qualifiers(function)))


def _way_back(memory: AliasMemory) -> frozenset[str]:
    """Return the version before, and the one that a rollback takes instead when that one failed its test."""
    return frozenset({memory.previous, *(entry.version for entry in memory.entries[1:2])})


def find_old_versions(cloud: Cloud, desired: DesiredFunction, *, is_publishing: bool) -> tuple[str, ...]:
    """Return the unused versions beyond the newest ones to keep, oldest first; one more is published soon or is not."""
    if not desired.keep_versions:
        return ()
    numbers = sorted(
        (int(version.version) for version in cloud.versions(desired.function) if version.version.isdigit()),
        reverse=True,
    )
    old = numbers[max(desired.keep_versions - (1 if is_publishing else 0), 0) :]
    moving = desired.alias if is_publishing and not desired.canary else ""
    used = find_used_versions(cloud, desired.function, moving) if old else frozenset()
    return tuple(str(number) for number in reversed(old) if str(number) not in used)


def delete_versions(cloud: Cloud, desired: DesiredFunction, versions: tuple[str, ...], observer: Observer) -> None:
    """Delete versions, except those that came into use since the plan; one that AWS refuses stays, with a note."""
    used = find_used_versions(cloud, desired.function)
    for version in versions:
        if version in used:
            observer.note(f"version {version} of {desired.function} came into use and stays")
            continue
        try:
            cloud.delete_version(desired.function, version)
        except LambdapackError as error:
            if error.failure in (NO_FUNCTION, NOT_THERE):
                continue
            observer.note(f"version {version} of {desired.function} was not deleted: {error.detail}")
            if error.failure is ACCESS_DENIED:
                return
