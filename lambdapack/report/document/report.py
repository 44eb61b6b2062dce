"""The report and the failure as JSON. Their own shapes, so that the internal types stay free to change."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from lambdapack import __version__
from lambdapack.binary.facts import BinaryRole, Format, RegistrationKind
from lambdapack.errors.record import DEFECT, Failure, LambdapackError
from lambdapack.model import Architecture, Finding, Severity
from lambdapack.report.formats import RenderContext
from lambdapack.report.text import format_json
from lambdapack.rules.model.report import Judgement, Outcome, Report, Subject, Verdict
from lambdapack.runtimes.runtime import Runtime
from lambdapack.schema import (
    CODE_DIGEST_PATTERN,
    HEX_SHA256_PATTERN,
    SHA256_PATTERN,
    describe,
    number,
    text,
    word,
)

ARCHITECTURE_NAMES = tuple(architecture.aws for architecture in Architecture)
RUNTIME_SOURCES = ("shipped", "image", "file")
"""Where a runtime is known from: shipped data, a measured image, a runtime file."""

REGISTRATION_KIND_NAMES = {registration_kind: registration_kind.value for registration_kind in RegistrationKind} | {
    RegistrationKind.BOTH: RegistrationKind.NODE_API.value
}
"""The document's word for each: of an addon with both entries node takes Node-API's."""

REGISTRATION_NAMES = tuple(dict.fromkeys(REGISTRATION_KIND_NAMES.values()))


def _rule_codes() -> list[str]:
    from lambdapack.rules.registry import RULES  # noqa: PLC0415  # the schema needs every rule, a report only its own

    return [rule.code for rule in RULES]


def _rule_names() -> list[str]:
    from lambdapack.rules.registry import RULES  # noqa: PLC0415  # see _rule_codes

    return [rule.name for rule in RULES]


def _cause_names() -> list[str]:
    from lambdapack.rules.binary.check import CAUSE_RULES  # noqa: PLC0415  # see _rule_codes

    return [rule.name for rule in CAUSE_RULES]


def _failures() -> tuple[Failure, ...]:
    from lambdapack.errors.registry import FAILURES  # noqa: PLC0415  # see _rule_codes

    return (*FAILURES, DEFECT)


class TargetDocument(TypedDict):
    """The runtime that the package was verified for."""

    runtime: Annotated[str, text("The Lambda runtime, such as nodejs22.x.")]
    arch: Annotated[str, word("The instruction set, under AWS's name.", ARCHITECTURE_NAMES)]
    node: Annotated[str | None, text("Version of Node.js; null when only the major version is known.")]
    abi: Annotated[int, number("NODE_MODULE_VERSION of the runtime.")]
    node_api: Annotated[int, number("The highest Node-API version that it has.")]
    source: Annotated[
        str,
        word(
            "Where the runtime's facts come from: shipped data, a measured image, or a runtime file.", RUNTIME_SOURCES
        ),
    ]
    digest: Annotated[
        str | None,
        text("Digest of the image's layers or the runtime file; null for shipped data.", pattern=SHA256_PATTERN),
    ]


class ReportLayerDocument(TypedDict):
    """One layer of the function."""

    path: Annotated[str, text("Zip or directory, as given.")]
    code_digest: Annotated[
        str | None,
        text("Base64 SHA-256 of the zip's bytes; null for a directory.", pattern=CODE_DIGEST_PATTERN),
    ]
    unzipped_bytes: Annotated[int, number("Bytes of all its files.")]


class SubjectDocument(TypedDict):
    """What was verified."""

    kind: Annotated[str, word("Kind of the subject.", ("directory", "zip", "layer", "function"))]
    path: Annotated[str, text("Path or ARN, as given on the command line.")]
    archive: Annotated[str | None, text("The zip; null for a directory.")]
    code_digest: Annotated[
        str | None, text("Base64 SHA-256 of the zip's bytes: Lambda's CodeSha256.", pattern=CODE_DIGEST_PATTERN)
    ]
    content_digest: Annotated[
        str | None, text("Digest over names, modes and contents of the zip's entries.", pattern=SHA256_PATTERN)
    ]
    zip_bytes: Annotated[int | None, number("Size of the zip in bytes.")]
    unzipped_bytes: Annotated[int | None, number("Bytes of all files, as Lambda counts them against its limit.")]
    layers: Annotated[
        list[ReportLayerDocument],
        describe("Layers that were verified with it, in the function's order."),
    ]
    function: NotRequired[Annotated[str, text("Name of the function, where several were asked for.")]]


class RegistrationDocument(TypedDict):
    """How the addon registers itself with Node.js."""

    kind: Annotated[
        str,
        word("The entry that Node.js uses; node-api also when the addon has a V8 entry, too.", REGISTRATION_NAMES),
    ]
    abi: Annotated[int | None, number("NODE_MODULE_VERSION that the addon was compiled for, if known.")]
    node_api: Annotated[int | None, number("The Node-API version that it declares.")]


class BinaryDocument(TypedDict):
    """One native file, or a file in place of one."""

    path: Annotated[str, text("Relative to the subject; in a layer that came with a function, below /opt.")]
    package: Annotated[str | None, text("The npm package that owns the file; null outside node_modules.")]
    version: Annotated[str | None, text("Version of that package; null when its package.json has none.")]
    sha256: Annotated[str, text("SHA-256 of the file.", pattern=HEX_SHA256_PATTERN)]
    bytes: Annotated[int, number("Size of the file.")]
    format: Annotated[str, word("File format, by its first bytes.", Format)]
    machine: Annotated[str | None, text("CPU: x86_64, arm64, ia32, ...; joined by + in a universal Mach-O.")]
    role: Annotated[str, word("Role of the file.", BinaryRole)]
    selected: Annotated[
        bool, describe("Whether a loader of its package picks it for this target, so that it counts for the verdict.")
    ]
    outcome: Annotated[
        str,
        word(
            "What happens when Lambda loads it; dies-later: the process ends at the first call of a missing "
            "function; unknown: no proof either way.",
            Outcome,
        ),
    ]
    cause: Annotated[str | None, word("Why it does not load; null when it loads.", _cause_names)]
    registration: RegistrationDocument


class FindingDocument(TypedDict):
    """One finding about the package."""

    code: Annotated[str, word("The rule's code; never reused.", _rule_codes)]
    name: Annotated[str, word("The rule's name.", _rule_names)]
    severity: Annotated[str, word("Effective severity: the rule's, or its override.", Severity)]
    path: Annotated[str, text("File, relative to the subject; empty for the whole subject.", empty=True)]
    line: Annotated[int | None, number("Line in a source file; null for other files.", minimum=1)]
    package: Annotated[str | None, text("The npm package that the finding is about.")]
    message: Annotated[str, text("What is wrong.")]
    why: Annotated[str, text("The consequence, in the loader's or AWS's own words.")]
    fix: Annotated[str, text("One sentence with the command that fixes it.")]
    evidence: Annotated[
        dict[str, Any],
        describe("The facts that triggered the finding. The keys depend on the rule; more may be added."),
    ]
    ignored: Annotated[str | None, text("The user's reason for ignoring the finding; null when it counts.")]


class ReportDocument(TypedDict):
    """The verification of one package for one target."""

    schema: Literal["lambdapack/report/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    verdict: Annotated[
        str, word("fail: a finding of severity error counts; warn: a warning does; ignored findings do not.", Verdict)
    ]
    target: TargetDocument
    subject: SubjectDocument
    binaries: Annotated[
        list[BinaryDocument], describe("Every native file, selected or not, in byte order of the paths.")
    ]
    findings: Annotated[list[FindingDocument], describe("Findings, most severe first, ignored ones last.")]


class FailureDocument(TypedDict):
    """Why there is no report."""

    schema: Literal["lambdapack/failure/1"]
    code: Annotated[str, word("The failure's code; never reused.", lambda: [failure.code for failure in _failures()])]
    name: Annotated[str, word("The failure's name.", lambda: [failure.name for failure in _failures()])]
    what: Annotated[str, text("What happened and where.")]
    why: Annotated[str, text("The consequence.")]
    fix: Annotated[str, text("One sentence with the command that fixes it.")]


def render_reports(reports: Sequence[Report], context: RenderContext) -> str:
    """Return the reports as JSON."""
    return render_json(reports, several=context.several)


def render_json(reports: Sequence[Report], *, several: bool = False) -> str:
    """Return one object for one report, an array for more or when `several` were asked for, with a line end.

    ASCII, so that a pipe's encoding and a file name that is no text cannot break it.
    """
    documents = [make_report_document(report) for report in reports]
    whole = several or len(documents) != 1
    return format_json(documents if whole else documents[0])


def make_report_document(report: Report) -> ReportDocument:
    """Return the report as JSON-able values."""
    return {
        "schema": "lambdapack/report/1",
        "version": __version__,
        "verdict": report.verdict.value,
        "target": _make_target_document(report.runtime),
        "subject": _make_subject_document(report.subject),
        "binaries": [_make_binary_document(judgement) for judgement in report.judgements],
        "findings": [make_finding_document(finding) for finding in report.findings],
    }


def _make_target_document(runtime: Runtime) -> TargetDocument:
    return {
        "runtime": runtime.target.runtime,
        "arch": runtime.target.architecture.aws,
        "node": runtime.node,
        "abi": runtime.abi,
        "node_api": runtime.node_api,
        "source": runtime.source,
        "digest": runtime.digest or None,
    }


def _make_subject_document(subject: Subject) -> SubjectDocument:
    document: SubjectDocument = {
        "kind": subject.kind,
        "path": subject.path,
        "archive": subject.archive,
        "code_digest": subject.code_digest,
        "content_digest": subject.content_digest,
        "zip_bytes": subject.zip_bytes,
        "unzipped_bytes": subject.unzipped_bytes,
        "layers": [
            {"path": layer.path, "code_digest": layer.code_digest, "unzipped_bytes": layer.unzipped_bytes}
            for layer in subject.layers
        ],
    }
    if subject.function is not None:
        document["function"] = subject.function
    return document


def _make_binary_document(judgement: Judgement) -> BinaryDocument:
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


def make_finding_document(finding: Finding) -> FindingDocument:
    """Return one finding as JSON-able values."""
    return {
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.weight.value,
        "path": finding.path,
        "line": finding.line,
        "package": finding.package or None,
        "message": finding.message,
        "why": finding.rule.why,
        "fix": finding.cure,
        "evidence": dict(finding.evidence),
        "ignored": finding.ignored,
    }


def render_failure(error: LambdapackError) -> str:
    """Return a failure as one JSON object with a line end."""
    failure = error.failure
    document: FailureDocument = {
        "schema": "lambdapack/failure/1",
        "code": failure.code,
        "name": failure.name,
        "what": f"{failure.title}: {error.detail}" if error.detail else failure.title,
        "why": failure.why,
        "fix": error.hint,
    }
    return format_json(document)
