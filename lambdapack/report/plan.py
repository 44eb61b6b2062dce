"""Renders deployment plans, deployments and rollbacks as text and JSON."""

import json
from collections.abc import Sequence
from typing import Any, assert_never

from lambdapack import __version__
from lambdapack.deploy.alias import Rollback
from lambdapack.deploy.apply import Deployment
from lambdapack.deploy.nouns import LATEST, Alias
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
)
from lambdapack.report.text import escape_controls, format_size, wrap_paragraph

PLAN_SCHEMA = "lambdapack/plan/1"
DEPLOYMENT_SCHEMA = "lambdapack/deployment/1"

DEPLOY_STEP_NAMES = ("upload", "create", "update-code", "configure", "publish", "smoke", "point")
"""The names of steps, in their order."""


def render_plan(plan: Plan, *, refused: bool = False) -> str:
    """Return a plan as a heading and one line a step."""
    name = plan.desired.function
    if not plan.steps:
        return f"{name}: nothing to do, {_render_serving(plan)}\n"
    verdict = "refused; it would" if refused else "plan:"
    lines = [f"{name} ({plan.target}), {verdict}"]
    lines += [
        wrap_paragraph(
            f"  {_step_document(step, plan)['step']:<12}", escape_controls(_step_document(step, plan)["text"])
        )
        for step in plan.steps
    ]
    return "\n".join(lines) + "\n"


def render_deployment(done: Deployment) -> str:
    """Return in one line what a deployment changed."""
    name, version = done.plan.desired.function, done.version.version
    point = next((step for step in done.plan.steps if isinstance(step, PointAlias)), None)
    if not done.plan.steps:
        return f"{name}: nothing to do, {_render_serving(done.plan)}\n"
    if point is None or done.alias is None:
        return f"{name}: version {version} is published\n"
    if done.alias.weights:
        return f"{name}: {point.name} is at {done.alias.version}, and {_render_weights(done.alias)} goes to {version}\n"
    before = f"{point.previous.version} -> " if point.previous else ""
    return f"{name}: {point.name} {before}{version}\n"


def render_rollback(found: Rollback) -> str:
    """Return in one line what a rollback does."""
    name, alias, version = found.function, found.alias, found.version.version
    if not found.is_needed:
        return f"{name}: nothing to do, {alias.name} is at version {version}\n"
    weights = f" ({_render_weights(alias)} at {alias.weights[0][0]})" if alias.weights else ""
    return f"{name}: {alias.name} {alias.version}{weights} -> {version} ({found.reason})\n"


def _render_serving(plan: Plan) -> str:
    version = plan.live_version.version if plan.live_version else "?"
    alias = plan.observed.alias
    if alias and alias.weights:
        return f"{_render_weights(alias)} of {alias.name} goes to version {version}, which has this code"
    who = f"{plan.desired.alias} is at" if plan.desired.alias else "this is"
    return f"{who} version {version}, which has this code"


def _render_weights(alias: Alias) -> str:
    return ", ".join(f"{weight:.0%}" if weight >= 0.01 else f"{weight:.1%}" for _version, weight in alias.weights)


def _step_document(step: Step, plan: Plan) -> dict[str, Any]:
    """Return a step: its name, what it changes from and to (null: nothing, or not known yet), and a sentence."""
    package = plan.desired.package
    match step:
        case Upload(stored):
            place = f"s3://{stored.bucket}/{stored.key}"
            return _make_step_document("upload", None, place, f"{format_size(stored.size)} to {place}")
        case CreateFunction(settings):
            text = f"the function, handler {settings.handler}, role {settings.role}"
            return _make_step_document("create", None, package.code_digest, text)
        case UpdateCode(before, architecture):
            switch = f", {architecture} -> {plan.target.architecture}" if architecture else ""
            return _make_step_document(
                "update-code", before, package.code_digest, f"{format_size(package.zip_bytes)} to {LATEST}{switch}"
            )
        case UpdateSettings(_settings, changes):
            text = ", ".join(
                f"{setting_change.name} {setting_change.before} -> {setting_change.after}" for setting_change in changes
            )
            return _make_step_document("configure", None, None, text)
        case PublishVersion():
            return _make_step_document("publish", None, None, f"{LATEST} as a version, and wait until it is ready")
        case InvokeVersion(smoke):
            wanted = f", which has to answer with the status {smoke.status}" if smoke.status is not None else ""
            return _make_step_document("smoke", None, None, f"send {smoke.name} to the new version{wanted}")
        case PointAlias():
            return _point_document(step)
        case _:
            assert_never(step)


def _point_document(step: PointAlias) -> dict[str, Any]:
    before = step.previous.version if step.previous else None
    if step.canary and before:
        return _make_step_document(
            "point", before, before, f"{step.name} stays at {before}, {step.canary:.0%} to the new version"
        )
    start = f" from {before}" if before else ""
    return _make_step_document("point", before, None, f"{step.name}{start} to the new version")


def _make_step_document(name: str, before: str | None, after: str | None, text: str) -> dict[str, Any]:
    return {"step": name, "before": before, "after": after, "text": text}


def render_plans_json(plans: Sequence[Plan], region: str, *, refused: bool) -> str:
    """Return plans as one JSON object with a line end."""
    package = plans[0].desired.package
    whole = {
        "schema": PLAN_SCHEMA,
        "version": __version__,
        "region": region,
        "refused": refused,
        "archive": {
            "path": str(package.path),
            "code_digest": package.code_digest,
            "zip_bytes": package.zip_bytes,
        },
        "functions": [_plan_document(plan) for plan in plans],
    }
    return json.dumps(whole, indent=2) + "\n"


def _plan_document(plan: Plan) -> dict[str, Any]:
    from lambdapack.report.json_v1 import finding_document  # noqa: PLC0415  # with the shapes of reports, which no plan needs

    return {
        "function": plan.desired.function,
        "exists": plan.observed.latest is not None,
        "alias": plan.desired.alias or None,
        "target": {"runtime": plan.target.runtime, "arch": plan.target.architecture.aws},
        "serving": plan.live_version.version_arn if plan.live_version else None,
        "steps": [_step_document(step, plan) for step in plan.steps],
        "findings": [finding_document(finding) for finding in plan.findings],
    }


def render_deployments_json(done: Sequence[Deployment]) -> str:
    """Return what became of plans as one JSON object with a line end."""
    return _render_functions_json([_deployment_document(deployment) for deployment in done])


def _deployment_document(done: Deployment) -> dict[str, Any]:
    point = next((step for step in done.plan.steps if isinstance(step, PointAlias)), None)
    return {
        "function": done.plan.desired.function,
        "arn": done.version.version_arn,
        "version": done.version.version,
        "alias": done.plan.desired.alias or None,
        "before": point.previous.version if point and point.previous else None,
        "weights": dict(done.alias.weights) if done.alias else {},
        "changed": bool(done.plan.steps),
    }


def render_rollbacks_json(found: Sequence[Rollback]) -> str:
    """Return rollbacks as the same kind of object."""
    return _render_functions_json(
        [
            {
                "function": rollback.function,
                "arn": rollback.version.version_arn,
                "version": rollback.version.version,
                "alias": rollback.alias.name,
                "before": rollback.alias.version,
                "weights": {},
                "changed": rollback.is_needed,
            }
            for rollback in found
        ]
    )


def _render_functions_json(functions: Sequence[dict[str, Any]]) -> str:
    whole = {"schema": DEPLOYMENT_SCHEMA, "version": __version__, "functions": list(functions)}
    return json.dumps(whole, indent=2) + "\n"
