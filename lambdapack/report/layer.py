"""Plans of layers and what became of them, for people and for programs."""

import json
from collections.abc import Sequence
from typing import Any, assert_never

from lambdapack import __version__
from lambdapack.deploy.layer import Delete, LayerPlan, LayerStep, Permit, PublishLayer
from lambdapack.deploy.nouns import LayerVersion
from lambdapack.deploy.plan import Upload
from lambdapack.deploy.publish import PublishedLayer
from lambdapack.report.json_v1 import finding
from lambdapack.report.text import paragraph, printable, size

LAYERS = "lambdapack/layers/1"

WORDS = ("upload", "publish", "permit", "delete")
"""The names of steps, in their order."""


def human(plan: LayerPlan, *, refused: bool = False) -> str:
    """Return a plan as a heading, one line a step, and the old versions that stay."""
    name = plan.wanted.name
    if not plan.steps:
        return f"{name}: nothing to do, {_same(plan.seen.same)}\n{_spared(plan)}"
    heading = f"{name}: refused; it would" if refused else paragraph(f"{name}: ", f"plan, for {_fit(plan)}")
    lines = [heading, *(paragraph(f"  {word:<12}", text) for word, text in _rows(plan))]
    return "\n".join(lines) + "\n" + _spared(plan)


def outcome(done: PublishedLayer) -> str:
    """Return what was done to a layer."""
    plan, version = done.plan, done.version
    name = plan.wanted.name
    if version is None or version is plan.seen.same:
        said = [f"{'nothing to publish' if plan.steps else 'nothing to do'}, {_same(version)}"]
    else:
        said = [f"version {version.number} is published for {_fit(plan)}"]
    shared = [step.permission.whom for step in plan.steps if isinstance(step, Permit)]
    if shared:
        said.append(f"shared with {', '.join(shared)}")
    if done.deleted:
        said.append(f"{_numbers(done.deleted)} deleted")
    return "".join(paragraph(f"{name}: ", each) + "\n" for each in said) + _spared(plan)


def _rows(plan: LayerPlan) -> list[tuple[str, str]]:
    return [_row(each, plan) for each in plan.steps]


def _fit(plan: LayerPlan) -> str:
    cpus = " and ".join(each.aws for each in plan.wanted.architectures)
    return f"{', '.join(plan.wanted.runtimes)} on {cpus}"


def _same(version: LayerVersion | None) -> str:
    return f"version {version.number} has these bytes" if version else "there is no version"


def _spared(plan: LayerPlan) -> str:
    kept = [f"version {each.version.number} stays: {each.why}" for each in plan.seen.spared]
    return "".join(paragraph(f"{plan.wanted.name}: ", each) + "\n" for each in kept)


def _numbers(versions: Sequence[LayerVersion]) -> str:
    numbers = sorted(each.number for each in versions)
    noun = "version" if len(numbers) == 1 else "versions"
    return f"{noun} {', '.join(map(str, numbers))}"


def _row(step: LayerStep, plan: LayerPlan) -> tuple[str, str]:
    """Return a step's name and a sentence."""
    match step:
        case Upload(stored):
            return "upload", f"{size(stored.size)} to s3://{stored.bucket}/{stored.key}"
        case PublishLayer():
            latest = plan.seen.latest
            before = f", after version {latest.number}" if latest else ", its first version"
            return "publish", f"{size(plan.wanted.package.zip_bytes)} as {plan.wanted.name}{before}"
        case Permit(permission):
            return "permit", f"lambda:GetLayerVersion for {printable(permission.whom)}"
        case Delete(version):
            return "delete", f"version {version.number}, which no function uses"
        case _:
            assert_never(step)


def document(plans: Sequence[LayerPlan], region: str, *, refused: bool) -> str:
    """Return plans that were not carried out as one JSON object with a line end."""
    return _document([_layer(each, each.seen.same, []) for each in plans], region, done=False, refused=refused)


def published(done: Sequence[PublishedLayer], region: str) -> str:
    """Return what became of plans as the same kind of object."""
    return _document([_layer(each.plan, each.version, each.deleted) for each in done], region, done=True, refused=False)


def _document(layers: list[dict[str, Any]], region: str, *, done: bool, refused: bool) -> str:
    whole = {
        "schema": LAYERS,
        "version": __version__,
        "region": region,
        "done": done,
        "refused": refused,
        "layers": layers,
    }
    return json.dumps(whole, indent=2) + "\n"


def _layer(plan: LayerPlan, version: LayerVersion | None, deleted: Sequence[LayerVersion]) -> dict[str, Any]:
    package = plan.wanted.package
    return {
        "name": plan.wanted.name,
        "arn": version.arn if version else None,
        "changed": bool(plan.steps),
        "archive": {"path": str(package.path), "code_digest": package.code_digest, "zip_bytes": package.zip_bytes},
        "content_digest": plan.wanted.content_digest,
        "runtimes": list(plan.wanted.runtimes),
        "architectures": [each.aws for each in plan.wanted.architectures],
        "steps": [{"step": word, "text": text} for word, text in _rows(plan)],
        "deleted": [each.number for each in deleted],
        "spared": [{"version": each.version.number, "why": each.why} for each in plan.seen.spared],
        "findings": [finding(each) for each in plan.findings],
    }
