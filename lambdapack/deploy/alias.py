"""Moves the aliases of a deployment, all or none, and rolls an alias back. Never changes $LATEST."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Alias, LambdaFunction
from lambdapack.deploy.plan import Plan, PointAlias, alias_description, read_previous_version
from lambdapack.errors.cloud import CHANGED, EXISTS, NO_FUNCTION, NO_WAY_BACK, NOT_THERE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer


@dataclass(slots=True)
class DeployProgress:
    """The progress of one plan, so that an error can state what was changed."""

    plan: Plan
    latest: LambdaFunction | None = None  # after the last change, settled
    version: LambdaFunction | None = None
    alias: Alias | None = None

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.plan.desired.function

    @property
    def alias_step(self) -> PointAlias | None:
        """The step that moves its alias, if any."""
        return next((step for step in self.plan.steps if isinstance(step, PointAlias)), None)

    def describe(self) -> str:
        """Return what has been changed so far, for an error message; "" when nothing was changed."""
        if self.latest is None and self.version is None:
            return ""
        alias_step = self.alias_step
        has = f"version {self.version.version} was published" if self.version else f"{LATEST} was changed"
        if alias_step is None:
            return f"{self.name}: {has}"
        if self.alias:
            return f"{self.name}: {has}, and alias {alias_step.name} points at {self.alias.version}"
        stays = f"still points at version {alias_step.previous.version}" if alias_step.previous else "was not created"
        return f"{self.name}: {has}, and alias {alias_step.name} {stays}"


@contextmanager
def add_progress_to_errors(progress: DeployProgress) -> Iterator[None]:
    """Add to a LambdapackError what has been changed so far."""
    try:
        yield
    except LambdapackError as error:
        stands = progress.describe()
        if not stands:
            raise
        raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error


def version_to_serve(progress: DeployProgress) -> LambdaFunction:
    """Return the version that was published, or the one that already had the desired code."""
    version = progress.version or progress.plan.live_version
    if version is None:
        raise ValueError(f"the plan of {progress.name} ends without a version")
    return version


def move_aliases(functions: Sequence[DeployProgress], cloud: Cloud, observer: Observer) -> None:
    """Move every alias; when one cannot be moved, move the others back."""
    moved: list[DeployProgress] = []
    try:
        for progress in functions:
            alias_step = progress.alias_step
            if alias_step:
                with observer.task(f"Moving {progress.name}:{alias_step.name}"), add_progress_to_errors(progress):
                    progress.alias = _move_alias(alias_step, progress, cloud)
                moved.append(progress)
    except BaseException:
        for progress in reversed(moved):
            with suppress(LambdapackError):
                _restore_alias(progress, cloud, observer)
        raise


def _move_alias(alias_step: PointAlias, progress: DeployProgress, cloud: Cloud) -> Alias:
    desired = _desired_alias(alias_step, version_to_serve(progress).version)
    before = alias_step.previous
    if before and (before.version, before.weights) == (desired.version, desired.weights):
        return before  # AWS returned the version that the alias already points at
    try:
        if before is None:
            return cloud.create_alias(progress.name, desired)
        return cloud.update_alias(progress.name, desired)
    except LambdapackError as error:
        if error.failure not in (CHANGED, EXISTS):
            raise
        now = cloud.alias(progress.name, alias_step.name)
        if now is None or (now.version, now.weights) != (desired.version, desired.weights):
            raise
        return now  # the alias was moved, but the reply was lost


def _desired_alias(alias_step: PointAlias, version: str) -> Alias:
    """Return the desired alias; for a canary the old version stays and the new one gets a weight."""
    before = alias_step.previous
    if before is None:
        return Alias(alias_step.name, "", version, (), alias_description(None, version, ""))
    if alias_step.canary and before.version != version:
        return replace(before, weights=((version, alias_step.canary),))
    return replace(before, version=version, weights=(), description=alias_description(before, version, before.version))


def _restore_alias(progress: DeployProgress, cloud: Cloud, observer: Observer) -> None:
    alias_step, alias = progress.alias_step, progress.alias
    if alias_step is None or alias_step.previous is None or alias is None:
        return
    with observer.task(f"Putting {progress.name}:{alias_step.name} back to version {alias_step.previous.version}"):
        cloud.update_alias(progress.name, replace(alias_step.previous, revision=alias.revision))


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback: alias, version to return to, and why that one."""

    function: str
    alias: Alias
    version: LambdaFunction
    reason: str  # "the previous version", "--to", "ends the canary", "the newest older version"

    @property
    def is_needed(self) -> bool:
        """Whether the alias does not already point at the version."""
        return self.alias.version != self.version.version or bool(self.alias.weights)


def find_rollback(cloud: Cloud, function: str, name: str, to: str = "") -> Rollback:
    """Return what a rollback would do. LP415, LP416 or LP429 when function, alias or version do not exist."""
    alias = cloud.alias(function, name)
    if alias is None:
        raise _missing_alias_error(cloud, function, name)
    number, why = _choose_version(cloud, function, alias, to)
    version = cloud.function(function, number)
    if version is None or version.has_failed:
        reason = "no longer exists" if version is None else f"cannot run: {version.failure_reason}"
        raise LambdapackError(NO_WAY_BACK, f"version {number} of {function} {reason}")
    return Rollback(function, alias, version, why)


def apply_rollback(cloud: Cloud, rollback: Rollback) -> Alias:
    """Move the alias to the version of a rollback and return it; LP413 when it was moved meanwhile."""
    if not rollback.is_needed:
        return rollback.alias
    number, before = rollback.version.version, rollback.alias
    desired = replace(before, version=number, weights=(), description=alias_description(before, number, ""))
    try:
        return cloud.update_alias(rollback.function, desired)
    except LambdapackError as error:
        now = cloud.alias(rollback.function, before.name) if error.failure is CHANGED else None
        if now is None or (now.version, now.weights) != (number, ()):
            raise
        return now  # the alias was moved, but the reply was lost


def _missing_alias_error(cloud: Cloud, function: str, name: str) -> LambdapackError:
    if cloud.function(function) is None:
        return LambdapackError(NO_FUNCTION, f"{function} in {cloud.region}", hint="Check the name and `--region`.")
    hint = f"List them with `aws lambda list-aliases --function-name {function}`."
    return LambdapackError(NOT_THERE, f"{function} has no alias {name}", hint=hint)


def _choose_version(cloud: Cloud, function: str, alias: Alias, to: str) -> tuple[str, str]:
    if to:
        return to, "--to"
    if alias.weights:
        return alias.version, "ends the canary"
    before = read_previous_version(alias)
    if before:
        return before, "the previous version"
    numbers = [
        int(lambda_function.version)
        for lambda_function in cloud.versions(function)
        if lambda_function.version != LATEST
    ]
    lower = [number for number in numbers if alias.version.isdigit() and number < int(alias.version)]
    if not lower:
        raise LambdapackError(
            NO_WAY_BACK, f"{function} has no version older than {alias.version}, which {alias.name} points at"
        )
    return str(max(lower)), "the newest older version"
