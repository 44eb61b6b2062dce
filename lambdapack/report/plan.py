"""Renders deployment plans, deployments and rollbacks as text."""

from typing import NamedTuple, assert_never

from lambdapack.deploy.alias import Rollback
from lambdapack.deploy.apply import Deployment
from lambdapack.deploy.nouns import LATEST, Alias
from lambdapack.deploy.plan import (
    AwaitProvisioned,
    CreateFunction,
    DeleteVersions,
    InvokeVersion,
    PinAlias,
    Plan,
    PointAlias,
    PublishVersion,
    SettingChange,
    Step,
    TagFunction,
    UpdateCode,
    UpdateSettings,
    Upload,
    creation_changes,
)
from lambdapack.report.text import escape_controls, format_size, wrap_paragraph

DEPLOY_STEP_NAMES = (
    "upload", "create", "pin", "update-code", "configure", "tag", "publish", "smoke", "point", "provisioned",
    "delete-versions",
)  # fmt: skip
"""The names of steps, in their order."""


class StepRow(NamedTuple):
    """A step in words."""

    name: str  # one of DEPLOY_STEP_NAMES
    before: str | None  # the code digest or version there is now, None when there is none
    after: str | None  # what there will be, None when it is not known before
    sentence: str
    changes: tuple[SettingChange, ...] = ()


def render_plan(plan: Plan, *, refused: bool = False) -> str:
    """Return a plan as a heading and one line a step."""
    name = plan.desired.function
    if not plan.steps:
        return f"{name}: nothing to do, {_render_serving(plan)}\n"
    verdict = "refused; it would" if refused else "plan:"
    lines = [f"{name} ({plan.target}), {verdict}"]
    rows = [describe_step(step, plan) for step in plan.steps]
    lines += [wrap_paragraph(f"  {row.name:<12}", escape_controls(row.sentence)) for row in rows]
    return "\n".join(lines) + "\n"


def render_deployment(deployment: Deployment) -> str:
    """Return in one line what a deployment changed."""
    name, version = deployment.plan.desired.function, deployment.version.version
    point = next((step for step in deployment.plan.steps if isinstance(step, PointAlias)), None)
    if not deployment.plan.steps:
        return f"{name}: nothing to do, {_render_serving(deployment.plan)}\n"
    if not any(isinstance(step, PublishVersion) for step in deployment.plan.steps):
        changed = " and ".join(_CHANGED_WORDS[type(step)] for step in deployment.plan.steps)
        return f"{name}: {changed}; {_render_serving(deployment.plan)}\n"
    if point is None or deployment.alias is None:
        return f"{name}: version {version} is published\n"
    if deployment.alias.weights:
        alias = deployment.alias
        return f"{name}: {point.name} is at {alias.version}, and {_render_weights(alias)} goes to {version}\n"
    before = f"{point.previous.version} -> " if point.previous else ""
    return f"{name}: {point.name} {before}{version}\n"


_CHANGED_WORDS = {TagFunction: "tags were set", DeleteVersions: "old versions were deleted"}


def render_rollback(rollback: Rollback) -> str:
    """Return in one line what a rollback does."""
    name, alias, version = rollback.function, rollback.alias, rollback.version.version
    if not rollback.is_needed:
        again = (
            f" ({rollback.reason}); a further step back needs `--to VERSION`" if "already" in rollback.reason else ""
        )
        return f"{name}: nothing to do, {alias.name} is at version {version}{again}\n"
    weights = f" ({_render_weights(alias)} at {alias.weights[0][0]})" if alias.weights else ""
    return f"{name}: {alias.name} {alias.version}{weights} -> {version} ({rollback.reason})\n"


def _render_serving(plan: Plan) -> str:
    version = plan.live_version.version if plan.live_version else "?"
    alias = plan.observed.alias
    if alias and alias.weights:
        return f"{_render_weights(alias)} of {alias.name} goes to version {version}, which has this code"
    who = f"{plan.desired.alias} is at" if plan.desired.alias else "this is"
    return f"{who} version {version}, which has this code"


def _render_weights(alias: Alias) -> str:
    return ", ".join(f"{weight:.0%}" if weight >= 0.01 else f"{weight:.1%}" for _version, weight in alias.weights)


def describe_step(step: Step, plan: Plan) -> StepRow:
    """Return what a step does, in words."""
    match step:
        case Upload() | CreateFunction() | UpdateCode() | UpdateSettings() | TagFunction():
            return _describe_change(step, plan)
        case PinAlias(alias):
            sentence = f"publish what {LATEST} has now and point {alias} at it, which serves {LATEST} until then"
            return StepRow("pin", LATEST, None, sentence)
        case PublishVersion():
            return StepRow("publish", None, None, f"{LATEST} as a version, and wait until it is ready")
        case InvokeVersion(smoke):
            wanted = f", which has to answer with the status {smoke.status}" if smoke.status is not None else ""
            return StepRow("smoke", None, None, f"send {smoke.name} to the new version{wanted}")
        case PointAlias():
            return _describe_point(step)
        case AwaitProvisioned(alias, concurrency):
            sentence = f"wait until the provisioned concurrency {concurrency} of {alias} is ready on the new version"
            return StepRow("provisioned", None, None, sentence)
        case DeleteVersions(versions):
            return StepRow("delete-versions", None, None, f"delete the unused versions {', '.join(versions)}")
        case _:
            assert_never(step)


def _describe_change(step: Upload | CreateFunction | UpdateCode | UpdateSettings | TagFunction, plan: Plan) -> StepRow:
    """Return what a step changes of the function itself."""
    package = plan.desired.package
    match step:
        case Upload(stored):
            place = f"s3://{stored.bucket}/{stored.key}"
            return StepRow("upload", None, place, f"{format_size(stored.size)} to {place}")
        case CreateFunction(settings):
            changes = creation_changes(settings, plan.desired.tags)
            sentence = "the function: " + ", ".join(f"{change.name} {change.after}" for change in changes)
            return StepRow("create", None, package.code_digest, sentence, changes)
        case UpdateCode(before, architecture):
            switch = f", {architecture} -> {plan.target.architecture}" if architecture else ""
            sentence = f"{format_size(package.zip_bytes)} to {LATEST}{switch}"
            return StepRow("update-code", before, package.code_digest, sentence)
        case UpdateSettings(_, changes) | TagFunction(_, changes):
            sentence = ", ".join(f"{change.name} {change.before} -> {change.after}" for change in changes)
            return StepRow("configure" if isinstance(step, UpdateSettings) else "tag", None, None, sentence, changes)
        case _:
            assert_never(step)


def _describe_point(step: PointAlias) -> StepRow:
    before = step.previous.version if step.previous else None
    if step.canary and before:
        sentence = f"{step.name} stays at {before}, {step.canary:.0%} to the new version"
        return StepRow("point", before, before, sentence)
    start = f" from {before}" if before else ""
    return StepRow("point", before, None, f"{step.name}{start} to the new version")
