"""Plans layer versions: finds the runtimes and CPUs that a zip passes for, and reads the layer from AWS."""

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
from lambdapack.rules.model.deploy_records import BUCKET_MISSING
from lambdapack.rules.model.report import Outcome, Report
from lambdapack.rules.package.stale import ZIP_STALE
from lambdapack.runtimes.runtime import runtime_architectures, shipped_runtime, supported_runtimes
from lambdapack.store.records import Store

USED_LAYER_DIRECTORIES = ("nodejs/", "lib/", "bin/", "extensions/")
"""What of /opt anything looks into: NODE_PATH, LD_LIBRARY_PATH, PATH, extensions (AWS developer guide, "Layers")."""


@dataclass(frozen=True, slots=True)
class LayerRequest:
    """One zip to publish."""

    name: str
    archive: Path
    runtime: str | None  # it has to be good for this one; None: nobody said
    architecture: Architecture | None


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """What all zips of one command share."""

    policy: Policy
    gate: Severity = Severity.ERROR
    store: Store | None = None
    project: Path | None = None  # of which the zip has to be up to date; None: a warning says when it is not
    permissions: tuple[LayerPermission, ...] = ()
    bucket: str = ""
    keep: int = 0


@dataclass(frozen=True, slots=True)
class LayerFit:
    """What a layer's bytes are good for."""

    report: Report  # for what it was made for, or what it comes nearest to
    runtimes: tuple[str, ...]
    architectures: tuple[Architecture, ...]


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """One layer: what would be done, and the report on its bytes."""

    plan: LayerPlan
    report: Report
    refused: bool


def plan_layers(
    orders: Sequence[LayerRequest], terms: PublishSettings, cloud: Cloud, observer: Observer
) -> tuple[PlannedLayer, ...]:
    """Return a plan for each layer; of one that is refused AWS is asked nothing. LP440 for what is no layer."""
    fits = [find_layer_fit(layer_request, terms, observer) for layer_request in orders]
    return tuple(_plan_request(order, fit, terms, cloud, observer) for order, fit in zip(orders, fits, strict=True))


def _plan_request(
    order: LayerRequest, fit: LayerFit, terms: PublishSettings, cloud: Cloud, observer: Observer
) -> PlannedLayer:
    report, subject = fit.report, fit.report.subject
    package = DeploymentPackage(order.archive, code_digest(order.archive), order.archive.stat().st_size)
    own = (finding for finding in report.findings if finding.rule.name != "needs-bucket")
    findings = apply_policy((*own, *_bucket_findings(package, terms.bucket)), terms.policy)
    report = replace(report, findings=findings)
    wanted = DesiredLayer(
        name=order.name,
        package=package,
        content_digest=subject.content_digest or "",
        runtimes=fit.runtimes,
        architectures=fit.architectures,
        permissions=terms.permissions,
        bucket=terms.bucket,
        keep=terms.keep,
    )
    refused = report.fails(terms.gate)
    made = plan_layer(wanted, ObservedLayer(None) if refused else _read_layer(cloud, wanted, observer))
    return PlannedLayer(replace(made, findings=findings), report, refused)


def _read_layer(cloud: Cloud, wanted: DesiredLayer, observer: Observer) -> ObservedLayer:
    with observer.task(f"Looking at {wanted.name}"):
        return observe_layer(cloud, wanted)


def _bucket_findings(package: DeploymentPackage, bucket: str) -> Iterator[Finding]:
    if package.zip_bytes > MAX_DIRECT_ZIP_BYTES and not bucket:
        evidence = (("bytes", package.zip_bytes), ("most", MAX_DIRECT_ZIP_BYTES))
        message = f"the zip has {package.zip_bytes} bytes, {MAX_DIRECT_ZIP_BYTES} is the most"
        yield Finding(BUCKET_MISSING, "", message, evidence=evidence)


def find_layer_fit(order: LayerRequest, terms: PublishSettings, observer: Observer) -> LayerFit:
    """Return what a zip is good for: every runtime and CPU for which its bytes pass as well as for what it names."""
    _refuse_functions(order.archive)
    given = VerificationTarget(
        order.archive,
        "",
        origin=find_package_origin(order.archive, terms.project),
        identity=CloudIdentity("layer", str(order.archive)),
    )
    policy = terms.policy
    if terms.project is not None:
        policy = replace(policy, severities={ZIP_STALE.code: Severity.ERROR, **policy.severities})
    targets = _candidate_targets(order, policy)
    reports = verify_for_runtimes(
        given, [shipped_runtime(target) for target in targets], policy, observer, store=terms.store
    )
    return _choose_fit(order, dict(zip(targets, reports, strict=True)), terms.gate)


def _refuse_functions(archive: Path) -> None:
    with open_package(archive) as found:
        if not any(path.startswith(USED_LAYER_DIRECTORIES) for path in found.tree.entries):
            what = f"has none of {', '.join(USED_LAYER_DIRECTORIES)}"
            raise LambdapackError(NOT_A_LAYER, f"{archive} {what}")


def _candidate_targets(order: LayerRequest, policy: Policy) -> tuple[Target, ...]:
    """Return what a layer may be good for, newest runtime first."""
    names = list(reversed(supported_runtimes(policy.today)))
    if order.runtime and order.runtime not in names:
        names.append(order.runtime)
    return tuple(Target(name, cpu) for name in names for cpu in runtime_architectures(name))


def _choose_fit(order: LayerRequest, reports: dict[Target, Report], gate: Severity) -> LayerFit:
    named = [target for target in reports if _is_named(order, target)]
    main = min(named, key=lambda target: _badness(reports[target], gate))
    least = reports[main]
    good = {target for target, report in reports.items() if _is_as_good(report, least, gate)} | {main}
    cpus = tuple(cpu for cpu in Architecture if Target(main.runtime, cpu) in good)
    runtimes = dict.fromkeys(target.runtime for target in reversed(reports))
    kept = tuple(name for name in runtimes if all(Target(name, cpu) in good for cpu in cpus))
    return LayerFit(least, kept, cpus)


def _is_as_good(report: Report, least: Report, gate: Severity) -> bool:
    """Tell whether a target is served as well as the one that was named; what is native needs a file for its CPU."""
    machines = {machine for judged in report.judgements for machine in judged.binary.machines}
    served = not machines or report.runtime.target.architecture.aws in machines
    return served and not report.fails(gate) and _doubtful_paths(report) <= _doubtful_paths(least)


def _is_named(order: LayerRequest, target: Target) -> bool:
    return order.runtime in {None, target.runtime} and order.architecture in {None, target.architecture}


def _badness(report: Report, gate: Severity) -> tuple[bool, int]:
    return report.fails(gate), len(_doubtful_paths(report)) if report.fails(gate) else 0


def _doubtful_paths(report: Report) -> frozenset[str]:
    """Return the binaries that a loader would pick and that may not load."""
    return frozenset(
        judgement.binary.path
        for judgement in report.judgements
        if judgement.selected and judgement.outcome is not Outcome.LOADS
    )
