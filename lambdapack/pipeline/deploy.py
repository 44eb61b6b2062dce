"""Plans deployments: reads each function from AWS and verifies the zip for exactly that function. Sends nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import run_parallel
from lambdapack.deploy.nouns import DesiredFunction, Observed
from lambdapack.deploy.observe import FunctionLayers, check_deployment, observe
from lambdapack.deploy.plan import Plan, plan_function, requested_settings, target_of
from lambdapack.errors.cloud import IMAGE_FUNCTION, NO_FUNCTION
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNKNOWN_RUNTIME, USAGE
from lambdapack.events import Observer
from lambdapack.model import Severity, Target
from lambdapack.runtimes.runtime import runtime_ids

if TYPE_CHECKING:
    from lambdapack.rules.model.case import Policy
    from lambdapack.rules.model.report import Report
    from lambdapack.store.records import Store


MAX_PARALLEL_READS = 20
"""Functions that are read at the same time: AWS allows 100 GetFunction calls a second (Lambda quotas, 2026-11-20)."""


@dataclass(frozen=True, slots=True)
class PlannedFunction:
    """The plan for one function, and the report on the package for its target."""

    plan: Plan
    report: "Report | None"  # None: nothing is to do, so nothing was judged


@dataclass(frozen=True, slots=True)
class JudgingPolicy:
    """The policy and the store with which a package is verified."""

    policy: "Policy"
    store: "Store | None" = None  # where facts of binaries are remembered


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """The functions to deploy, and how their package is verified."""

    functions: tuple[DesiredFunction, ...]  # one for each function
    make_policy: Callable[[], JudgingPolicy]  # asked when something is to be judged
    project: Path | None = None  # of which the zip has to be up to date; None: a warning says when it is not


def plan_deployments(request: DeployRequest, cloud: Cloud, observer: Observer) -> tuple[PlannedFunction, ...]:
    """Return a plan for each function. LP415 when it does not exist and is not to be created, LP430 for an image."""
    observations = run_parallel(
        lambda desired_function: _read_function(cloud, desired_function, observer),
        request.functions,
        MAX_PARALLEL_READS,
    )
    judge = _PackageJudge(request, cloud, observer)
    return tuple(
        _plan_function(desired_function, observed, judge)
        for desired_function, observed in zip(request.functions, observations, strict=True)
    )


def _read_function(cloud: Cloud, desired: DesiredFunction, observer: Observer) -> Observed:
    with observer.task(f"Reading {desired.function}"):
        observed = observe(cloud, desired)
    if observed.latest is None and desired.creation_settings is None:
        raise LambdapackError(NO_FUNCTION, f"{desired.function} in {cloud.region}")
    if observed.latest is None and desired.creation_settings and not desired.creation_settings.role:
        hint = "Pass `--role ARN` with the function's execution role."
        raise LambdapackError(USAGE, f"{desired.function} does not exist, and --create needs a role", hint=hint)
    if observed.latest and observed.latest.package_type != "Zip":
        raise LambdapackError(
            IMAGE_FUNCTION, f"{observed.latest.name} has the package type {observed.latest.package_type}"
        )
    target = target_of(desired, observed.latest)
    if target.runtime not in runtime_ids():
        hint = "lambdapack supports Node.js runtimes only; `lambdapack runtimes` lists them."
        raise LambdapackError(UNKNOWN_RUNTIME, f"{desired.function} runs {target.runtime}", hint=hint)
    return observed


def _plan_function(desired: DesiredFunction, observed: Observed, judge: "_PackageJudge") -> PlannedFunction:
    target = target_of(desired, observed.latest)
    plan = plan_function(desired, observed, target)
    if not plan.steps and judge.request.project is None:
        return PlannedFunction(plan, None)
    report = judge.report(desired, observed, target)
    return PlannedFunction(replace(plan, findings=report.findings), report)


@dataclass(slots=True)
class _PackageJudge:
    """Verifies a zip once for each target, handler and set of layers."""

    request: DeployRequest
    cloud: Cloud
    observer: Observer
    reports: "dict[tuple[Target, str, tuple[str, ...]], tuple[Report, FunctionLayers]]" = field(default_factory=dict)

    @property
    def judging(self) -> JudgingPolicy:
        """The user's policy and store, read when first needed."""
        return self.request.make_policy()

    @property
    def policy(self) -> "Policy":
        """The user's policy; with a project, a zip that is out of date is an error."""
        policy = self.judging.policy
        if self.request.project is None:
            return policy
        from lambdapack.rules.package.stale import ZIP_STALE  # noqa: PLC0415

        return replace(policy, severities={ZIP_STALE.code: Severity.ERROR, **policy.severities})

    def report(self, desired: DesiredFunction, observed: Observed, target: Target) -> "Report":
        """Return the report on the package as the function would run it, with the findings about the deployment."""
        from lambdapack.rules.check import apply_policy  # noqa: PLC0415  # not when nothing is to do

        handler = desired.settings.handler or (observed.latest.handler if observed.latest else None)
        handler = handler or (desired.creation_settings.handler if desired.creation_settings else None) or ""
        attached = tuple(attached_layer.arn for attached_layer in observed.latest.layers) if observed.latest else ()
        requested = requested_settings(desired, observed.latest).get("layers") if observed.latest else None
        arns = requested if requested is not None else desired.settings.layers or attached
        key = (target, handler, arns)
        if key not in self.reports:
            self.reports[key] = self._judge_package(desired.package.path, target, handler, arns)
        report, layers = self.reports[key]
        package_findings = tuple(finding for finding in report.findings if finding.rule.name != "needs-bucket")
        findings = (*package_findings, *check_deployment(desired, observed, layers, target.architecture))
        return replace(report, findings=apply_policy(findings, self.policy))

    def _judge_package(
        self, archive: Path, target: Target, handler: str, arns: Sequence[str]
    ) -> "tuple[Report, FunctionLayers]":
        from lambdapack.pipeline.fetch import fetch_layers  # noqa: PLC0415
        from lambdapack.pipeline.origin import find_package_origin  # noqa: PLC0415
        from lambdapack.pipeline.scratch import scratch_directory  # noqa: PLC0415
        from lambdapack.pipeline.verify import VerificationTarget, verify_package  # noqa: PLC0415  # not when nothing is to do
        from lambdapack.runtimes.runtime import shipped_runtime  # noqa: PLC0415

        origin = find_package_origin(archive, self.request.project)
        with scratch_directory() as directory:
            layers, files = fetch_layers(arns, self.cloud, directory, self.observer)
            verification_target = VerificationTarget(archive, handler, files, origin)
            report = verify_package(
                verification_target, shipped_runtime(target), self.policy, self.observer, store=self.judging.store
            )
        if report.subject.kind != "zip":
            hint = "Build the function without `--layer`, or publish it with `lambdapack publish-layer`."
            raise LambdapackError(USAGE, f"{archive} is a {report.subject.kind}, not a function", hint=hint)
        return report, layers


def is_refused(examined: Sequence[PlannedFunction], gate: Severity) -> bool:
    """Tell whether any plan has an unsuppressed finding at or above `gate`."""
    findings = (finding for planned in examined for finding in planned.plan.findings)
    return any(finding.weight.rank >= gate.rank for finding in findings if finding.ignored is None)
