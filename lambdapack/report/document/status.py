"""What is live, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.deploy.status import AliasStatus, FunctionStatus
from lambdapack.report.document.report import ARCHITECTURE_NAMES
from lambdapack.report.text import format_json
from lambdapack.schema import describe, number, text, word


class AliasStatusDocument(TypedDict):
    """One alias."""

    alias: Annotated[str, text("Name of the alias.")]
    version: Annotated[str, text("Version that it points at.")]
    arn: Annotated[str | None, text("ARN of the version; null when it does not exist.")]
    code_digest: Annotated[str | None, text("CodeSha256 of the version; null when it does not exist.")]
    since: Annotated[str | None, text("UTC time at which lambdapack made it live; null when something else did.")]
    by: Annotated[str | None, text("Who made it live; null when not known.")]
    commit: Annotated[str | None, text("Commit of the version; null when its description names none.")]
    weights: Annotated[
        dict[str, Annotated[float, number("Share from 0 to 1.", maximum=1)]],
        describe("Further versions of the alias with their share of the traffic."),
    ]
    failed: Annotated[list[Annotated[str, text("Version number.")]], describe("Versions that failed their test.")]
    drift: Annotated[bool | None, describe("Whether its code differs from the zip here; null without a zip.")]


class FunctionStatusDocument(TypedDict):
    """One function."""

    function: Annotated[str, text("Name or ARN of the function, as given.")]
    runtime: Annotated[str, text("AWS's identifier; empty for an image.", empty=True)]
    arch: Annotated[str, word("The instruction set.", ARCHITECTURE_NAMES)]
    latest_code_digest: Annotated[str, text("CodeSha256 of $LATEST.", empty=True)]
    latest_drift: Annotated[bool | None, describe("Whether $LATEST differs from the zip here; null without a zip.")]
    owners: Annotated[list[Annotated[str, text("Tool.")]], describe("Tools that manage the function.")]
    aliases: Annotated[list[AliasStatusDocument], describe("Aliases, all or the named one.")]


class StatusDocument(TypedDict):
    """What is live."""

    schema: Literal["lambdapack/status/1"]
    version: Annotated[str, text("The version of lambdapack.")]
    region: Annotated[str, text("The AWS region.")]
    functions: Annotated[list[FunctionStatusDocument], describe("Functions, in the order of the command line.")]


def render_statuses_json(statuses: Sequence[FunctionStatus], region: str) -> str:
    """Return what is live as one JSON object with a line end."""
    document: StatusDocument = {
        "schema": "lambdapack/status/1",
        "version": __version__,
        "region": region,
        "functions": [_make_function(status) for status in statuses],
    }
    return format_json(document)


def _make_function(status: FunctionStatus) -> FunctionStatusDocument:
    return {
        "function": status.name,
        "runtime": status.latest.runtime,
        "arch": status.latest.architecture.aws,
        "latest_code_digest": status.latest.code_digest,
        "latest_drift": status.latest_drift,
        "owners": [owner.tool for owner in status.owners],
        "aliases": [_make_alias(row, status.code_digest) for row in status.aliases],
    }


def _make_alias(row: AliasStatus, code_digest: str) -> AliasStatusDocument:
    return {
        "alias": row.alias.name,
        "version": row.alias.version,
        "arn": row.version.version_arn if row.version else None,
        "code_digest": row.version.code_digest if row.version else None,
        "since": row.since or None,
        "by": row.moved_by or None,
        "commit": row.commit or None,
        "weights": dict(row.alias.weights),
        "failed": list(row.memory.failed),
        "drift": row.drift(code_digest),
    }
