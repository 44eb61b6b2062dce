"""Applies plans. Every step is idempotent: after an interruption the next run plans from the state in AWS.

No alias moves before the new versions of all functions are ready and have answered; when one alias cannot be moved,
the others are moved back. An error states what is in AWS then.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import assert_never

from lambdapack.deploy.alias import AliasMove, live_entry, move_aliases, name_caller, remember_failure
from lambdapack.deploy.cleanup import delete_versions
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import StopFlag, try_parallel
from lambdapack.deploy.memory import describe_alias, record_canary, record_move
from lambdapack.deploy.nouns import Alias, CodeSource, LambdaFunction, LocalZip, S3Object, SmokeAnswer, SmokeTest
from lambdapack.deploy.plan import (
    CLOSING_STEPS,
    AwaitProvisioned,
    CreateFunction,
    DeleteVersions,
    InvokeVersion,
    PinAlias,
    Plan,
    PointAlias,
    PublishVersion,
    Step,
    TagFunction,
    UpdateCode,
    UpdateSettings,
    Upload,
    has_setting_changes,
)
from lambdapack.deploy.standing import DeployProgress, describe_standing, version_to_serve
from lambdapack.errors.cloud import (
    CHANGED,
    EXISTS,
    OTHER_ARCHITECTURE,
    OTHER_CODE,
    SMOKE_FAILED,
    UNREACHABLE,
    UPDATE_FAILED,
)
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer

MAX_PARALLEL_FUNCTIONS = 8
"""Functions that are deployed in parallel: AWS allows 15 control calls a second (Lambda quotas, 2026-11-20)."""

PUBLISH_TRIES = 3
"""Attempts to publish: publishing changes the revision of $LATEST, so a retry after a lost reply needs the new one."""

FIRST_ERROR_STATUS = 400
"""The lowest HTTP status that fails a smoke test which names no status."""

MAX_ANSWER_CHARS = 2000
"""Characters of an answer that an error shows."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The result of deploying one function."""

    plan: Plan
    version: LambdaFunction
    alias: Alias | None = None  # as it is now, when it was moved


def apply_plans(plans: Sequence[Plan], cloud: Cloud, observer: Observer = SILENT) -> tuple[Deployment, ...]:
    """Apply every plan and return the results in order; raises the first error, which states what stands where."""
    return DeployRun(plans, cloud, observer).apply()


@dataclass(slots=True)
class DeployRun:
    """One deployment of several functions, which another thread may stop and describe."""

    plans: Sequence[Plan]
    cloud: Cloud
    observer: Observer = SILENT
    stop: StopFlag = field(default_factory=StopFlag)
    functions: tuple[DeployProgress, ...] = ()

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.functions = tuple(DeployProgress(plan) for plan in self.plans)

    def apply(self) -> tuple[Deployment, ...]:
        """Apply every plan and return the results in order."""
        try:
            runner = _StepRunner(self.cloud, self._upload_zips(), self.observer, self.stop)
            self._prepare_all(runner)
            self._move_aliases()
            for progress in self.functions:
                runner.close(progress)
        except LambdapackError as error:
            stands = self.describe()
            if not stands:
                raise
            raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error
        return tuple(
            Deployment(progress.plan, version_to_serve(progress), progress.move.now if progress.move else None)
            for progress in self.functions
        )

    def describe(self, seconds: float | None = None) -> str:
        """Return what is in AWS now; "" when nothing was begun."""
        if seconds is None:
            return describe_standing(self.functions, self.cloud)
        return describe_standing(self.functions, self.cloud, seconds)

    def _upload_zips(self) -> Mapping[str, S3Object]:
        """Upload each zip once, however many functions use it; objects that exist already are reused."""
        uploaded = {stored.key: stored for plan in self.plans if (stored := plan.observed.stored_zip)}
        for plan in self.plans:
            for step in plan.steps:
                if isinstance(step, Upload) and step.destination.key not in uploaded:
                    self.stop.check()
                    label = f"Uploading to s3://{step.destination.bucket}/{step.destination.key}"
                    with self.observer.task(label, step.destination.size, "B") as advance:
                        uploaded[step.destination.key] = self.cloud.upload_object(
                            step.destination, plan.desired.package.path, advance
                        )
        return uploaded

    def _prepare_all(self, runner: "_StepRunner") -> None:
        """Prepare every function; all are tried before the first error is raised."""
        _results, errors = try_parallel(runner.prepare, self.functions, MAX_PARALLEL_FUNCTIONS)
        raised = [errors[index] for index in sorted(errors)]
        for error in raised:
            if not isinstance(error, LambdapackError):
                raise error
        for other in raised[1:]:
            if isinstance(other, LambdapackError):
                self.observer.note(f"{other.failure.code} {other.failure.title}: {other.detail}")
        if raised:
            raise raised[0]

    def _move_aliases(self) -> None:
        moving = [progress for progress in self.functions if progress.alias_step]
        caller = name_caller(self.cloud) if moving else ""
        for progress in moving:
            progress.move = _plan_move(progress, caller)
            progress.sent.append("UpdateAlias")
        move_aliases([progress.move for progress in moving if progress.move], self.cloud, self.observer, self.stop)


def _plan_move(progress: DeployProgress, caller: str) -> AliasMove:
    """Return the move of an alias; for a canary the old version stays and the new one gets a weight."""
    step, before, version = progress.alias_step, progress.alias_before, version_to_serve(progress).version
    if step is None:
        raise ValueError(f"the plan of {progress.name} moves no alias")
    if step.canary and before and before.version != version:
        description = describe_alias(before.description, record_canary(before, version))
        return AliasMove(
            progress.name, before, replace(before, weights=((version, step.canary),), description=description)
        )
    description = describe_alias(before.description if before else "", record_move(before, live_entry(version, caller)))
    desired = replace(before or Alias(step.name, "", version), version=version, weights=(), description=description)
    return AliasMove(progress.name, before, desired)


def _step_label(step: Step, name: str) -> str:
    """Return what a step of one function is called; "" for one that all functions take together."""
    match step:
        case Upload() | PointAlias() | AwaitProvisioned() | DeleteVersions():
            return ""
        case CreateFunction():
            return f"Creating {name}"
        case PinAlias(alias):
            return f"Publishing what {name}:{alias} serves now"
        case UpdateCode():
            return f"Updating the code of {name}"
        case UpdateSettings():
            return f"Configuring {name}"
        case TagFunction():
            return f"Tagging {name}"
        case PublishVersion():
            return f"Publishing a version of {name}"
        case InvokeVersion(smoke):
            return f"Testing the new version of {name} with {smoke.name}"
        case _:
            assert_never(step)


@dataclass(frozen=True, slots=True)
class _StepRunner:
    """Runs the steps of plans."""

    cloud: Cloud
    uploaded: Mapping[str, S3Object]
    observer: Observer
    stop: StopFlag

    def prepare(self, progress: DeployProgress) -> None:
        """Run a plan's steps up to a version that is ready and has answered the smoke test."""
        for step in progress.plan.steps:
            if not isinstance(step, CLOSING_STEPS):
                self.stop.check()
                self._step(step, progress)

    def close(self, progress: DeployProgress) -> None:
        """Run the steps that follow the move of the alias."""
        for step in progress.plan.steps:
            if isinstance(step, AwaitProvisioned):
                with self.observer.task(f"Waiting for the provisioned concurrency of {progress.name}:{step.name}"):
                    self.cloud.wait_for_provisioned(progress.name, step.name)
            elif isinstance(step, DeleteVersions):
                self.stop.check()
                with self.observer.task(f"Deleting old versions of {progress.name}"):
                    delete_versions(self.cloud, progress.plan.desired, step.versions, self.observer)

    def _step(self, step: Step, progress: DeployProgress) -> None:
        label = _step_label(step, progress.name)
        if not label:
            return
        with self.observer.task(label):
            match step:
                case CreateFunction():
                    self._create(step, progress)
                case PinAlias():
                    self._pin(progress)
                case UpdateCode():
                    self._update_code(progress)
                case UpdateSettings():
                    self._configure(step, progress)
                case TagFunction(tags):
                    with _sending(progress, "TagResource"):
                        self.cloud.tag_function(progress.name, dict(tags))
                case PublishVersion():
                    self._publish(progress)
                case InvokeVersion(smoke):
                    self._invoke(smoke, progress)
                case _:
                    raise AssertionError(label)

    def _code(self, progress: DeployProgress) -> CodeSource:
        package = progress.plan.desired.package
        return self.uploaded.get(package.object_key) or LocalZip(package.path)

    def _create(self, step: CreateFunction, progress: DeployProgress) -> None:
        cpu, code = progress.plan.target.architecture, self._code(progress)
        try:
            with _sending(progress, "CreateFunction"):
                self.cloud.create_function(progress.name, cpu, code, step.settings, dict(progress.plan.desired.tags))
        except LambdapackError as error:
            if error.failure is not EXISTS:  # else it was made, and the reply lost: its code tells whose it is
                raise
        progress.latest = _check_update(self.cloud.wait_until_settled(progress.name), progress)

    def _pin(self, progress: DeployProgress) -> None:
        """Move the alias from $LATEST to a version with the same code, before that code changes."""
        alias, latest = progress.plan.observed.alias, progress.plan.observed.latest
        if alias is None or latest is None:
            raise ValueError(f"the plan of {progress.name} pins an alias that is not there")
        latest = self.cloud.wait_until_settled(progress.name)
        with _sending(progress, "PublishVersion"):
            version = self.cloud.publish_version(progress.name, latest.code_digest, latest.revision)
        self.cloud.wait_until_settled(progress.name, version.version)
        move = AliasMove(progress.name, alias, replace(alias, version=version.version, weights=()))
        with _sending(progress, "UpdateAlias"):
            move_aliases([move], self.cloud, self.observer, self.stop)
        progress.pinned = move.now
        progress.sent.remove("PublishVersion")

    def _update_code(self, progress: DeployProgress) -> None:
        with _sending(progress, "UpdateFunctionCode"):
            self.cloud.update_code(progress.name, progress.plan.target.architecture, self._code(progress))
        progress.latest = _check_update(self.cloud.wait_until_settled(progress.name), progress)

    def _configure(self, step: UpdateSettings, progress: DeployProgress) -> None:
        latest = progress.latest or self.cloud.wait_until_settled(progress.name)
        try:
            with _sending(progress, "UpdateFunctionConfiguration"):
                self.cloud.update_settings(progress.name, step.settings, latest.revision)
        except LambdapackError as error:
            if error.failure is not CHANGED or has_setting_changes(
                progress.plan.desired, self.cloud.wait_until_settled(progress.name)
            ):
                raise
        progress.latest = _check_update(self.cloud.wait_until_settled(progress.name), progress)

    def _publish(self, progress: DeployProgress) -> None:
        name, desired = progress.name, progress.plan.desired
        digest, text = desired.package.code_digest, desired.version_description
        latest = progress.latest or _check_update(self.cloud.wait_until_settled(name), progress)
        for tries in range(1, PUBLISH_TRIES + 1):
            try:
                with _sending(progress, "PublishVersion"):
                    version = self.cloud.publish_version(name, digest, latest.revision, text)
                break
            except LambdapackError as error:
                now = (
                    _check_update(self.cloud.wait_until_settled(name), progress) if error.failure is CHANGED else latest
                )
                if (
                    now.revision == latest.revision
                    or now.settings_digest != latest.settings_digest
                    or tries == PUBLISH_TRIES
                ):
                    raise
                latest = now
        else:
            raise AssertionError
        progress.version = version
        progress.version = self._ready(name, version)

    def _ready(self, name: str, version: LambdaFunction) -> LambdaFunction:
        try:
            return self.cloud.wait_until_settled(name, version.version)
        except LambdapackError as error:
            if error.failure is not UPDATE_FAILED:
                raise
            again = f"aws lambda delete-function --function-name {name} --qualifier {version.version}"
            hint = f"Fix the cause that AWS names above, delete that version (`{again}`) and run the command again."
            raise LambdapackError(UPDATE_FAILED, error.detail, hint=hint) from error

    def _invoke(self, smoke: SmokeTest, progress: DeployProgress) -> None:
        version = version_to_serve(progress)
        progress.sent.append("Invoke")
        answer = self.cloud.invoke(progress.name, version.version, smoke.event, version.timeout)
        problem = describe_smoke_problem(smoke, answer)
        if problem:
            if progress.plan.desired.alias:
                remember_failure(self.cloud, progress.name, progress.plan.desired.alias, version.version)
            for line in answer.log.splitlines():
                self.observer.line(line)
            payload = answer.payload.decode("utf-8", "replace")[:MAX_ANSWER_CHARS]
            raise LambdapackError(SMOKE_FAILED, f"{version.version_arn} {problem}\n{payload}")


def describe_smoke_problem(smoke: SmokeTest, answer: SmokeAnswer) -> str:
    """Return why a smoke test fails, "" when it passes."""
    if answer.error:
        return "returned an error"
    try:
        document = json.loads(answer.payload)
    except (ValueError, RecursionError):
        return "returned an answer that is not JSON" if answer.payload.strip() else "returned an empty answer"
    status = document.get("statusCode") if isinstance(document, dict) else None
    if smoke.status is not None:
        return "" if status == smoke.status else f"returned status {status}, not {smoke.status}"
    bad = isinstance(status, int) and status >= FIRST_ERROR_STATUS
    return f"returned status {status}" if bad else ""


@contextmanager
def _sending(progress: DeployProgress, operation: str) -> Iterator[None]:
    """Note that a write is under way, and forget it when AWS has answered or refused."""
    progress.sent.append(operation)
    progress.waiting = operation
    try:
        yield
    except LambdapackError as error:
        progress.waiting = operation if error.failure is UNREACHABLE else ""
        raise
    progress.waiting = ""


def _check_update(function: LambdaFunction, progress: DeployProgress) -> LambdaFunction:
    """Return the function if AWS has the code that was sent, for its CPU; LP427 or LP433 if not."""
    digest, architecture = progress.plan.desired.package.code_digest, progress.plan.target.architecture
    if function.code_digest != digest:
        raise LambdapackError(OTHER_CODE, f"{function.version_arn} has the code {function.code_digest}, not {digest}")
    if function.architecture is not architecture:
        raise LambdapackError(
            OTHER_ARCHITECTURE, f"{function.version_arn} runs on {function.architecture}, not on {architecture}"
        )
    return function
