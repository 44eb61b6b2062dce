"""Renders layer plans and published layers as text."""

from collections.abc import Sequence
from typing import assert_never

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
from lambdapack.report.text import escape_controls, format_size, wrap_paragraph

LAYER_STEP_NAMES = ("upload", "publish", "permit", "delete")
"""The names of steps, in their order."""


def render_layer_plan(plan: LayerPlan, *, refused: bool = False) -> str:
    """Return a plan as a heading, one line a step, and the old versions that stay."""
    name = plan.desired.name
    if not plan.steps:
        return f"{name}: nothing to do, {_render_same_version(plan.observed.matching)}\n{_render_spared(plan)}"
    heading = f"{name}: refused; it would" if refused else wrap_paragraph(f"{name}: ", f"plan, for {_render_fit(plan)}")
    lines = [heading, *(wrap_paragraph(f"  {word:<12}", text) for word, text in layer_step_rows(plan))]
    return "\n".join(lines) + "\n" + _render_spared(plan)


def render_layer_outcome(published: PublishedLayer) -> str:
    """Return what was done to a layer."""
    plan, version = published.plan, published.version
    name = plan.desired.name
    if version is None or version is plan.observed.matching:
        lines = [f"{'nothing to publish' if plan.steps else 'nothing to do'}, {_render_same_version(version)}"]
    else:
        lines = [f"version {version.number} is published for {_render_fit(plan)}"]
    shared = [step.permission.grantee for step in plan.steps if isinstance(step, AddLayerPermission)]
    if shared:
        lines.append(f"shared with {', '.join(shared)}")
    if published.deleted:
        lines.append(f"{_render_numbers(published.deleted)} deleted")
    return "".join(wrap_paragraph(f"{name}: ", line) + "\n" for line in lines) + _render_spared(plan)


def layer_step_rows(plan: LayerPlan) -> list[tuple[str, str]]:
    """Return each step's name and a sentence."""
    return [_step_row(step, plan) for step in plan.steps]


def _render_fit(plan: LayerPlan) -> str:
    cpus = " and ".join(architecture.aws for architecture in plan.desired.architectures)
    return f"{', '.join(plan.desired.runtimes)} on {cpus}"


def _render_same_version(version: LayerVersion | None) -> str:
    return f"version {version.number} has these bytes" if version else "there is no version"


def _render_spared(plan: LayerPlan) -> str:
    lines = [f"version {kept.version.number} stays: {kept.reason}" for kept in plan.observed.kept]
    return "".join(wrap_paragraph(f"{plan.desired.name}: ", line) + "\n" for line in lines)


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
