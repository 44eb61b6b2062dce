"""A report for programs. Its own shapes, so that the internal types stay free to change.

What they are is published: lambdapack/schema/report.py, `lambdapack schema report`.
"""

import json
from typing import Any, TypedDict

from lambdapack import __version__
from lambdapack.binary.facts import RegistrationKind
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Finding
from lambdapack.rules.model.report import Judgement, Report

REPORT_SCHEMA = "lambdapack/report/1"
FAILURE_SCHEMA = "lambdapack/failure/1"

REGISTRATION_KIND_NAMES = {registration_kind: registration_kind.value for registration_kind in RegistrationKind} | {
    RegistrationKind.BOTH: RegistrationKind.NODE_API.value
}
"""The schema's word for each: of an addon with both entries node takes Node-API's."""

REGISTRATION_NAMES = tuple(dict.fromkeys(REGISTRATION_KIND_NAMES.values()))


class FindingDocument(TypedDict):
    """One finding."""

    code: str
    name: str
    severity: str
    path: str
    line: int | None
    package: str | None
    message: str
    why: str
    fix: str
    evidence: dict[str, Any]
    ignored: str | None


def render_json(reports: tuple[Report, ...], *, several: bool = False) -> str:
    """Return one object for one report, an array for more or when `several` were asked for, with a line end.

    ASCII, so that a pipe's encoding and a file name that is no text cannot break it.
    """
    documents = [report_document(report) for report in reports]
    whole = several or len(documents) != 1
    return json.dumps(documents if whole else documents[0], indent=2) + "\n"


def report_document(report: Report) -> dict[str, Any]:
    """Return the report as JSON-able values."""
    runtime = report.runtime
    return {
        "schema": REPORT_SCHEMA,
        "version": __version__,
        "verdict": report.verdict.value,
        "target": {
            "runtime": runtime.target.runtime,
            "arch": runtime.target.architecture.aws,
            "node": runtime.node,
            "abi": runtime.abi,
            "node_api": runtime.node_api,
            "source": runtime.source,
            "digest": runtime.digest or None,
        },
        "subject": {
            "kind": report.subject.kind,
            "path": report.subject.path,
            "archive": report.subject.archive,
            "code_digest": report.subject.code_digest,
            "content_digest": report.subject.content_digest,
            "zip_bytes": report.subject.zip_bytes,
            "unzipped_bytes": report.subject.unzipped_bytes,
            "layers": [
                {
                    "path": report_layer.path,
                    "code_digest": report_layer.code_digest,
                    "unzipped_bytes": report_layer.unzipped_bytes,
                }
                for report_layer in report.subject.layers
            ],
        },
        "binaries": [_binary_document(judgement) for judgement in report.judgements],
        "findings": [finding_document(finding) for finding in report.findings],
    }


def _binary_document(judgement: Judgement) -> dict[str, Any]:
    binary = judgement.binary
    registration = binary.elf.registration if binary.elf else None
    return {
        "path": binary.path,
        "package": judgement.package or None,
        "version": judgement.version or None,
        "sha256": binary.sha256,
        "bytes": binary.size,
        "format": binary.format.value,
        "machine": "+".join(binary.machines) or None,
        "role": binary.role.value,
        "selected": judgement.selected,
        "outcome": judgement.outcome.value,
        "cause": judgement.cause,
        "registration": {
            "kind": REGISTRATION_KIND_NAMES[registration.kind] if registration else "none",
            "abi": registration.abi if registration else None,
            "node_api": registration.node_api if registration else None,
        },
    }


def finding_document(found: Finding) -> FindingDocument:
    """Return one finding as JSON-able values."""
    return {
        "code": found.rule.code,
        "name": found.rule.name,
        "severity": found.weight.value,
        "path": found.path,
        "line": found.line,
        "package": found.package or None,
        "message": found.message,
        "why": found.rule.why,
        "fix": found.cure,
        "evidence": dict(found.evidence),
        "ignored": found.ignored,
    }


def render_failure_json(error: LambdapackError) -> str:
    """Return a failure as one JSON object with a line end."""
    record = error.failure
    return (
        json.dumps(
            {
                "schema": FAILURE_SCHEMA,
                "code": record.code,
                "name": record.name,
                "what": f"{record.title}: {error.detail}" if error.detail else record.title,
                "why": record.why,
                "fix": error.hint,
            },
            indent=2,
        )
        + "\n"
    )
