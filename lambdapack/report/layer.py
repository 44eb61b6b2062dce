"""Renders layer plans and published layers as text and JSON."""

import json
from collections.abc import Sequence
from typing import Any, assert_never

from lambdapack import __version__
from lambdapack.deploy.layer import (
    AddLayerPermission,
    DeleteLayerVersion,
    LayerPlan,
    LayerStep,
    PublishedLayer,
    PublishLayer,
)
from lambdapack.deploy.nouns import LayerVersion
from lambdapack.deploy.plan import Upload
from lambdapack.report.json_v1 import finding_document
from lambdapack.report.text import escape_controls, format_size, wrap_paragraph

LAYERS_SCHEMA = "lambdapack/layers/1"

LAYER_STEP_NAMES = ("upload", "publish", "permit", "delete")
"""The names of steps, in their order."""


def render_layer_plan(plan: LayerPlan, *, refused: bool = False) -> str:
    """Return a plan as a heading, one line a step, and the old versions that stay."""
    name = plan.desired.name
    if not plan.steps:
        return f"{name}: nothing to do, {_render_same_version(plan.observed.matching)}\n{_render_spared(plan)}"
    heading = f"{name}: refused; it would" if refused else wrap_paragraph(f"{name}: ", f"plan, for {_render_fit(plan)}")
    lines = [heading, *(wrap_paragraph(f"  {word:<12}", text) for word, text in _step_rows(plan))]
    return "\n".join(lines) + "\n" + _render_spared(plan)


def render_layer_outcome(done: PublishedLayer) -> str:
    """Return what was done to a layer."""
    plan, version = done.plan, done.version
    name = plan.desired.name
    if version is None or version is plan.observed.matching:
        said = [f"{'nothing to publish' if plan.steps else 'nothing to do'}, {_render_same_version(version)}"]
    else:
        said = [f"version {version.number} is published for {_render_fit(plan)}"]
    shared = [step.permission.grantee for step in plan.steps if isinstance(step, AddLayerPermission)]
    if shared:
        said.append(f"shared with {', '.join(shared)}")
    if done.deleted:
        said.append(f"{_render_numbers(done.deleted)} deleted")
    return "".join(wrap_paragraph(f"{name}: ", each) + "\n" for each in said) + _render_spared(plan)


def _step_rows(plan: LayerPlan) -> list[tuple[str, str]]:
    return [_step_row(step, plan) for step in plan.steps]


def _render_fit(plan: LayerPlan) -> str:
    cpus = " and ".join(architecture.aws for architecture in plan.desired.architectures)
    return f"{', '.join(plan.desired.runtimes)} on {cpus}"


def _render_same_version(version: LayerVersion | None) -> str:
    return f"version {version.number} has these bytes" if version else "there is no version"


def _render_spared(plan: LayerPlan) -> str:
    kept = [
        f"version {kept_version.version.number} stays: {kept_version.reason}" for kept_version in plan.observed.kept
    ]
    return "".join(wrap_paragraph(f"{plan.desired.name}: ", each) + "\n" for each in kept)


def _render_numbers(versions: Sequence[LayerVersion]) -> str:
    numbers = sorted(layer_version.number for layer_version in versions)
    noun = "version" if len(numbers) == 1 else "versions"
    return f"{noun} {', '.join(map(str, numbers))}"


def _step_row(step: LayerStep, plan: LayerPlan) -> tuple[str, str]:
    """Return a step's name and a sentence."""
    match step:
        case Upload(stored):
            return "upload", f"{format_size(stored.size)} to s3://{stored.bucket}/{stored.key}"
        case PublishLayer():
            latest = plan.observed.latest
            before = f", after version {latest.number}" if latest else ", its first version"
            return "publish", f"{format_size(plan.desired.package.zip_bytes)} as {plan.desired.name}{before}"
        case AddLayerPermission(permission):
            return "permit", f"lambda:GetLayerVersion for {escape_controls(permission.grantee)}"
        case DeleteLayerVersion(version):
            return "delete", f"version {version.number}, which no function uses"
        case _:
            assert_never(step)


def render_layer_plans_json(plans: Sequence[LayerPlan], region: str, *, refused: bool) -> str:
    """Return plans that were not carried out as one JSON object with a line end."""
    return _render_document(
        [_layer_document(layer_plan, layer_plan.observed.matching, []) for layer_plan in plans],
        region,
        done=False,
        refused=refused,
    )


def render_published_layers_json(done: Sequence[PublishedLayer], region: str) -> str:
    """Return what became of plans as the same kind of object."""
    return _render_document(
        [
            _layer_document(published_layer.plan, published_layer.version, published_layer.deleted)
            for published_layer in done
        ],
        region,
        done=True,
        refused=False,
    )


def _render_document(layers: list[dict[str, Any]], region: str, *, done: bool, refused: bool) -> str:
    whole = {
        "schema": LAYERS_SCHEMA,
        "version": __version__,
        "region": region,
        "done": done,
        "refused": refused,
        "layers": layers,
    }
    return json.dumps(whole, indent=2) + "\n"


def _layer_document(plan: LayerPlan, version: LayerVersion | None, deleted: Sequence[LayerVersion]) -> dict[str, Any]:
    package = plan.desired.package
    return {
        "name": plan.desired.name,
        "arn": version.arn if version else None,
        "changed": bool(plan.steps),
        "archive": {"path": str(package.path), "code_digest": package.code_digest, "zip_bytes": package.zip_bytes},
        "content_digest": plan.desired.content_digest,
        "runtimes": list(plan.desired.runtimes),
        "architectures": [architecture.aws for architecture in plan.desired.architectures],
        "steps": [{"step": word, "text": text} for word, text in _step_rows(plan)],
        "deleted": [layer_version.number for layer_version in deleted],
        "spared": [
            {"version": kept_version.version.number, "why": kept_version.reason} for kept_version in plan.observed.kept
        ],
        "findings": [finding_document(finding) for finding in plan.findings],
    }
