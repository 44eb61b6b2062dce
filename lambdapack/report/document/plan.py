"""Deployment plans, deployments and rollbacks as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.deploy.alias import Rollback
from lambdapack.deploy.apply import Deployment
from lambdapack.deploy.nouns import DeploymentPackage
from lambdapack.deploy.plan import Plan, PointAlias
from lambdapack.report.document.report import ARCHITECTURE_NAMES, FindingDocument, make_finding_document
from lambdapack.report.plan import DEPLOY_STEP_NAMES, StepRow, describe_step
from lambdapack.report.text import format_json
from lambdapack.schema import CODE_DIGEST_PATTERN, describe, number, text, word


class ArchiveDocument(TypedDict):
    """What is deployed."""

    path: Annotated[str, text("Path of the zip, as given.")]
    code_digest: Annotated[str, text("CodeSha256 of the zip.", pattern=CODE_DIGEST_PATTERN)]
    zip_bytes: Annotated[int, number("Size of the zip in bytes.")]


class PlanTargetDocument(TypedDict):
    """Runtime and architecture that the package was verified for."""

    runtime: Annotated[str, text("AWS's identifier.")]
    arch: Annotated[str, word("The instruction set.", ARCHITECTURE_NAMES)]


class SettingChangeDocument(TypedDict):
    """One setting that changes."""

    name: Annotated[str, text("Name of the setting or tag.")]
    before: Annotated[str, text("Present value; of variables the names only.", empty=True)]
    after: Annotated[str, text("New value; of variables the names with +, ~ or -.", empty=True)]


class PlanStepDocument(TypedDict):
    """One step."""

    step: Annotated[str, word("Name of the step.", DEPLOY_STEP_NAMES)]
    before: Annotated[str | None, text("Present code digest or version; null for none.", empty=True)]
    after: Annotated[str | None, text("New code digest or version; null when not known yet.")]
    text: Annotated[str, text("Description of the step.")]
    changes: Annotated[list[SettingChangeDocument], describe("Settings that the step changes.")]


class FunctionPlanDocument(TypedDict):
    """One function."""

    function: Annotated[str, text("Name or ARN of the function, as given.")]
    exists: Annotated[bool, describe("False: the function will be created.")]
    alias: Annotated[str | None, text("Alias to point to the new version; null for none.")]
    target: PlanTargetDocument
    serving: Annotated[str | None, text("ARN of the version that already has this code; null when steps are needed.")]
    steps: Annotated[list[PlanStepDocument], describe("Steps in order; empty when nothing is to do.")]
    findings: Annotated[
        list[FindingDocument], describe("Findings of the package and of the deploy guards, most severe first.")
    ]


class PlanDocument(TypedDict):
    """What a deployment would change."""

    schema: Literal["lambdapack/plan/1"]
    version: Annotated[str, text("The version of lambdapack.")]
    region: Annotated[str, text("The AWS region.")]
    refused: Annotated[bool, describe("Whether a finding blocks it, so that nothing is done.")]
    archive: ArchiveDocument
    functions: Annotated[list[FunctionPlanDocument], describe("Functions, in the order of the command line.")]


class DeployedFunctionDocument(TypedDict):
    """One function."""

    function: Annotated[str, text("Name or ARN of the function, as given.")]
    arn: Annotated[str, text("ARN of the deployed version.")]
    version: Annotated[str, text("Version number.", pattern=r"^\d+$")]
    alias: Annotated[str | None, text("Alias; null for none.")]
    before: Annotated[str | None, text("Previous version of the alias; null when the alias did not move or is new.")]
    weights: Annotated[
        dict[str, Annotated[float, number("Share from 0 to 1.", maximum=1)]],
        describe("Further versions of the alias with their share of the traffic."),
    ]
    changed: Annotated[bool, describe("False: nothing had to change.")]


class DeploymentDocument(TypedDict):
    """Result of a deployment."""

    schema: Literal["lambdapack/deployment/1"]
    version: Annotated[str, text("The version of lambdapack.")]
    functions: Annotated[list[DeployedFunctionDocument], describe("Functions, in the order of the command line.")]


def render_plans_json(plans: Sequence[Plan], region: str, *, refused: bool) -> str:
    """Return plans as one JSON object with a line end."""
    document: PlanDocument = {
        "schema": "lambdapack/plan/1",
        "version": __version__,
        "region": region,
        "refused": refused,
        "archive": make_archive_document(plans[0].desired.package),
        "functions": [_make_plan_document(plan) for plan in plans],
    }
    return format_json(document)


def make_archive_document(package: DeploymentPackage) -> ArchiveDocument:
    """Return a zip that is sent as JSON-able values."""
    return {"path": str(package.path), "code_digest": package.code_digest, "zip_bytes": package.zip_bytes}


def _make_plan_document(plan: Plan) -> FunctionPlanDocument:
    return {
        "function": plan.desired.function,
        "exists": plan.observed.latest is not None,
        "alias": plan.desired.alias or None,
        "target": {"runtime": plan.target.runtime, "arch": plan.target.architecture.aws},
        "serving": plan.live_version.version_arn if plan.live_version else None,
        "steps": [_make_step_document(describe_step(step, plan)) for step in plan.steps],
        "findings": [make_finding_document(finding) for finding in plan.findings],
    }


def _make_step_document(row: StepRow) -> PlanStepDocument:
    return {
        "step": row.name,
        "before": row.before,
        "after": row.after,
        "text": row.sentence,
        "changes": [{"name": change.name, "before": change.before, "after": change.after} for change in row.changes],
    }


def render_deployments_json(deployments: Sequence[Deployment]) -> str:
    """Return what became of plans as one JSON object with a line end."""
    return _render_functions_json([_make_deployment_document(deployment) for deployment in deployments])


def _make_deployment_document(deployment: Deployment) -> DeployedFunctionDocument:
    point = next((step for step in deployment.plan.steps if isinstance(step, PointAlias)), None)
    return {
        "function": deployment.plan.desired.function,
        "arn": deployment.version.version_arn,
        "version": deployment.version.version,
        "alias": deployment.plan.desired.alias or None,
        "before": point.previous.version if point and point.previous else None,
        "weights": dict(deployment.alias.weights) if deployment.alias else {},
        "changed": bool(deployment.plan.steps),
    }


def render_rollbacks_json(rollbacks: Sequence[Rollback]) -> str:
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
            for rollback in rollbacks
        ]
    )


def _render_functions_json(functions: Sequence[DeployedFunctionDocument]) -> str:
    document: DeploymentDocument = {
        "schema": "lambdapack/deployment/1",
        "version": __version__,
        "functions": list(functions),
    }
    return format_json(document)
