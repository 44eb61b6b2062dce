"""Applies plans. Every step is idempotent: after an interruption the next run plans from the state in AWS.

No alias moves before the new versions of all functions are ready and have answered; when one alias cannot be moved,
the others are moved back.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import assert_never

from lambdapack.deploy.alias import DeployProgress, add_progress_to_errors, move_aliases, version_to_serve
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import Alias, CodeSource, LambdaFunction, LocalZip, S3Object, SmokeAnswer, SmokeTest
from lambdapack.deploy.plan import (
    CreateFunction,
    InvokeVersion,
    Plan,
    PointAlias,
    PublishVersion,
    Step,
    UpdateCode,
    UpdateSettings,
    Upload,
    has_setting_changes,
)
from lambdapack.errors.cloud import CHANGED, EXISTS, OTHER_CODE, SMOKE_FAILED, UPDATE_FAILED
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
    """Apply every plan and return the results in order; raises the first error, which states what was changed."""
    uploaded = _upload_zips(plans, cloud, observer)
    functions = [DeployProgress(plan) for plan in plans]
    _prepare_all(functions, _StepRunner(cloud, uploaded, observer))
    move_aliases(functions, cloud, observer)
    return tuple(
        Deployment(deploy_progress.plan, version_to_serve(deploy_progress), deploy_progress.alias)
        for deploy_progress in functions
    )


def _upload_zips(plans: Sequence[Plan], cloud: Cloud, observer: Observer) -> Mapping[str, S3Object]:
    """Upload each zip once, however many functions use it; objects that exist already are reused."""
    uploaded = {stored.key: stored for plan in plans if (stored := plan.observed.stored_zip)}
    for plan in plans:
        for step in plan.steps:
            if isinstance(step, Upload) and step.destination.key not in uploaded:
                label = f"Uploading to s3://{step.destination.bucket}/{step.destination.key}"
                with observer.task(label, step.destination.size, "B") as advance:
                    uploaded[step.destination.key] = cloud.upload_object(
                        step.destination, plan.desired.package.path, advance
                    )
    return uploaded


@dataclass(frozen=True, slots=True)
class _StepRunner:
    """Runs the steps of plans."""

    cloud: Cloud
    uploaded: Mapping[str, S3Object]
    observer: Observer

    def prepare(self, progress: DeployProgress) -> None:
        """Run a plan's steps up to a version that is ready and has answered the smoke test."""
        with add_progress_to_errors(progress):
            for step in progress.plan.steps:
                self._step(step, progress)

    def _step(self, step: Step, progress: DeployProgress) -> None:
        name = progress.name
        match step:
            case Upload() | PointAlias():
                pass  # of all functions together
            case CreateFunction():
                with self.observer.task(f"Creating {name}"):
                    self._create(step, progress)
            case UpdateCode():
                with self.observer.task(f"Updating the code of {name}"):
                    self.cloud.update_code(name, progress.plan.target.architecture, self._code(progress))
                    progress.latest = _check_code_digest(self.cloud.wait_until_settled(name), progress)
            case UpdateSettings():
                with self.observer.task(f"Configuring {name}"):
                    self._configure(step, progress)
            case PublishVersion():
                with self.observer.task(f"Publishing a version of {name}"):
                    self._publish(progress)
            case InvokeVersion(smoke):
                with self.observer.task(f"Testing the new version of {name} with {smoke.name}"):
                    self._invoke(smoke, progress)
            case _:
                assert_never(step)

    def _code(self, progress: DeployProgress) -> CodeSource:
        package = progress.plan.desired.package
        return self.uploaded.get(package.object_key) or LocalZip(package.path)

    def _create(self, step: CreateFunction, progress: DeployProgress) -> None:
        cpu, code = progress.plan.target.architecture, self._code(progress)
        try:
            self.cloud.create_function(progress.name, cpu, code, step.settings)
        except LambdapackError as error:
            if error.failure is not EXISTS:  # else it was made, and the reply lost: its code tells whose it is
                raise
        progress.latest = _check_code_digest(self.cloud.wait_until_settled(progress.name), progress)

    def _configure(self, step: UpdateSettings, progress: DeployProgress) -> None:
        latest = progress.latest or self.cloud.wait_until_settled(progress.name)
        try:
            self.cloud.update_settings(progress.name, step.settings, latest.revision)
        except LambdapackError as error:
            if error.failure is not CHANGED or has_setting_changes(
                progress.plan.desired, self.cloud.wait_until_settled(progress.name)
            ):
                raise
        progress.latest = _check_code_digest(self.cloud.wait_until_settled(progress.name), progress)

    def _publish(self, progress: DeployProgress) -> None:
        name, digest = progress.name, progress.plan.desired.package.code_digest
        latest = progress.latest or _check_code_digest(self.cloud.wait_until_settled(name), progress)
        for tries in range(1, PUBLISH_TRIES + 1):
            try:
                version = self.cloud.publish_version(name, digest, latest.revision)
                break
            except LambdapackError as error:
                now = (
                    _check_code_digest(self.cloud.wait_until_settled(name), progress)
                    if error.failure is CHANGED
                    else latest
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
        answer = self.cloud.invoke(progress.name, version.version, smoke.event, version.timeout)
        problem = describe_smoke_problem(smoke, answer)
        if problem:
            for line in answer.log.splitlines():
                self.observer.line(line)
            payload = answer.payload.decode("utf-8", "replace")[:MAX_ANSWER_CHARS]
            raise LambdapackError(SMOKE_FAILED, f"{version.version_arn} {problem}\n{payload}")


def describe_smoke_problem(smoke: SmokeTest, answer: SmokeAnswer) -> str:
    """Return why a smoke test fails, "" when it passes."""
    if answer.error:
        return "returned an error"
    try:
        document = json.loads(answer.payload or b"null")
    except ValueError:
        document = None
    status = document.get("statusCode") if isinstance(document, dict) else None
    if smoke.status is not None:
        return "" if status == smoke.status else f"returned status {status}, not {smoke.status}"
    bad = isinstance(status, int) and status >= FIRST_ERROR_STATUS
    return f"returned status {status}" if bad else ""


def _prepare_all(functions: Sequence[DeployProgress], work: _StepRunner) -> None:
    """Prepare every function; all are tried before the first error is raised."""
    if len(functions) == 1:
        work.prepare(functions[0])
        return
    with ThreadPoolExecutor(MAX_PARALLEL_FUNCTIONS) as pool:
        futures = [pool.submit(work.prepare, deploy_progress) for deploy_progress in functions]
    failed = [error for future in futures if (error := _future_error(future))]
    for other in failed[1:]:
        work.observer.note(f"{other.failure.code} {other.failure.title}: {other.detail}")
    if failed:
        raise failed[0]


def _future_error(future: "Future[None]") -> LambdapackError | None:
    error = future.exception()
    if error is not None and not isinstance(error, LambdapackError):
        raise error
    return error


def _check_code_digest(function: LambdaFunction, progress: DeployProgress) -> LambdaFunction:
    """Return the function if AWS has the code that was sent; LP427 if not."""
    digest = progress.plan.desired.package.code_digest
    if function.code_digest != digest:
        raise LambdapackError(OTHER_CODE, f"{function.version_arn} has the code {function.code_digest}, not {digest}")
    return function
