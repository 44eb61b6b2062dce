"""The answers of `explain` as JSON: a diagnosis, a record, a page of the package book."""

import json
from typing import Annotated, Literal, TypedDict

from lambdapack import __version__
from lambdapack.book.book import BinaryDelivery, BinaryInterface, BookEntry, MaintenanceStatus, PackageRole
from lambdapack.errors.record import Failure
from lambdapack.explain.causes import CAUSE_CODES
from lambdapack.explain.nouns import Certainty, Diagnosis, Explanation
from lambdapack.model import Rule, Severity
from lambdapack.schema import DAY_PATTERN, described, number, text, word

RECORD_CODE_PATTERN = r"^LP\d{3}$"


class DiagnosisDocument(TypedDict):
    """One thing that is wrong."""

    cause: Annotated[str, word("What is wrong.", tuple(CAUSE_CODES))]
    code: Annotated[str, text("The record that says more: `lambdapack explain CODE`.", pattern=RECORD_CODE_PATTERN)]
    file: Annotated[
        str | None, text("The file that the text names, from its node_modules on; null when it names none.")
    ]
    package: Annotated[str | None, text("The npm package that it belongs to.")]
    certainty: Annotated[str, word("How sure it is.", Certainty)]
    says: Annotated[str, text("One sentence for people.")]
    evidence: Annotated[list[str], described("The messages of the text that say so.")]
    found: Annotated[
        str | None, text("What a look at the project showed; begins with yes: when it bears the text out.")
    ]
    fix: Annotated[list[str], described("Commands, in the order to try them.")]
    book: Annotated[str | None, text("What the package book says of the package.")]
    prevent: Annotated[str, text("How to keep it from coming back.")]
    count: Annotated[int, number("How often the text has it.", minimum=1)]


class ExplanationDocument(TypedDict):
    """The answer to a text."""

    schema: Literal["lambdapack/diagnosis/1"]
    version: Annotated[str, text("The version of lambdapack that wrote this.")]
    diagnoses: Annotated[
        list[DiagnosisDocument],
        described("What the text says is wrong, best first; empty when nothing was recognised."),
    ]
    nearest: Annotated[str | None, text("When nothing was recognised, the known message that reads most like it.")]
    left_out: Annotated[int, number("Passages of an enormous log that were not looked at.")]


class RecordDocument(TypedDict):
    """A rule or a failure."""

    schema: Literal["lambdapack/record/1"]
    version: Annotated[str, text("The version of lambdapack that wrote this.")]
    code: Annotated[str, text("Its code.", pattern=RECORD_CODE_PATTERN)]
    name: Annotated[str, text("Its name in kebab-case.")]
    title: Annotated[str, text("What is the matter, as one clause.")]
    why: Annotated[str, text("The consequence.")]
    fix: Annotated[str, text("One sentence with the command that ends it.")]
    severity: Annotated[str | None, word("Of a finding; null for a failure.", Severity)]
    exit: Annotated[int | None, number("The exit code of a failure; null for a finding.")]


class BookPageDocument(TypedDict):
    """What is known of a package."""

    schema: Literal["lambdapack/page/1"]
    version: Annotated[str, text("The version of lambdapack that wrote this.")]
    package: Annotated[str, text("The npm package.")]
    newest: Annotated[str, text("Its newest version on the day that it was read.")]
    delivery: Annotated[str, word("How its binary comes to it.", BinaryDelivery)]
    registration: Annotated[str, word("What the binary is bound to.", BinaryInterface)]
    status: Annotated[str, word("Whether somebody looks after it.", MaintenanceStatus)]
    role: Annotated[str, word("What it is to a function.", PackageRole)]
    needs: Annotated[str | None, text("What it needs of the runtime.")]
    instead: Annotated[list[str], described("Maintained packages that take its place.")]
    javascript: Annotated[list[str], described("Packages without a binary that do the same work.")]
    last_node: Annotated[
        int | None, number("The newest Node.js major on which it installs and loads; null: no limit is known.")
    ]
    advice: Annotated[str | None, text("What to do on Lambda.")]
    source: Annotated[str, text("Where it was read.")]
    read: Annotated[str, text("The day.", pattern=DAY_PATTERN)]


def render_diagnosis_json(explanation: Explanation) -> str:
    """Return one object with a line end."""
    document: ExplanationDocument = {
        "schema": "lambdapack/diagnosis/1",
        "version": __version__,
        "diagnoses": [_make_diagnosis_document(diagnosis) for diagnosis in explanation.diagnoses],
        "nearest": explanation.nearest or None,
        "left_out": explanation.left_out,
    }
    return json.dumps(document, indent=2) + "\n"


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
    return json.dumps(document, indent=2) + "\n"


def render_book_page_json(entry: BookEntry) -> str:
    """Return what the book has on a package as one object with a line end."""
    document: BookPageDocument = {
        "schema": "lambdapack/page/1",
        "version": __version__,
        "package": entry.name,
        "newest": entry.newest,
        "delivery": entry.delivery.value,
        "registration": entry.registered.value,
        "status": entry.status.value,
        "role": entry.role.value,
        "needs": entry.needs or None,
        "instead": list(entry.instead),
        "javascript": list(entry.javascript),
        "last_node": entry.last_node,
        "advice": entry.advice or None,
        "source": entry.source,
        "read": entry.read.isoformat(),
    }
    return json.dumps(document, indent=2) + "\n"
