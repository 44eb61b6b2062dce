"""Plans and deployments, for people and for programs."""

import json
from collections.abc import Sequence
from typing import Any, assert_never

from lambdapack import __version__
from lambdapack.deploy.apply import Deployment
from lambdapack.deploy.nouns import LATEST, Alias
from lambdapack.deploy.plan import (
    Create,
    Invoke,
    Plan,
    Point,
    Publish,
    Step,
    UpdateCode,
    UpdateSettings,
    Upload,
)
from lambdapack.deploy.rollback import Rollback
from lambdapack.report.text import paragraph, printable, size

PLAN = "lambdapack/plan/1"
DEPLOYMENT = "lambdapack/deployment/1"

WORDS = ("upload", "create", "update-code", "configure", "publish", "smoke", "point")
"""The names of steps, in their order."""


def human(plan: Plan, *, refused: bool = False) -> str:
    """Return a plan as a heading and one line a step."""
    name = plan.wanted.function
    if not plan.steps:
        return f"{name}: nothing to do, {_serving(plan)}\n"
    verdict = "refused; it would" if refused else "plan:"
    lines = [f"{name} ({plan.target}), {verdict}"]
    lines += [
        paragraph(f"  {_row(each, plan)['step']:<12}", printable(_row(each, plan)["text"])) for each in plan.steps
    ]
    return "\n".join(lines) + "\n"


def outcome(done: Deployment) -> str:
    """Return in one line what a deployment changed."""
    name, version = done.plan.wanted.function, done.version.version
    point = next((each for each in done.plan.steps if isinstance(each, Point)), None)
    if not done.plan.steps:
        return f"{name}: nothing to do, {_serving(done.plan)}\n"
    if point is None or done.alias is None:
        return f"{name}: version {version} is published\n"
    if done.alias.weights:
        return f"{name}: {point.name} is at {done.alias.version}, and {_weights(done.alias)} goes to {version}\n"
    before = f"{point.before.version} -> " if point.before else ""
    return f"{name}: {point.name} {before}{version}\n"


def rollback(found: Rollback) -> str:
    """Return in one line what a rollback does."""
    name, alias, version = found.function, found.alias, found.version.version
    if not found.needed:
        return f"{name}: nothing to do, {alias.name} is at version {version}\n"
    weights = f" ({_weights(alias)} at {alias.weights[0][0]})" if alias.weights else ""
    return f"{name}: {alias.name} {alias.version}{weights} -> {version} ({found.why})\n"


def _serving(plan: Plan) -> str:
    version = plan.serving.version if plan.serving else "?"
    alias = plan.observed.alias
    if alias and alias.weights:
        return f"{_weights(alias)} of {alias.name} goes to version {version}, which has this code"
    who = f"{plan.wanted.alias} is at" if plan.wanted.alias else "this is"
    return f"{who} version {version}, which has this code"


def _weights(alias: Alias) -> str:
    return ", ".join(f"{weight:.0%}" if weight >= 0.01 else f"{weight:.1%}" for _version, weight in alias.weights)


def _row(step: Step, plan: Plan) -> dict[str, Any]:
    """Return a step: its name, what it changes from and to (null: nothing, or not known yet), and a sentence."""
    package = plan.wanted.package
    match step:
        case Upload(stored):
            place = f"s3://{stored.bucket}/{stored.key}"
            return _step("upload", None, place, f"{size(stored.size)} to {place}")
        case Create(settings):
            text = f"the function, handler {settings.handler}, role {settings.role}"
            return _step("create", None, package.code_digest, text)
        case UpdateCode(before, architecture):
            switch = f", {architecture} -> {plan.target.architecture}" if architecture else ""
            return _step("update-code", before, package.code_digest, f"{size(package.zip_bytes)} to {LATEST}{switch}")
        case UpdateSettings(_settings, changes):
            text = ", ".join(f"{each.name} {each.before} -> {each.after}" for each in changes)
            return _step("configure", None, None, text)
        case Publish():
            return _step("publish", None, None, f"{LATEST} as a version, and wait until it is ready")
        case Invoke(smoke):
            wanted = f", which has to answer with the status {smoke.status}" if smoke.status is not None else ""
            return _step("smoke", None, None, f"send {smoke.name} to the new version{wanted}")
        case Point():
            return _pointing(step)
        case _:
            assert_never(step)


def _pointing(step: Point) -> dict[str, Any]:
    before = step.before.version if step.before else None
    if step.canary and before:
        return _step("point", before, before, f"{step.name} stays at {before}, {step.canary:.0%} to the new version")
    start = f" from {before}" if before else ""
    return _step("point", before, None, f"{step.name}{start} to the new version")


def _step(name: str, before: str | None, after: str | None, text: str) -> dict[str, Any]:
    return {"step": name, "before": before, "after": after, "text": text}


def document(plans: Sequence[Plan], region: str, *, refused: bool) -> str:
    """Return plans as one JSON object with a line end."""
    package = plans[0].wanted.package
    whole = {
        "schema": PLAN,
        "version": __version__,
        "region": region,
        "refused": refused,
        "archive": {
            "path": str(package.path),
            "code_digest": package.code_digest,
            "zip_bytes": package.zip_bytes,
        },
        "functions": [_plan(each) for each in plans],
    }
    return json.dumps(whole, indent=2) + "\n"


def _plan(plan: Plan) -> dict[str, Any]:
    from lambdapack.report.json_v1 import finding  # noqa: PLC0415  # with the shapes of reports, which no plan needs

    return {
        "function": plan.wanted.function,
        "exists": plan.observed.latest is not None,
        "alias": plan.wanted.alias or None,
        "target": {"runtime": plan.target.runtime, "arch": plan.target.architecture.aws},
        "serving": plan.serving.version_arn if plan.serving else None,
        "steps": [_row(each, plan) for each in plan.steps],
        "findings": [finding(each) for each in plan.findings],
    }


def deployments(done: Sequence[Deployment]) -> str:
    """Return what became of plans as one JSON object with a line end."""
    return _deployments([_deployment(each) for each in done])


def _deployment(done: Deployment) -> dict[str, Any]:
    point = next((each for each in done.plan.steps if isinstance(each, Point)), None)
    return {
        "function": done.plan.wanted.function,
        "arn": done.version.version_arn,
        "version": done.version.version,
        "alias": done.plan.wanted.alias or None,
        "before": point.before.version if point and point.before else None,
        "weights": dict(done.alias.weights) if done.alias else {},
        "changed": bool(done.plan.steps),
    }


def rollbacks(found: Sequence[Rollback]) -> str:
    """Return rollbacks as the same kind of object."""
    return _deployments(
        [
            {
                "function": each.function,
                "arn": each.version.version_arn,
                "version": each.version.version,
                "alias": each.alias.name,
                "before": each.alias.version,
                "weights": {},
                "changed": each.needed,
            }
            for each in found
        ]
    )


def _deployments(functions: Sequence[dict[str, Any]]) -> str:
    whole = {"schema": DEPLOYMENT, "version": __version__, "functions": list(functions)}
    return json.dumps(whole, indent=2) + "\n"
