"""The answers of `explain` as JSON: a diagnosis, a record, a page of the package book."""

from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.book.book import BinaryDelivery, BinaryInterface, BookEntry, MaintenanceStatus, PackageRole
from lambdapack.errors.record import Failure
from lambdapack.explain.causes import CAUSE_CODES
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.messages import Certainty
from lambdapack.model import Rule, Severity
from lambdapack.report.text import format_json
from lambdapack.schema import DAY_PATTERN, describe, number, text, word

RECORD_CODE_PATTERN = r"^LP\d{3}$"
RECORD_NAME_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
CAUSE_DESCRIPTION = (
    f"What is wrong: {', '.join(sorted(CAUSE_CODES))}; for a log of lambdapack itself also the name of the record "
    f"that it "
    "printed."
)


class DiagnosisDocument(TypedDict):
    """One diagnosis."""

    cause: Annotated[str, text(CAUSE_DESCRIPTION, pattern=RECORD_NAME_PATTERN)]
    code: Annotated[str, text("The record that says more: `lambdapack explain CODE`.", pattern=RECORD_CODE_PATTERN)]
    file: Annotated[str | None, text("File that the text names, from node_modules on; null for none.")]
    package: Annotated[str | None, text("The npm package that the file belongs to.")]
    certainty: Annotated[str, word("Certainty of the diagnosis.", Certainty)]
    says: Annotated[str, text("One sentence for people.")]
    evidence: Annotated[list[str], describe("Messages of the text that the diagnosis is based on.")]
    found: Annotated[str | None, text("Result of checking the project; begins with yes: when it confirms the text.")]
    fix: Annotated[list[str], describe("Commands to try, in order.")]
    book: Annotated[str | None, text("Advice of the package book about the package.")]
    prevent: Annotated[str, text("How to prevent it.")]
    count: Annotated[int, number("Number of times that the text has the message.", minimum=1)]


class ExplanationDocument(TypedDict):
    """Diagnoses of a text."""

    schema: Literal["lambdapack/diagnosis/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    diagnoses: Annotated[
        list[DiagnosisDocument],
        describe("Diagnoses, best first; empty when nothing was recognised."),
    ]
    nearest: Annotated[str | None, text("Most similar known message when nothing was recognised.")]
    facts: Annotated[list[str], describe("Facts that were read of a text without a diagnosis.")]
    question: Annotated[str | None, text("The question that decides what a text without a diagnosis is about.")]
    left_out: Annotated[int, number("Number of passages of a large log that were not read.")]


class RecordDocument(TypedDict):
    """A rule or a failure."""

    schema: Literal["lambdapack/record/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    code: Annotated[str, text("Code of the rule or failure.", pattern=RECORD_CODE_PATTERN)]
    name: Annotated[str, text("Name in kebab-case.")]
    title: Annotated[str, text("What is wrong, as one clause.")]
    why: Annotated[str, text("The consequence.")]
    fix: Annotated[str, text("One sentence with the command that fixes it.")]
    severity: Annotated[str | None, word("Severity of a rule; null for a failure.", Severity)]
    exit: Annotated[int | None, number("Exit code of a failure; null for a rule.")]


class BookPageDocument(TypedDict):
    """An entry of the package book."""

    schema: Literal["lambdapack/page/1"]
    version: Annotated[str, text("Version of lambdapack.")]
    package: Annotated[str, text("The npm package.")]
    newest: Annotated[str, text("Newest version on the day of `read`.")]
    delivery: Annotated[str, word("How the package delivers its binary.", BinaryDelivery)]
    registration: Annotated[str, word("What the binary depends on.", BinaryInterface)]
    status: Annotated[str, word("Maintenance status.", MaintenanceStatus)]
    role: Annotated[str, word("Role of the package in a function.", PackageRole)]
    needs: Annotated[str | None, text("What the package needs from the runtime.")]
    instead: Annotated[list[str], describe("Maintained alternatives.")]
    javascript: Annotated[list[str], describe("Alternatives without a binary.")]
    programs: Annotated[
        list[str], describe("Programs that the package starts by name, or that interpret what it brings.")
    ]
    last_node: Annotated[
        int | None, number("Newest Node.js major on which it installs and loads; null when no limit is known.")
    ]
    advice: Annotated[str | None, text("What to do on Lambda.")]
    source: Annotated[str, text("Source of the facts.")]
    read: Annotated[str, text("Day on which the source was read.", pattern=DAY_PATTERN)]


def render_diagnosis_json(explanation: Explanation) -> str:
    """Return one object with a line end."""
    document: ExplanationDocument = {
        "schema": "lambdapack/diagnosis/1",
        "version": __version__,
        "diagnoses": [_make_diagnosis_document(diagnosis) for diagnosis in explanation.diagnoses],
        "nearest": explanation.nearest or None,
        "facts": list(explanation.facts),
        "question": explanation.question or None,
        "left_out": explanation.left_out,
    }
    return format_json(document)


def _make_diagnosis_document(diagnosis: Diagnosis) -> DiagnosisDocument:
    return {
        "cause": diagnosis.cause,
        "code": diagnosis.code or "",  # every diagnosis that is shown has one
        "file": diagnosis.file,
        "package": diagnosis.package,
        "certainty": diagnosis.certainty.value,
        "says": diagnosis.says,
        "evidence": list(diagnosis.evidence),
        "found": diagnosis.found or None,
        "fix": list(diagnosis.fix),
        "book": diagnosis.book or None,
        "prevent": diagnosis.prevent,
        "count": diagnosis.count,
    }


def render_record_json(record: Rule | Failure) -> str:
    """Return what a code stands for as one object with a line end."""
    document: RecordDocument = {
        "schema": "lambdapack/record/1",
        "version": __version__,
        "code": record.code,
        "name": record.name,
        "title": record.title,
        "why": record.why,
        "fix": record.fix,
        "severity": record.severity.value if isinstance(record, Rule) else None,
        "exit": None if isinstance(record, Rule) else int(record.exit),
    }
    return format_json(document)


def render_book_page_json(entry: BookEntry) -> str:
    """Return what the book has on a package as one object with a line end."""
    document: BookPageDocument = {
        "schema": "lambdapack/page/1",
        "version": __version__,
        "package": entry.name,
        "newest": entry.newest,
        "delivery": entry.delivery.value,
        "registration": entry.interface.value,
        "status": entry.status.value,
        "role": entry.role.value,
        "needs": entry.requirements or None,
        "instead": list(entry.replacements),
        "javascript": list(entry.javascript_replacements),
        "programs": list(entry.programs),
        "last_node": entry.last_node,
        "advice": entry.advice or None,
        "source": entry.source,
        "read": entry.read_on.isoformat(),
    }
    return format_json(document)
