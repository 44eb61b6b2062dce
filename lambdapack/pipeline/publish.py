"""Plans layer versions: finds the runtimes and CPUs that a zip is compatible with, and reads the layer from AWS."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.layer import DesiredLayer, LayerPlan, ObservedLayer, observe_layer, plan_layer
from lambdapack.deploy.nouns import DeploymentPackage, LayerPermission
from lambdapack.deploy.plan import MAX_DIRECT_ZIP_BYTES
from lambdapack.errors.cloud import NOT_A_LAYER
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.open import open_package
from lambdapack.pipeline.origin import find_package_origin
from lambdapack.pipeline.verify import CloudIdentity, VerificationTarget, verify_for_runtimes
from lambdapack.rules.check import apply_policy
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.deploy_records import BUCKET_MISSING, BUCKET_UNUSABLE
from lambdapack.rules.model.report import Outcome, Report
from lambdapack.rules.package.stale import ZIP_STALE
from lambdapack.runtimes.runtime import runtime_architectures, shipped_runtime, supported_runtimes
from lambdapack.store.records import Store

USED_LAYER_DIRECTORIES = ("nodejs/", "lib/", "bin/", "extensions/")
"""Directories searched in /opt: NODE_PATH, LD_LIBRARY_PATH, PATH, extensions (AWS developer guide, "Layers")."""


@dataclass(frozen=True, slots=True)
class LayerRequest:
    """One zip to publish."""

    name: str
    archive: Path
    runtime: str | None  # required runtime; None: not stated
    architecture: Architecture | None


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Settings of one publish-layer command."""

    policy: Policy
    gate: Severity = Severity.ERROR
    store: Store | None = None
    project: Path | None = None  # of which the zip has to be up to date; None: a warning says when it is not
    permissions: tuple[LayerPermission, ...] = ()
    bucket: str = ""
    keep: int = 0


@dataclass(frozen=True, slots=True)
class LayerFit:
    """The runtimes and architectures that a layer's bytes are compatible with."""

    report: Report  # for what it was made for, or what it comes nearest to
    runtimes: tuple[str, ...]
    architectures: tuple[Architecture, ...]


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """The plan for one layer, and the report on its bytes."""

    plan: LayerPlan
    report: Report
    is_refused: bool


def plan_layers(
    requests: Sequence[LayerRequest], settings: PublishSettings, cloud: Cloud, observer: Observer
) -> tuple[PlannedLayer, ...]:
    """Return a plan for each layer; AWS is not called for a refused one. LP440 for a zip that is no layer."""
    fits = [find_layer_fit(layer_request, settings, observer) for layer_request in requests]
    return tuple(
        _plan_request(request, fit, settings, cloud, observer) for request, fit in zip(requests, fits, strict=True)
    )


def _plan_request(
    request: LayerRequest, fit: LayerFit, settings: PublishSettings, cloud: Cloud, observer: Observer
) -> PlannedLayer:
    report, subject = fit.report, fit.report.subject
    package = DeploymentPackage(request.archive, code_digest(request.archive), request.archive.stat().st_size)
    package_findings = (finding for finding in report.findings if finding.rule.name != "needs-bucket")
    findings = apply_policy((*package_findings, *_bucket_findings(package, settings.bucket)), settings.policy)
    report = replace(report, findings=findings)
    desired = DesiredLayer(
        name=request.name,
        package=package,
        content_digest=subject.content_digest or "",
        runtimes=fit.runtimes,
        architectures=fit.architectures,
        permissions=settings.permissions,
        bucket=settings.bucket,
        keep=settings.keep,
    )
    refused = report.fails(settings.gate)
    observed = ObservedLayer(None) if refused else _read_layer(cloud, desired, observer)
    if observed.bucket_problem:
        unusable = Finding(BUCKET_UNUSABLE, "", f"s3://{desired.bucket}: {observed.bucket_problem}")
        findings = apply_policy((*findings, unusable), settings.policy)
        report = replace(report, findings=findings)
        refused = report.fails(settings.gate)
    return PlannedLayer(replace(plan_layer(desired, observed), findings=findings), report, refused)


def _read_layer(cloud: Cloud, desired: DesiredLayer, observer: Observer) -> ObservedLayer:
    with observer.task(f"Reading {desired.name}"):
        return observe_layer(cloud, desired)


def _bucket_findings(package: DeploymentPackage, bucket: str) -> Iterator[Finding]:
    if package.zip_bytes > MAX_DIRECT_ZIP_BYTES and not bucket:
        evidence = (("bytes", package.zip_bytes), ("most", MAX_DIRECT_ZIP_BYTES))
        message = f"the zip has {package.zip_bytes} bytes, {MAX_DIRECT_ZIP_BYTES} is the most"
        yield Finding(BUCKET_MISSING, "", message, evidence=evidence)


def find_layer_fit(request: LayerRequest, settings: PublishSettings, observer: Observer) -> LayerFit:
    """Return every runtime and CPU for which a zip passes as well as for the requested one."""
    _refuse_functions(request.archive)
    verification_target = VerificationTarget(
        request.archive,
        "",
        origin=find_package_origin(request.archive, settings.project),
        identity=CloudIdentity("layer", str(request.archive)),
    )
    policy = settings.policy
    if settings.project is not None:
        policy = replace(policy, severities={ZIP_STALE.code: Severity.ERROR, **policy.severities})
    targets = _candidate_targets(request, policy)
    reports = verify_for_runtimes(
        verification_target, [shipped_runtime(target) for target in targets], policy, observer, store=settings.store
    )
    return _choose_fit(request, dict(zip(targets, reports, strict=True)), settings.gate)


def _refuse_functions(archive: Path) -> None:
    with open_package(archive) as opened:
        if not any(path.startswith(USED_LAYER_DIRECTORIES) for path in opened.tree.entries):
            what = f"contains none of {', '.join(USED_LAYER_DIRECTORIES)}"
            raise LambdapackError(NOT_A_LAYER, f"{archive} {what}")


def _candidate_targets(request: LayerRequest, policy: Policy) -> tuple[Target, ...]:
    """Return the targets that a layer may be compatible with, newest runtime first."""
    names = list(reversed(supported_runtimes(policy.today)))
    if request.runtime and request.runtime not in names:
        names.append(request.runtime)
    return tuple(Target(name, cpu) for name in names for cpu in runtime_architectures(name))


def _choose_fit(request: LayerRequest, reports: dict[Target, Report], gate: Severity) -> LayerFit:
    named = [target for target in reports if _is_named(request, target)]
    main = min(named, key=lambda target: _badness(reports[target], gate))
    main_report = reports[main]
    passing = {target for target, report in reports.items() if _is_as_good(report, main_report, gate)} | {main}
    cpus = tuple(cpu for cpu in Architecture if Target(main.runtime, cpu) in passing)
    runtimes = dict.fromkeys(target.runtime for target in reversed(reports))
    fitting_runtimes = tuple(name for name in runtimes if all(Target(name, cpu) in passing for cpu in cpus))
    return LayerFit(main_report, fitting_runtimes, cpus)


def _is_as_good(report: Report, main_report: Report, gate: Severity) -> bool:
    """Tell whether a layer passes for a target as well as for the requested one; native code must match the CPU."""
    machines = {machine for judged in report.judgements for machine in judged.binary.machines}
    is_served = not machines or report.runtime.target.architecture.aws in machines
    return is_served and not report.fails(gate) and _doubtful_paths(report) <= _doubtful_paths(main_report)


def _is_named(request: LayerRequest, target: Target) -> bool:
    return request.runtime in {None, target.runtime} and request.architecture in {None, target.architecture}


def _badness(report: Report, gate: Severity) -> tuple[bool, int]:
    return report.fails(gate), len(_doubtful_paths(report)) if report.fails(gate) else 0


def _doubtful_paths(report: Report) -> frozenset[str]:
    """Return the binaries that a loader would pick and that may not load."""
    return frozenset(
        judgement.binary.path
        for judgement in report.judgements
        if judgement.selected and judgement.outcome is not Outcome.LOADS
    )
