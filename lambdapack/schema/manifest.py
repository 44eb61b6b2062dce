"""The schema of the manifest beside a zip, `<zip>.lambdapack.json`."""

from lambdapack.pack.output import MANIFEST_SCHEMA
from lambdapack.rules.model.report import Verdict
from lambdapack.schema.report import ARCHITECTURE_VALUES
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
    table,
    text,
    word,
)


def manifest_schema() -> Schema:
    """Return the schema of the manifest."""
    fields = {
        "version": text("The version of lambdapack that built it."),
        "archive": text("The zip's own name, without a directory."),
        "kind": word("A function's zip, or a layer.", ["zip", "layer"]),
        "project": or_null(text("Name in the package.json that it was built from; null when it has none.")),
        "target": record(
            "What it was built for.",
            {
                "runtime": text("The Lambda runtime, such as nodejs22.x."),
                "arch": word("The instruction set, under AWS's name.", ARCHITECTURE_VALUES),
            },
        ),
        "handler": or_null(text("FILE.EXPORT of the function; null for a layer.")),
        "code_digest": text(
            "Base64 SHA-256 of the zip; the manifest counts only for that zip.", pattern=CODE_DIGEST_PATTERN
        ),
        "content_digest": text("Over names, modes and contents of what is in the zip.", pattern=SHA256_PATTERN),
        "zip_bytes": number("Size of the zip in bytes."),
        "unzipped_bytes": number("Bytes of all files in it."),
        "entries": number("Files and links in it."),
        "verdict": word("What was judged when it was built.", [verdict.value for verdict in Verdict]),
        "judged_by": _judged_by_schema(),
        "binaries": array("Every native file in it.", _binary_schema()),
        "install": _install_schema(),
        "dependency_key": or_null(_key_schema()),
    }
    return document(
        MANIFEST_SCHEMA,
        "How a zip came to be",
        schema_object(MANIFEST_SCHEMA, "A memory, not a proof: the zip is judged anew.", fields),
    )


def _judged_by_schema() -> Schema:
    fields = {
        "source": word("Whence the runtime was known.", ["shipped", "image", "file"]),
        "digest": or_null(text("Of that image or runtime file; null for shipped data.", pattern=SHA256_PATTERN)),
    }
    return record("What the zip was judged against.", fields)


def _binary_schema() -> Schema:
    fields = {
        "path": text("In the zip."),
        "sha256": text("Of the file's bytes.", pattern="^[0-9a-f]{64}$"),
        "selected": flag("A loader would pick it for this target."),
    }
    return record("One native file.", fields)


def _install_schema() -> Schema:
    fields = {
        "image": or_null(
            text("Digest of the image that npm ran in; null when nothing was installed.", pattern=SHA256_PATTERN)
        ),
        "strategy": or_null(text("How the target's CPU was served.")),
        "node": or_null(text("The image's Node.js.")),
        "npm": or_null(text("The image's npm.")),
    }
    return record("How the dependencies were installed.", fields)


def _key_schema() -> Schema:
    fields = {
        "digest": text("The key.", pattern=SHA256_PATTERN),
        "parts": table("What it is made of, by name.", text("The part's digest.", pattern=SHA256_PATTERN)),
    }
    return record("What decides the dependencies: a zip whose key is not the project's of today is stale.", fields)
