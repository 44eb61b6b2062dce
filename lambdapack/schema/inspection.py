"""The schema of `inspect --format json`."""

from lambdapack.inspection.model import FileCategory
from lambdapack.report import inspection_json
from lambdapack.rules.model.report import Verdict
from lambdapack.schema import report
from lambdapack.schema.shapes import (
    Schema,
    array,
    document,
    flag,
    number,
    or_null,
    record,
    schema_object,
    text,
    texts,
    word,
)

SORT_VALUES = [file_category.value for file_category in FileCategory]
PATH_DESCRIPTION = "Relative to the subject; in a layer that came with a function, below /opt."


def inspection_schema() -> Schema:
    """Return the schema of an inspection."""
    fields = {
        "version": text("The version of lambdapack that looked."),
        "verdict": word("As in the report of `verify`.", [verdict.value for verdict in Verdict]),
        "target": report.target_schema(),
        "subject": report.subject_schema(),
        "files": number("Files of the function and its layers, each path once."),
        "bytes": number("Bytes of all of them."),
        "kinds": array("Bytes by what a file is for, the heaviest first.", _kind_schema()),
        "packages": array("Every npm package, the heaviest first.", _package_schema()),
        "binaries": array("Every native file, selected or not, the heaviest first.", _native_schema()),
        "duplicates": _duplicates_schema(),
        "pruning": _pruning_schema(),
        "findings": array(
            "As in the report of `verify`: the worst first, the ignored ones last.", report.finding_schema()
        ),
    }
    whole = schema_object(inspection_json.INSPECTION_SCHEMA, "What is in a package, and why.", fields)
    return document(inspection_json.INSPECTION_SCHEMA, "What is in a package", whole)


def _kind_schema() -> Schema:
    fields = {
        "kind": word(
            "What the files are for, by name and place: a label, and no reason to leave one out.", SORT_VALUES
        ),
        "files": number("How many."),
        "bytes": number("Bytes of all of them."),
    }
    return record("Files of one kind.", fields)


def _package_schema() -> Schema:
    fields = {
        "path": text("Its directory; empty for the function's own code.", empty=True),
        "name": or_null(text("Its npm name; null for what is in no package.")),
        "version": or_null(text("Null when its package.json does not say.")),
        "files": number("Files, without those of packages inside it."),
        "bytes": number("Bytes of them."),
        "kinds": array("The same by kind, the heaviest first.", _kind_schema()),
        "wanted_by": _chain_schema(),
        "dev": flag("Only a devDependency leads to it."),
    }
    return record("One npm package as it lies there.", fields)


def _chain_schema() -> Schema:
    step = {"name": text("Its npm name.", empty=True), "version": or_null(text("Its version, when it is known."))}
    return {
        **array(
            "The shortest way to the package, from what the function itself asks for to the package; null when nothing "
            "asks for it.",
            record("One package on the way.", step),
        ),
        "type": ["array", "null"],
    }


def _native_schema() -> Schema:
    fields = {
        **report.binary_schema()["properties"],
        "libc": or_null(text("The C library that it is linked with, glibc with the newest version that it needs.")),
        "needs": texts("The libraries that it asks its loader for (DT_NEEDED), in its order."),
        "wanted_by": _chain_schema(),
    }
    return record("One native file, or what stands in the place of one.", fields)


def _duplicates_schema() -> Schema:
    package = {
        "name": text("Its npm name."),
        "version": text("Its version."),
        "paths": texts("Where it lies."),
        "spare_bytes": number("Bytes of all but the largest."),
    }
    file = {
        "sha256": text("Of the bytes.", pattern="^[0-9a-f]{64}$"),
        "bytes": number("Bytes of one."),
        "paths": texts("Where they lie."),
        "spare_bytes": number("Bytes of all but one."),
    }
    fields = {
        "packages": array("One name and version in several places, what wastes most first.", record("One.", package)),
        "files": array("Equal files of 1 KB and more, what wastes most first.", record("One content.", file)),
    }
    return record("What is there more than once.", fields)


def _pruning_schema() -> Schema:
    file = {
        "path": text(PATH_DESCRIPTION),
        "bytes": number("Its size."),
        "reason": word(
            "other-system: a binary that this target never loads; leftover: of an install or a compiler.",
            ["other-system", "leftover"],
        ),
    }
    fields = {
        "bytes": number("What it would save."),
        "files": array("The files, the heaviest first.", record("One file.", file)),
    }
    return record("What `lambdapack build` would not pack.", fields)
