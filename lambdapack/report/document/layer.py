"""Layer plans and published layers as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.deploy.layer import LayerPlan, PublishedLayer
from lambdapack.deploy.nouns import LayerVersion
from lambdapack.report.document.report import ARCHITECTURE_NAMES, FindingDocument, make_finding_document
from lambdapack.report.layer import LAYER_STEP_NAMES, layer_step_rows
from lambdapack.report.text import format_json
from lambdapack.schema import CODE_DIGEST_PATTERN, SHA256_PATTERN, describe, number, text, word


class LayerArchiveDocument(TypedDict):
    """What is published."""

    path: Annotated[str, text("The zip.")]
    code_digest: Annotated[str, text("CodeSha256 of the zip.", pattern=CODE_DIGEST_PATTERN)]
    zip_bytes: Annotated[int, number("Size of the zip in bytes.")]


class LayerStepDocument(TypedDict):
    """One step."""

    step: Annotated[str, word("Name of the step.", LAYER_STEP_NAMES)]
    text: Annotated[str, text("Description of the step.")]


class KeptVersionDocument(TypedDict):
    """One kept version."""

    version: Annotated[int, number("Version number.", minimum=1)]
    why: Annotated[str, text("Why it is kept: its user, or its resource policy.")]


class LayerDocument(TypedDict):
    """One layer."""

    name: Annotated[str, text("The layer's name.")]
    arn: Annotated[str | None, text("ARN of the version with this content; null when not published.")]
    changed: Annotated[bool, describe("False: nothing had to change.")]
    archive: LayerArchiveDocument
    content_digest: Annotated[
        str, text("Digest over names, modes and contents of the zip's entries.", pattern=SHA256_PATTERN)
    ]
    runtimes: Annotated[list[str], describe("Runtimes that the content works on.")]
    architectures: Annotated[
        list[Annotated[str, word("The instruction set.", ARCHITECTURE_NAMES)]],
        describe("Architectures that the content works on."),
    ]
    steps: Annotated[list[LayerStepDocument], describe("Steps in order; empty when nothing is to do.")]
    deleted: Annotated[
        list[Annotated[int, number("Version number.", minimum=1)]], describe("Old versions that were deleted.")
    ]
    spared: Annotated[list[KeptVersionDocument], describe("Old versions that --keep N keeps because they are in use.")]
    findings: Annotated[
        list[FindingDocument], describe("Findings of the package and of the deploy guards, most severe first.")
    ]


class LayersDocument(TypedDict):
    """Published or planned layers."""

    schema: Literal["lambdapack/layers/1"]
    version: Annotated[str, text("The version of lambdapack.")]
    region: Annotated[str, text("The AWS region.")]
    done: Annotated[bool, describe("False for a plan: nothing was changed.")]
    refused: Annotated[bool, describe("Whether a finding blocks it, so that nothing is done.")]
    layers: Annotated[list[LayerDocument], describe("Two layers with --arch all and native code, else one.")]


def render_layer_plans_json(plans: Sequence[LayerPlan], region: str, *, refused: bool) -> str:
    """Return plans that were not carried out as one JSON object with a line end."""
    layers = [_make_layer_document(plan, plan.observed.matching, []) for plan in plans]
    return _render_layers_json(layers, region, done=False, refused=refused)


def render_published_layers_json(published: Sequence[PublishedLayer], region: str) -> str:
    """Return what became of plans as the same kind of object."""
    layers = [_make_layer_document(layer.plan, layer.version, layer.deleted) for layer in published]
    return _render_layers_json(layers, region, done=True, refused=False)


def _render_layers_json(layers: list[LayerDocument], region: str, *, done: bool, refused: bool) -> str:
    document: LayersDocument = {
        "schema": "lambdapack/layers/1",
        "version": __version__,
        "region": region,
        "done": done,
        "refused": refused,
        "layers": layers,
    }
    return format_json(document)


def _make_layer_document(
    plan: LayerPlan, version: LayerVersion | None, deleted: Sequence[LayerVersion]
) -> LayerDocument:
    package = plan.desired.package
    return {
        "name": plan.desired.name,
        "arn": version.arn if version else None,
        "changed": bool(plan.steps),
        "archive": {"path": str(package.path), "code_digest": package.code_digest, "zip_bytes": package.zip_bytes},
        "content_digest": plan.desired.content_digest,
        "runtimes": list(plan.desired.runtimes),
        "architectures": [architecture.aws for architecture in plan.desired.architectures],
        "steps": [{"step": name, "text": sentence} for name, sentence in layer_step_rows(plan)],
        "deleted": [deleted_version.number for deleted_version in deleted],
        "spared": [{"version": kept.version.number, "why": kept.reason} for kept in plan.observed.kept],
        "findings": [make_finding_document(finding) for finding in plan.findings],
    }
