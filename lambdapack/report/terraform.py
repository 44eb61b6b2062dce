"""A build for Terraform's `external` data source, whose answer is one object of strings."""

import json

from lambdapack.rules.verdict import Report

SCHEMA = "lambdapack/terraform-external/1"


def render(report: Report, handler: str) -> str:
    """Return what `data "external"` takes. `source_code_hash` is what Terraform's filebase64sha256 says of the zip."""
    subject, target = report.subject, report.runtime.target
    said = {
        "schema": SCHEMA,
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
