"""Renders a build as the JSON object of strings that Terraform's `external` data source takes."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from lambdapack.model import Architecture
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import format_json
from lambdapack.rules.model.report import Report, Verdict
from lambdapack.schema import CODE_DIGEST_PATTERN, SHA256_PATTERN, text, word

DIGITS_PATTERN = r"^\d+$"


class TerraformDocument(TypedDict):
    """A built package."""

    schema: Literal["lambdapack/terraform-external/1"]
    filename: Annotated[str, text("The zip.")]
    source_code_hash: Annotated[str, text("Base64 SHA-256 of the zip.", pattern=CODE_DIGEST_PATTERN)]
    content_digest: Annotated[
        str, text("Digest over names, modes and contents of the zip's entries.", pattern=SHA256_PATTERN)
    ]
    runtime: Annotated[str, text("The Lambda runtime, such as nodejs22.x.")]
    architecture: Annotated[
        str, word("The instruction set, under AWS's name.", [architecture.aws for architecture in Architecture])
    ]
    handler: Annotated[str, text("FILE.EXPORT of the function.")]
    zip_bytes: Annotated[str, text("Size of the zip in bytes.", pattern=DIGITS_PATTERN)]
    unzipped_bytes: Annotated[str, text("Unpacked size in bytes.", pattern=DIGITS_PATTERN)]
    verdict: Annotated[str, word("Verdict of the verification.", Verdict)]


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return what `data "external"` takes; `source_code_hash` is what Terraform's filebase64sha256 says of the zip."""
    (report,) = reports
    subject, target = report.subject, report.runtime.target
    document: TerraformDocument = {
        "schema": "lambdapack/terraform-external/1",
        "filename": str(subject.archive),
        "source_code_hash": str(subject.code_digest),
        "content_digest": str(subject.content_digest),
        "runtime": target.runtime,
        "architecture": target.architecture.aws,
        "handler": context.handler,
        "zip_bytes": str(subject.zip_bytes),
        "unzipped_bytes": str(subject.unzipped_bytes),
        "verdict": report.verdict.value,
    }
    return format_json(document)
