"""States what stands where after a deployment stopped: from what AWS says now, not from what was intended."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdapack.deploy.alias import AliasMove, alias_position
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import Worker
from lambdapack.deploy.nouns import LATEST, Alias, LambdaFunction
from lambdapack.deploy.plan import Plan, PointAlias, UpdateSettings, has_setting_changes
from lambdapack.errors.record import LambdapackError

READ_SECONDS = 30.0
"""Seconds in which the state is read after an error; what cannot be read by then is said not to be known."""


@dataclass(slots=True)
class DeployProgress:
    """The progress of one plan, so that an error can state what was changed."""

    plan: Plan
    latest: LambdaFunction | None = None  # after the last change, settled
    version: LambdaFunction | None = None
    pinned: Alias | None = None  # the alias, after it was moved away from $LATEST
    move: AliasMove | None = None
    sent: list[str] = field(default_factory=list)  # names of the writes that were sent, answered or not
    waiting: str = ""  # the write that was sent and is not answered

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.plan.desired.function

    @property
    def alias_step(self) -> PointAlias | None:
        """The step that moves its alias, if any."""
        return next((step for step in self.plan.steps if isinstance(step, PointAlias)), None)

    @property
    def alias_before(self) -> Alias | None:
        """The alias as it is before the last step moves it."""
        return self.pinned or self.plan.observed.alias

    @property
    def is_begun(self) -> bool:
        """Whether anything may have changed."""
        return bool(self.sent)


def version_to_serve(progress: DeployProgress) -> LambdaFunction:
    """Return the version that was published, or the one that already had the desired code."""
    version = progress.version or progress.plan.live_version
    if version is None:
        raise ValueError(f"the plan of {progress.name} ends without a version")
    return version


def describe_standing(functions: Sequence[DeployProgress], cloud: Cloud, seconds: float = READ_SECONDS) -> str:
    """Return what is in AWS now of every function that was begun, one line each; "" when none was."""
    begun = [progress for progress in functions if progress.is_begun]
    readers = [(progress, _StateReader(progress, cloud)) for progress in begun]
    workers = [Worker(reader.read) for _progress, reader in readers]
    for worker in workers:
        worker.wait(seconds / max(len(workers), 1) if len(workers) > 1 else seconds)
    return "\n".join(f"{progress.name}: {reader.describe()}" for progress, reader in readers)


@dataclass(slots=True)
class _StateReader:
    """Reads one function, as far as it can be read in time."""

    progress: DeployProgress
    cloud: Cloud
    latest: LambdaFunction | None = None
    alias: Alias | None = None
    version: str = ""  # newest published version with the new code
    has_latest: bool = False
    has_alias: bool = False
    has_version: bool = False

    def read(self) -> None:
        """Read $LATEST, the alias and, where a publication was not answered, the versions."""
        desired = self.progress.plan.desired
        try:
            self.latest = self.cloud.function(desired.function)
            self.has_latest = True
            if self.progress.alias_step:
                self.alias = self.cloud.alias(desired.function, self.progress.alias_step.name)
                self.has_alias = True
            if self.progress.version is None and "PublishVersion" in self.progress.sent and self.latest:
                for version in self.cloud.versions(desired.function):
                    same = version.code_digest == desired.package.code_digest and version.version != LATEST
                    self.version = version.version if same else self.version
                self.has_version = True
        except LambdapackError:
            return

    def describe(self) -> str:
        """Return the state in one sentence."""
        parts = [part for part in (self._describe_latest(), self._describe_version()) if part]
        parts.append(self._describe_alias())
        parts = [part for part in parts if part]
        text = ", ".join(parts[:-1]) + (", and " if len(parts) > 1 else "") + parts[-1] if parts else "nothing changed"
        move = self.progress.move
        waiting = self.progress.waiting or ("UpdateAlias" if move and move.is_sent and move.now is None else "")
        return f"{text}; no answer came to {waiting}, which may still take effect" if waiting else text

    def _describe_latest(self) -> str:
        before = self.progress.plan.observed.latest
        if not self.has_latest:
            return f"what {LATEST} has is not known, because it could not be read"
        if self.latest is None:
            return "the function does not exist" if before else "the function was not created"
        text = self._describe_code(self.latest, before)
        if self.latest.has_failed:
            reason = f": {self.latest.failure_reason}" if self.latest.failure_reason else ""
            return f"{text or f'{LATEST} is unchanged'}, whose update failed{reason}"
        if not self.latest.is_settled:
            return f"{text or f'{LATEST} is unchanged'}, whose update is in progress"
        return text

    def _describe_code(self, latest: LambdaFunction, before: LambdaFunction | None) -> str:
        desired = self.progress.plan.desired
        is_new = latest.code_digest == desired.package.code_digest
        settings = ""
        if any(isinstance(step, UpdateSettings) for step in self.progress.plan.steps):
            settings = " and the old settings" if has_setting_changes(desired, latest) else " and the new settings"
        if before is None:
            return "the function was created" if is_new else "the function exists with other code"
        if is_new and before.code_digest == latest.code_digest:
            return f"{LATEST} has the new settings" if settings == " and the new settings" else ""
        if not is_new and latest.code_digest != before.code_digest:
            return f"{LATEST} has code that is neither the old nor the new"
        return f"{LATEST} has the {'new' if is_new else 'old'} code{settings}"

    def _describe_version(self) -> str:
        version = self.progress.version
        if version:
            return f"version {version.version} was published"
        if "PublishVersion" not in self.progress.sent:
            return ""
        if not self.has_version:
            return "" if self.has_latest and self.latest is None else "whether a version was published is not known"
        return f"version {self.version} has the new code" if self.version else "no version was published"

    def _describe_alias(self) -> str:
        step = self.progress.alias_step
        if step is None:
            return ""
        before = self.progress.plan.observed.alias
        if not self.has_alias:
            was = f"; it was at version {before.version} before" if before else ""
            return f"where alias {step.name} points is not known, because it could not be read{was}"
        return alias_position(step.name, before, self.alias)
