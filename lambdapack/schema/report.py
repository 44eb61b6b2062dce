"""The schemas of `verify` and `build --format json`: a report, and a failure."""

from lambdapack.binary.facts import BinaryRole, Format
from lambdapack.errors.record import DEFECT
from lambdapack.errors.registry import FAILURES
from lambdapack.model import Architecture, Severity
from lambdapack.report import json_v1
from lambdapack.rules.binary.check import CAUSE_RULES
from lambdapack.rules.model.report import Outcome, Verdict
from lambdapack.rules.registry import RULES
from lambdapack.schema.shapes import (
    CODE_DIGEST_PATTERN,
    SHA256_PATTERN,
    Schema,
    array,
    document,
    flag,
    number,
    or_null,
    record,
    schema_object,
    text,
    word,
)

ARCHITECTURE_VALUES = [architecture.aws for architecture in Architecture]


def report_schema() -> Schema:
    """Return the schema of one report, or of an array of them for `--arch all`."""
    fields = {
        "version": text("The version of lambdapack that judged."),
        "verdict": word(
            "fail: a finding of severity error counts; warn: a warning does; ignored findings do not.",
            [verdict.value for verdict in Verdict],
        ),
        "target": target_schema(),
        "subject": subject_schema(),
        "binaries": array("Every native file, selected or not, in byte order of the paths.", binary_schema()),
        "findings": array("What there is to say, the worst first, the ignored ones last.", finding_schema()),
    }
    return document(
        json_v1.REPORT_SCHEMA,
        "What lambdapack says of a package",
        schema_object(json_v1.REPORT_SCHEMA, "The judgement of one package for one target.", fields),
        several=True,
    )


def failure_schema() -> Schema:
    """Return the schema of a failure: the work could not be done (exit code 2 and up)."""
    records = (*FAILURES, DEFECT)
    fields = {
        "code": word("The failure's code; never reused.", [failure.code for failure in records]),
        "name": word("The failure's name.", [failure.name for failure in records]),
        "what": text("What happened, where, and in whose words."),
        "why": text("What it was needed for, or what follows from it."),
        "fix": text("One sentence with the command that ends it."),
    }
    whole = schema_object(json_v1.FAILURE_SCHEMA, "Why there is no report.", fields)
    return document(json_v1.FAILURE_SCHEMA, "Why lambdapack could not go on", whole)


def target_schema() -> Schema:
    """Return the schema of the runtime of a report."""
    fields = {
        "runtime": text("The Lambda runtime, such as nodejs22.x."),
        "arch": word("The instruction set, under AWS's name.", ARCHITECTURE_VALUES),
        "node": or_null(text("The version of Node.js; null when only the major is known.")),
        "abi": number("The runtime's NODE_MODULE_VERSION."),
        "node_api": number("The highest Node-API version that it has."),
        "source": word(
            "Whence it is known: shipped data, a measured image, or a runtime file.", ["shipped", "image", "file"]
        ),
        "digest": or_null(
            text("Of the image's layers or the runtime file; null for shipped data.", pattern=SHA256_PATTERN)
        ),
    }
    return record("The runtime that the package was judged against.", fields)


def subject_schema() -> Schema:
    """Return the schema of what a report is about."""
    fields = {
        "kind": word("What was judged.", ["directory", "zip", "layer", "function"]),
        "path": text("Where it is, as it was named on the command line."),
        "archive": or_null(text("The zip; null for a directory.")),
        "code_digest": or_null(
            text("Base64 SHA-256 of the zip's bytes: Lambda's CodeSha256.", pattern=CODE_DIGEST_PATTERN)
        ),
        "content_digest": or_null(
            text("Over names, modes and contents of what is in the zip.", pattern=SHA256_PATTERN)
        ),
        "zip_bytes": or_null(number("Size of the zip in bytes.")),
        "unzipped_bytes": or_null(number("Bytes of all files, as Lambda counts them against its limit.")),
        "layers": array(
            "The layers that it was judged with, in the function's order; they count as well.", _layer_schema()
        ),
    }
    return record("What was judged.", fields)


def _layer_schema() -> Schema:
    fields = {
        "path": text("The zip or directory, as it was named."),
        "code_digest": or_null(
            text("Base64 SHA-256 of the zip's bytes; null for a directory.", pattern=CODE_DIGEST_PATTERN)
        ),
        "unzipped_bytes": number("Bytes of all its files."),
    }
    return record("One layer of the function.", fields)


def binary_schema() -> Schema:
    """Return the schema of one native file of a report."""
    registration = {
        "kind": word(
            "The entry that node takes; node-api also when there is a V8 one beside it.",
            list(json_v1.REGISTRATION_NAMES),
        ),
        "abi": or_null(number("The NODE_MODULE_VERSION that it was compiled for, when there is one to name.")),
        "node_api": or_null(number("The Node-API version that it declares.")),
    }
    fields = {
        "path": text("Relative to the subject; in a layer that came with a function, below /opt."),
        "package": or_null(text("The npm package that owns the file; null outside node_modules.")),
        "version": or_null(text("Of that package; null when its package.json does not say.")),
        "sha256": text("Of the file's bytes.", pattern="^[0-9a-f]{64}$"),
        "bytes": number("Size of the file."),
        "format": word("What its first bytes say it is.", [each.value for each in Format]),
        "machine": or_null(text("Its CPU: x86_64, arm64, ia32, ...; joined by + in a universal Mach-O.")),
        "role": word("What it is for.", [binary_role.value for binary_role in BinaryRole]),
        "selected": flag("A loader of its package would pick it for this target: it counts for the verdict."),
        "outcome": word(
            "What happens when it is opened on Lambda; dies-later: the process ends at the first call of a missing "
            "function; unknown: nothing proves it.",
            [outcome.value for outcome in Outcome],
        ),
        "cause": or_null(word("Why it does not load; null when it does.", [rule.name for rule in CAUSE_RULES])),
        "registration": record("How node finds the addon's entry.", registration),
    }
    return record("One native file, or what stands in the place of one.", fields)


def finding_schema() -> Schema:
    """Return the schema of one finding."""
    fields = {
        "code": word("The rule's code; never reused.", [rule.code for rule in RULES]),
        "name": word("The rule's name: the defect.", [rule.name for rule in RULES]),
        "severity": word(
            "What counts: the rule's own, or the one that applies here.", [severity.value for severity in Severity]
        ),
        "path": text("The file, relative to the subject; empty when it is about the whole.", empty=True),
        "line": or_null(number("The line of a text file that a person edits; null otherwise.", minimum=1)),
        "package": or_null(text("The npm package that it is about.")),
        "message": text("What is the matter here."),
        "why": text("What follows from it, in the loader's or AWS's own words."),
        "fix": text("One sentence with the command that ends it."),
        "evidence": {
            "description": "The facts that triggered it. Its keys belong to the rule and may become more.",
            "type": "object",
            "additionalProperties": True,
        },
        "ignored": or_null(text("The user's reason to live with it; null when it counts.")),
    }
    return record("One judgement on the package.", fields)
