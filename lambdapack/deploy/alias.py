"""Moves aliases, all or none, and rolls aliases back. Never changes $LATEST."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import StopFlag
from lambdapack.deploy.memory import LiveEntry, describe_alias, read_memory, record_failure, record_rollback
from lambdapack.deploy.nouns import LATEST, Alias, LambdaFunction
from lambdapack.errors.cloud import (
    AMBIGUOUS_FAILURES,
    CHANGED,
    EXISTS,
    NO_FUNCTION,
    NO_WAY_BACK,
    NOT_THERE,
    UNREACHABLE,
)
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer

MAX_CALLER_CHARS = 24
"""Characters of a caller's name that an alias's description remembers."""

MAX_NAMED_VERSIONS = 5
"""Versions that a hint names."""

READ_AGAIN_FAILURES = (CHANGED, EXISTS, *AMBIGUOUS_FAILURES)
"""Failures after which the alias may be where it should be: a reply was lost, and the call was repeated."""


@dataclass(slots=True)
class AliasMove:
    """One alias that moves, and how far that got."""

    function: str
    before: Alias | None  # None: the alias is created
    desired: Alias
    is_sent: bool = False  # the call was made, and AWS did not refuse it
    now: Alias | None = None  # as AWS answered
    is_restored: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        before, desired = self.before, self.desired
        return before is None or (before.version, before.weights) != (desired.version, desired.weights)


def name_caller(cloud: Cloud) -> str:
    """Return a short name of the caller for an alias's memory; "" when AWS does not say."""
    try:
        arn = cloud.identity().arn
    except LambdapackError:
        return ""
    name = arn.rpartition("/")[2] or arn.rpartition(":")[2]
    return "".join(sign for sign in name if sign.isalnum() or sign in ".@+=-_")[:MAX_CALLER_CHARS]


def live_entry(version: str, caller: str) -> LiveEntry:
    """Return the entry of a version that becomes live now."""
    return LiveEntry(version, datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"), caller)


def move_aliases(
    moves: Sequence[AliasMove], cloud: Cloud, observer: Observer = SILENT, stop: StopFlag | None = None
) -> None:
    """Move every alias; when one cannot be moved, move the others back."""
    try:
        for move in moves:
            if stop:
                stop.check()
            with observer.task(f"Moving {move.function}:{move.desired.name}"):
                _move_alias(move, cloud)
    except BaseException:
        for move in reversed(moves):
            if move.now is not None and move.is_needed:
                with suppress(LambdapackError):
                    _restore_alias(move, cloud, observer)
        raise


def _move_alias(move: AliasMove, cloud: Cloud) -> None:
    """Move one alias; one that AWS already points at the version is left alone."""
    if not move.is_needed:
        move.now = move.before
        return
    move.is_sent = True
    try:
        if move.before is None:
            move.now = cloud.create_alias(move.function, move.desired)
        else:
            move.now = cloud.update_alias(move.function, move.desired)
    except LambdapackError as error:
        move.is_sent = error.failure is UNREACHABLE
        if error.failure not in READ_AGAIN_FAILURES:
            raise
        move.now = _read_moved_alias(move, cloud)
        if move.now is None:
            raise


def _read_moved_alias(move: AliasMove, cloud: Cloud) -> Alias | None:
    """Return the alias when it is where it should be although its call failed."""
    try:
        now = cloud.alias(move.function, move.desired.name)
    except LambdapackError:
        return None
    desired = (move.desired.version, move.desired.weights)
    return now if now and (now.version, now.weights) == desired else None


def _restore_alias(move: AliasMove, cloud: Cloud, observer: Observer) -> None:
    if move.before is None or move.now is None:
        return
    with observer.task(f"Putting {move.function}:{move.before.name} back to version {move.before.version}"):
        cloud.update_alias(move.function, replace(move.before, revision=move.now.revision))
    move.is_restored = True


def remember_failure(cloud: Cloud, function: str, name: str, version: str) -> None:
    """Note in the alias's description that a version failed its test, as far as AWS lets us."""
    with suppress(LambdapackError):
        alias = cloud.alias(function, name)
        if alias and version not in read_memory(alias).failed:
            description = describe_alias(alias.description, record_failure(alias, version))
            cloud.update_alias(function, replace(alias, description=description))


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback: alias, version to return to, and why that one."""

    function: str
    alias: Alias
    version: LambdaFunction
    reason: str  # "the previous version", "--to", "ends the canary", "already rolled back from 7"

    @property
    def is_needed(self) -> bool:
        """Whether the alias does not already point at the version."""
        return self.alias.version != self.version.version or bool(self.alias.weights)

    def move(self, caller: str) -> AliasMove:
        """Return the move of the alias."""
        number, before = self.version.version, self.alias
        description = before.description
        if self.is_needed:
            description = describe_alias(description, record_rollback(before, live_entry(number, caller)))
        desired = replace(before, version=number, weights=(), description=description)
        return AliasMove(self.function, before, desired)


def find_rollback(cloud: Cloud, function: str, name: str, to: str = "") -> Rollback:
    """Return what a rollback would do. LP415, LP416 or LP429 when function, alias or version do not exist."""
    alias = cloud.alias(function, name)
    if alias is None:
        raise _missing_alias_error(cloud, function, name)
    number, why = _choose_version(cloud, function, alias, to)
    version = cloud.function(function, number)
    if version is None or version.has_failed:
        reason = "no longer exists" if version is None else f"cannot run: {version.failure_reason}"
        hint = None if to else _other_versions_hint(cloud, function, alias)
        raise LambdapackError(NO_WAY_BACK, f"version {number} of {function} {reason}", hint=hint)
    return Rollback(function, alias, version, why)


def apply_rollbacks(
    cloud: Cloud, rollbacks: Sequence[Rollback], observer: Observer = SILENT, stop: StopFlag | None = None
) -> tuple[AliasMove, ...]:
    """Move the aliases to the versions of rollbacks, all or none; an error states where each alias is."""
    return run_rollbacks(cloud, plan_rollback_moves(cloud, rollbacks), observer, stop or StopFlag())


def plan_rollback_moves(cloud: Cloud, rollbacks: Sequence[Rollback]) -> tuple[AliasMove, ...]:
    """Return the moves of rollbacks, with the caller's name when any alias moves."""
    caller = name_caller(cloud) if any(rollback.is_needed for rollback in rollbacks) else ""
    return tuple(rollback.move(caller) for rollback in rollbacks)


def run_rollbacks(
    cloud: Cloud, moves: tuple[AliasMove, ...], observer: Observer, stop: StopFlag
) -> tuple[AliasMove, ...]:
    """Carry out the moves of rollbacks, all or none."""
    try:
        move_aliases([move for move in moves if move.is_needed], cloud, observer, stop)
    except LambdapackError as error:
        stands = describe_moves(cloud, moves)
        raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error
    return moves


def describe_moves(cloud: Cloud, moves: Sequence[AliasMove]) -> str:
    """Return where each alias is now, as AWS says, one line each."""
    return "\n".join(
        describe_alias_position(move.function, move.desired.name, move.before, cloud.alias) for move in moves
    )


def describe_alias_position(
    function: str, name: str, before: Alias | None, read: Callable[[str, str], Alias | None]
) -> str:
    """Return in one sentence where an alias is, from what AWS says now."""
    try:
        now = read(function, name)
    except LambdapackError:
        was = f"; it was at version {before.version} before" if before else ""
        return f"{function}: where alias {name} points is not known, because it could not be read{was}"
    return f"{function}: {alias_position(name, before, now)}"


def alias_position(name: str, before: Alias | None, now: Alias | None) -> str:
    """Return where an alias is, compared with where it was."""
    if now is None:
        return f"alias {name} does not exist" if before else f"alias {name} was not created"
    weights = "".join(f", and {weight:.0%} of its traffic goes to version {version}" for version, weight in now.weights)
    stays = before and (before.version, before.weights) == (now.version, now.weights)
    version = now.version if now.version == LATEST else f"version {now.version}"
    return f"alias {name} {'still points' if stays else 'points'} at {version}{weights}"


def _missing_alias_error(cloud: Cloud, function: str, name: str) -> LambdapackError:
    if cloud.function(function) is None:
        return LambdapackError(NO_FUNCTION, f"{function} in {cloud.region}", hint="Check the name and `--region`.")
    hint = f"List them with `aws lambda list-aliases --function-name {function}`."
    return LambdapackError(NOT_THERE, f"{function} has no alias {name}", hint=hint)


def _choose_version(cloud: Cloud, function: str, alias: Alias, to: str) -> tuple[str, str]:
    memory = read_memory(alias)
    if to:
        return to, "--to"
    if alias.weights:
        return alias.version, "ends the canary"
    if memory.follows(alias) and memory.returned_from:
        return alias.version, f"already rolled back from {memory.returned_from}"
    if memory.follows(alias) and memory.previous:
        return memory.previous, "the previous version"
    if memory.current and not memory.follows(alias):
        known = f"lambdapack pointed it at {memory.current} last, and something else moved it since"
    else:
        known = "its description does not record which version was live before"
    version = alias.version if alias.version == LATEST else f"version {alias.version}"
    raise LambdapackError(
        NO_WAY_BACK,
        f"alias {alias.name} of {function} is at {version}; {known}",
        hint=_other_versions_hint(cloud, function, alias),
    )


def _other_versions_hint(cloud: Cloud, function: str, alias: Alias) -> str:
    """Return a hint that names the versions that `--to` takes."""
    failed = read_memory(alias).failed
    numbers = sorted(
        (int(version.version) for version in cloud.versions(function) if version.version.isdigit()), reverse=True
    )
    usable = [str(number) for number in numbers if str(number) != alias.version and str(number) not in failed]
    if not usable:
        return f"{function} has no other version. Deploy the code that should be live."
    named = ", ".join(usable[:MAX_NAMED_VERSIONS])
    example = f"lambdapack rollback --function {function} --alias {alias.name} --to {usable[0]}"
    return f"Choose one of the versions {named}: `{example}`."
