"""What `explain` prints with --format json: a diagnosis, a record, a page of the package book."""

from lambdapack.book.page import Delivery, Registered, Role, Status
from lambdapack.explain.causes import CAUSES
from lambdapack.explain.nouns import Certainty
from lambdapack.model import Severity
from lambdapack.report.diagnosis import DIAGNOSIS
from lambdapack.report.leaf import PAGE, RECORD
from lambdapack.schema.shapes import Schema, array, document, maybe, named, number, record, text, texts, word

CODE = r"^LP\d{3}$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
VERSION = "The version of lambdapack that wrote this."


def diagnosis() -> Schema:
    """Return the schema of what a text means."""
    fields = {
        "version": text(VERSION),
        "diagnoses": array("What the text says is wrong, best first; empty when nothing was recognised.", _one()),
        "nearest": maybe(text("When nothing was recognised, the known message that reads most like it.")),
        "left_out": number("Passages of an enormous log that were not looked at."),
    }
    return document(DIAGNOSIS, "What an error message means", named(DIAGNOSIS, "The answer to a text.", fields))


def _one() -> Schema:
    fields = {
        "cause": word("What is wrong.", list(CAUSES)),
        "code": text("The record that says more: `lambdapack explain CODE`.", pattern=CODE),
        "file": maybe(text("The file that the text names, from its node_modules on; null when it names none.")),
        "package": maybe(text("The npm package that it belongs to.")),
        "certainty": word("How sure it is.", [each.value for each in Certainty]),
        "says": text("One sentence for people."),
        "evidence": texts("The messages of the text that say so."),
        "found": maybe(text("What a look at the project showed; begins with yes: when it bears the text out.")),
        "fix": texts("Commands, in the order to try them."),
        "book": maybe(text("What the package book says of the package.")),
        "prevent": text("How to keep it from coming back."),
        "count": number("How often the text has it.", minimum=1),
    }
    return record("One thing that is wrong.", fields)


def a_record() -> Schema:
    """Return the schema of what a code stands for."""
    fields = {
        "version": text(VERSION),
        "code": text("Its code.", pattern=CODE),
        "name": text("Its name in kebab-case."),
        "title": text("What is the matter, as one clause."),
        "why": text("The consequence."),
        "fix": text("One sentence with the command that ends it."),
        "severity": maybe(word("Of a finding; null for a failure.", [each.value for each in Severity])),
        "exit": maybe(number("The exit code of a failure; null for a finding.")),
    }
    return document(RECORD, "What a code stands for", named(RECORD, "A rule or a failure.", fields))


def page() -> Schema:
    """Return the schema of a page of the package book."""
    fields = {
        "version": text(VERSION),
        "package": text("The npm package."),
        "newest": text("Its newest version on the day that it was read."),
        "delivery": word("How its binary comes to it.", [each.value for each in Delivery]),
        "registration": word("What the binary is bound to.", [each.value for each in Registered]),
        "status": word("Whether somebody looks after it.", [each.value for each in Status]),
        "role": word("What it is to a function.", [each.value for each in Role]),
        "needs": maybe(text("What it needs of the runtime.")),
        "instead": texts("Maintained packages that take its place."),
        "javascript": texts("Packages without a binary that do the same work."),
        "last_node": maybe(number("The newest Node.js major on which it installs and loads; null: no limit is known.")),
        "advice": maybe(text("What to do on Lambda.")),
        "source": text("Where it was read."),
        "read": text("The day.", pattern=DAY),
    }
    return document(PAGE, "A page of the package book", named(PAGE, "What is known of a package.", fields))
