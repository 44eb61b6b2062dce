"""Renders a build as the JSON object of strings that Terraform's `external` data source takes."""

import json

from lambdapack.rules.model.report import Report

TERRAFORM_SCHEMA = "lambdapack/terraform-external/1"


def render_terraform(report: Report, handler: str) -> str:
    """Return what `data "external"` takes. `source_code_hash` is what Terraform's filebase64sha256 says of the zip."""
    subject, target = report.subject, report.runtime.target
    said = {
        "schema": TERRAFORM_SCHEMA,
        "filename": subject.archive,
        "source_code_hash": subject.code_digest,
        "content_digest": subject.content_digest,
        "runtime": target.runtime,
        "architecture": target.architecture.aws,
        "handler": handler,
        "zip_bytes": subject.zip_bytes,
        "unzipped_bytes": subject.unzipped_bytes,
        "verdict": report.verdict.value,
    }
    return json.dumps({name: str(value) for name, value in said.items()}, indent=2) + "\n"
