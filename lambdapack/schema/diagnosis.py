"""Schemas of `explain --format json`: a diagnosis, a record, an entry of the package book."""

from lambdapack.book.book import BinaryDelivery, BinaryInterface, MaintenanceStatus, PackageRole
from lambdapack.explain.causes import CAUSE_CODES
from lambdapack.messages import Certainty
from lambdapack.model import Severity
from lambdapack.report.diagnosis import DIAGNOSIS_SCHEMA
from lambdapack.report.records import PAGE_SCHEMA, RECORD_SCHEMA
from lambdapack.schema.listings import DAY_PATTERN
from lambdapack.schema.shapes import Schema, array, document, number, or_null, record, schema_object, text, texts, word

RECORD_CODE_PATTERN = r"^LP\d{3}$"
VERSION_DESCRIPTION = "The version of lambdapack that wrote this."


def diagnosis_schema() -> Schema:
    """Return the schema of what a text means."""
    fields = {
        "version": text(VERSION_DESCRIPTION),
        "diagnoses": array(
            "What the text says is wrong, best first; empty when nothing was recognised.", _diagnosis_item()
        ),
        "nearest": or_null(text("When nothing was recognised, the known message that reads most like it.")),
        "left_out": number("Passages of an enormous log that were not looked at."),
    }
    return document(
        DIAGNOSIS_SCHEMA,
        "What an error message means",
        schema_object(DIAGNOSIS_SCHEMA, "The answer to a text.", fields),
    )


def _diagnosis_item() -> Schema:
    fields = {
        "cause": word("What is wrong.", list(CAUSE_CODES)),
        "code": text("The record that says more: `lambdapack explain CODE`.", pattern=RECORD_CODE_PATTERN),
        "file": or_null(text("The file that the text names, from its node_modules on; null when it names none.")),
        "package": or_null(text("The npm package that it belongs to.")),
        "certainty": word("How sure it is.", [certainty.value for certainty in Certainty]),
        "says": text("One sentence for people."),
        "evidence": texts("The messages of the text that say so."),
        "found": or_null(text("What a look at the project showed; begins with yes: when it bears the text out.")),
        "fix": texts("Commands, in the order to try them."),
        "book": or_null(text("What the package book says of the package.")),
        "prevent": text("How to keep it from coming back."),
        "count": number("How often the text has it.", minimum=1),
    }
    return record("One thing that is wrong.", fields)


def record_schema() -> Schema:
    """Return the schema of what a code stands for."""
    fields = {
        "version": text(VERSION_DESCRIPTION),
        "code": text("Its code.", pattern=RECORD_CODE_PATTERN),
        "name": text("Its name in kebab-case."),
        "title": text("What is the matter, as one clause."),
        "why": text("The consequence."),
        "fix": text("One sentence with the command that ends it."),
        "severity": or_null(word("Of a finding; null for a failure.", [severity.value for severity in Severity])),
        "exit": or_null(number("The exit code of a failure; null for a finding.")),
    }
    return document(
        RECORD_SCHEMA, "What a code stands for", schema_object(RECORD_SCHEMA, "A rule or a failure.", fields)
    )


def page_schema() -> Schema:
    """Return the schema of a page of the package book."""
    fields = {
        "version": text(VERSION_DESCRIPTION),
        "package": text("The npm package."),
        "newest": text("Its newest version on the day that it was read."),
        "delivery": word("How its binary comes to it.", [binary_delivery.value for binary_delivery in BinaryDelivery]),
        "registration": word(
            "What the binary is bound to.", [binary_interface.value for binary_interface in BinaryInterface]
        ),
        "status": word(
            "Whether somebody looks after it.", [maintenance_status.value for maintenance_status in MaintenanceStatus]
        ),
        "role": word("What it is to a function.", [package_role.value for package_role in PackageRole]),
        "needs": or_null(text("What it needs of the runtime.")),
        "instead": texts("Maintained packages that take its place."),
        "javascript": texts("Packages without a binary that do the same work."),
        "last_node": or_null(
            number("The newest Node.js major on which it installs and loads; null: no limit is known.")
        ),
        "advice": or_null(text("What to do on Lambda.")),
        "source": text("Where it was read."),
        "read": text("The day.", pattern=DAY_PATTERN),
    }
    return document(
        PAGE_SCHEMA, "A page of the package book", schema_object(PAGE_SCHEMA, "What is known of a package.", fields)
    )
