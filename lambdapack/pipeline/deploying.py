"""From a zip to plans: what AWS has is read, and the bytes are judged for exactly that, before anything is sent."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.guard import Layers, guard
from lambdapack.deploy.observe import observe
from lambdapack.deploy.plan import Plan, plan, target_of
from lambdapack.deploy.wanted import Observed, Wanted
from lambdapack.errors import (
    IMAGE_FUNCTION,
    NO_FUNCTION,
    UNKNOWN_RUNTIME,
    USAGE,
    LambdapackError,
)
from lambdapack.events import Observer
from lambdapack.model import Severity, Target
from lambdapack.runtimes.catalogue import identifiers

if TYPE_CHECKING:  # an unchanged deployment is over before any of these is needed
    from lambdapack.memory.store import Store
    from lambdapack.rules.facts import Policy
    from lambdapack.rules.verdict import Report


@dataclass(frozen=True, slots=True)
class Examined:
    """One function: what would be done, and the report on the package for its target."""

    plan: Plan
    report: "Report | None"  # None: nothing is to do, so nothing was judged


@dataclass(frozen=True, slots=True)
class Terms:
    """How a package is judged."""

    policy: "Policy"
    store: "Store | None" = None  # where facts of binaries are remembered


@dataclass(frozen=True, slots=True)
class Order:
    """A deployment."""

    wanted: tuple[Wanted, ...]  # one for each function
    terms: Callable[[], Terms]  # asked when something is to be judged
    project: Path | None = None  # of which the zip has to be up to date; None: a warning says when it is not


def examine(order: Order, cloud: Cloud, scratch: Path, observer: Observer) -> tuple[Examined, ...]:
    """Return a plan for each function. LP415 when there is none and none is to be made, LP430 for an image."""
    seen = [_observed(cloud, each, observer) for each in order.wanted]
    judge = _Judge(order, cloud, scratch, observer)
    return tuple(_examined(each, found, judge) for each, found in zip(order.wanted, seen, strict=True))


def _observed(cloud: Cloud, wanted: Wanted, observer: Observer) -> Observed:
    with observer.task(f"Looking at {wanted.function}"):
        seen = observe(cloud, wanted)
    if seen.latest is None and wanted.new is None:
        raise LambdapackError(NO_FUNCTION, f"{wanted.function} in {cloud.region}")
    if seen.latest is None and wanted.new and not wanted.new.role:
        hint = "Pass `--role ARN` with the role that the function shall have."
        raise LambdapackError(USAGE, f"{wanted.function} does not exist, and --create needs a role", hint=hint)
    if seen.latest and seen.latest.package != "Zip":
        raise LambdapackError(IMAGE_FUNCTION, f"{seen.latest.name} has the package type {seen.latest.package}")
    target = target_of(wanted, seen.latest)
    if target.runtime not in identifiers():
        hint = "lambdapack packs Node.js functions; `lambdapack runtimes` lists what it knows."
        raise LambdapackError(UNKNOWN_RUNTIME, f"{wanted.function} runs {target.runtime}", hint=hint)
    return seen


def _examined(wanted: Wanted, seen: Observed, judge: "_Judge") -> Examined:
    target = target_of(wanted, seen.latest)
    made = plan(wanted, seen, target)
    if not made.steps and judge.order.project is None:
        return Examined(made, None)
    report = judge.report(wanted, seen, target)
    return Examined(replace(made, findings=report.findings), report)


@dataclass(slots=True)
class _Judge:
    """Judges a zip once for each target, handler and set of layers."""

    order: Order
    cloud: Cloud
    scratch: Path
    observer: Observer
    known: "dict[tuple[Target, str, tuple[str, ...]], tuple[Report, Layers]]" = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        """The user's."""
        return self.order.terms()

    @property
    def policy(self) -> "Policy":
        """The user's, and a zip that is stale against a project that was named is an error."""
        policy = self.terms.policy
        if self.order.project is None:
            return policy
        from lambdapack.rules.stale import ZIP_STALE  # noqa: PLC0415

        return replace(policy, severities={ZIP_STALE.code: Severity.ERROR, **policy.severities})

    def report(self, wanted: Wanted, seen: Observed, target: Target) -> "Report":
        """Return the report on the package as the function would run it, with what the guards find."""
        from lambdapack.rules.check import arrange  # noqa: PLC0415  # not when nothing is to do

        handler = wanted.settings.handler or (seen.latest.handler if seen.latest else None)
        handler = handler or (wanted.new.handler if wanted.new else None) or ""
        attached = tuple(each.arn for each in seen.latest.layers) if seen.latest else ()
        arns = attached if wanted.settings.layers is None else wanted.settings.layers
        key = (target, handler, arns)
        if key not in self.known:
            self.known[key] = self._judged(wanted.package.path, target, handler, arns)
        report, layers = self.known[key]
        own = tuple(each for each in report.findings if each.rule.name != "needs-bucket")
        found = (*own, *guard(wanted, seen, layers, target.architecture))
        return replace(report, findings=arrange(found, self.policy))

    def _judged(self, archive: Path, target: Target, handler: str, arns: Sequence[str]) -> "tuple[Report, Layers]":
        from lambdapack.pipeline.judging import Given, verify  # noqa: PLC0415  # not when nothing is to do
        from lambdapack.pipeline.origin import origin_of  # noqa: PLC0415
        from lambdapack.pipeline.remote import fetch_layers  # noqa: PLC0415
        from lambdapack.runtimes.catalogue import shipped  # noqa: PLC0415

        origin = origin_of(archive, self.order.project)
        with tempfile.TemporaryDirectory(dir=self.scratch, ignore_cleanup_errors=True) as directory:
            layers, files = fetch_layers(arns, self.cloud, Path(directory), self.observer)
            given = Given(archive, handler, files, origin)
            report = verify(given, shipped(target), self.policy, self.observer, store=self.terms.store)
        if report.subject.kind != "zip":
            hint = "Build the function without `--layer`, or publish it with `lambdapack publish-layer`."
            raise LambdapackError(USAGE, f"{archive} is a {report.subject.kind}, not a function", hint=hint)
        return report, layers


def refused(examined: Sequence[Examined], gate: Severity) -> bool:
    """Tell whether a finding that is not ignored speaks against any of the plans."""
    findings = (found for each in examined for found in each.plan.findings)
    return any(each.weight.rank >= gate.rank for each in findings if each.ignored is None)
