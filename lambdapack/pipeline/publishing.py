"""From zips to layer plans: for which runtimes and CPUs the bytes are good, what AWS has, what would be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.layer import LayerPlan, SeenLayer, WantedLayer, plan_layer
from lambdapack.deploy.nouns import Permission
from lambdapack.deploy.plan import DIRECT_MOST
from lambdapack.deploy.publish import observe_layer
from lambdapack.deploy.wanted import Package
from lambdapack.errors import NOT_A_LAYER, LambdapackError
from lambdapack.events import Observer
from lambdapack.memory.store import Store
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.judging import Called, Given, verify_for
from lambdapack.pipeline.opening import opened
from lambdapack.pipeline.origin import origin_of
from lambdapack.rules.check import arrange
from lambdapack.rules.deploy_codes import BUCKET_MISSING
from lambdapack.rules.facts import Policy
from lambdapack.rules.stale import ZIP_STALE
from lambdapack.rules.verdict import Outcome, Report
from lambdapack.runtimes.catalogue import architectures, shipped, supported

UNPACKED = ("nodejs/", "lib/", "bin/", "extensions/")
"""What of /opt anything looks into: NODE_PATH, LD_LIBRARY_PATH, PATH, extensions (AWS developer guide, "Layers")."""


@dataclass(frozen=True, slots=True)
class LayerOrder:
    """One zip to publish."""

    name: str
    archive: Path
    runtime: str | None  # it has to be good for this one; None: nobody said
    architecture: Architecture | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What all zips of one command share."""

    policy: Policy
    gate: Severity = Severity.ERROR
    store: Store | None = None
    project: Path | None = None  # of which the zip has to be up to date; None: a warning says when it is not
    permissions: tuple[Permission, ...] = ()
    bucket: str = ""
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """What a layer's bytes are good for."""

    report: Report  # for what it was made for, or what it comes nearest to
    runtimes: tuple[str, ...]
    architectures: tuple[Architecture, ...]


@dataclass(frozen=True, slots=True)
class ExaminedLayer:
    """One layer: what would be done, and the report on its bytes."""

    plan: LayerPlan
    report: Report
    refused: bool


def examine_layers(
    orders: Sequence[LayerOrder], terms: Terms, cloud: Cloud, observer: Observer
) -> tuple[ExaminedLayer, ...]:
    """Return a plan for each layer; of one that is refused AWS is asked nothing. LP440 for what is no layer."""
    fits = [fit_of(each, terms, observer) for each in orders]
    return tuple(_examined(order, fit, terms, cloud, observer) for order, fit in zip(orders, fits, strict=True))


def _examined(order: LayerOrder, fit: Fit, terms: Terms, cloud: Cloud, observer: Observer) -> ExaminedLayer:
    report, subject = fit.report, fit.report.subject
    package = Package(order.archive, code_digest(order.archive), order.archive.stat().st_size)
    own = (each for each in report.findings if each.rule.name != "needs-bucket")
    findings = arrange((*own, *_guard(package, terms.bucket)), terms.policy)
    report = replace(report, findings=findings)
    wanted = WantedLayer(
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
    made = plan_layer(wanted, SeenLayer(None) if refused else _seen(cloud, wanted, observer))
    return ExaminedLayer(replace(made, findings=findings), report, refused)


def _seen(cloud: Cloud, wanted: WantedLayer, observer: Observer) -> SeenLayer:
    with observer.task(f"Looking at {wanted.name}"):
        return observe_layer(cloud, wanted)


def _guard(package: Package, bucket: str) -> Iterator[Finding]:
    if package.zip_bytes > DIRECT_MOST and not bucket:
        evidence = (("bytes", package.zip_bytes), ("most", DIRECT_MOST))
        message = f"the zip has {package.zip_bytes} bytes, {DIRECT_MOST} is the most"
        yield Finding(BUCKET_MISSING, "", message, evidence=evidence)


def fit_of(order: LayerOrder, terms: Terms, observer: Observer) -> Fit:
    """Return what a zip is good for: every runtime and CPU for which its bytes pass as well as for what it names."""
    _refuse_functions(order.archive)
    given = Given(
        order.archive,
        "",
        origin=origin_of(order.archive, terms.project),
        called=Called("layer", str(order.archive)),
    )
    policy = terms.policy
    if terms.project is not None:
        policy = replace(policy, severities={ZIP_STALE.code: Severity.ERROR, **policy.severities})
    targets = _targets(order, policy)
    reports = verify_for(given, [shipped(each) for each in targets], policy, observer, store=terms.store)
    return _fit(order, dict(zip(targets, reports, strict=True)), terms.gate)


def _refuse_functions(archive: Path) -> None:
    with opened(archive) as found:
        if not any(path.startswith(UNPACKED) for path in found.tree.entries):
            what = f"has none of {', '.join(UNPACKED)}"
            raise LambdapackError(NOT_A_LAYER, f"{archive} {what}")


def _targets(order: LayerOrder, policy: Policy) -> tuple[Target, ...]:
    """Return what a layer may be good for, newest runtime first."""
    names = list(reversed(supported(policy.today)))
    if order.runtime and order.runtime not in names:
        names.append(order.runtime)
    return tuple(Target(name, cpu) for name in names for cpu in architectures(name))


def _fit(order: LayerOrder, reports: dict[Target, Report], gate: Severity) -> Fit:
    named = [target for target in reports if _is_named(order, target)]
    main = min(named, key=lambda target: _badness(reports[target], gate))
    least = reports[main]
    good = {target for target, report in reports.items() if _is_as_good(report, least, gate)} | {main}
    cpus = tuple(cpu for cpu in Architecture if Target(main.runtime, cpu) in good)
    runtimes = dict.fromkeys(target.runtime for target in reversed(reports))
    kept = tuple(name for name in runtimes if all(Target(name, cpu) in good for cpu in cpus))
    return Fit(least, kept, cpus)


def _is_as_good(report: Report, least: Report, gate: Severity) -> bool:
    """Tell whether a target is served as well as the one that was named; what is native needs a file for its CPU."""
    machines = {each for judged in report.judgements for each in judged.binary.machines}
    served = not machines or report.runtime.target.architecture.aws in machines
    return served and not report.fails(gate) and _doubts(report) <= _doubts(least)


def _is_named(order: LayerOrder, target: Target) -> bool:
    return order.runtime in {None, target.runtime} and order.architecture in {None, target.architecture}


def _badness(report: Report, gate: Severity) -> tuple[bool, int]:
    return report.fails(gate), len(_doubts(report)) if report.fails(gate) else 0


def _doubts(report: Report) -> frozenset[str]:
    """Return the binaries that a loader would pick and that may not load."""
    return frozenset(
        each.binary.path for each in report.judgements if each.selected and each.outcome is not Outcome.LOADS
    )
