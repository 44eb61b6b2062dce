"""The manifest that lies beside a zip, `<zip>.lambdapack.json`."""

from lambdapack.pack.manifest import SCHEMA
from lambdapack.rules.verdict import Verdict
from lambdapack.schema.report import ARCHITECTURES
from lambdapack.schema.shapes import (
    CODE_DIGEST,
    SHA256,
    Schema,
    array,
    document,
    flag,
    maybe,
    named,
    number,
    record,
    table,
    text,
    word,
)


def manifest() -> Schema:
    """Return the schema of the manifest."""
    fields = {
        "version": text("The version of lambdapack that built it."),
        "archive": text("The zip's own name, without a directory."),
        "kind": word("A function's zip, or a layer.", ["zip", "layer"]),
        "project": maybe(text("Name in the package.json that it was built from; null when it has none.")),
        "target": record(
            "What it was built for.",
            {
                "runtime": text("The Lambda runtime, such as nodejs22.x."),
                "arch": word("The instruction set, under AWS's name.", ARCHITECTURES),
            },
        ),
        "handler": maybe(text("FILE.EXPORT of the function; null for a layer.")),
        "code_digest": text("Base64 SHA-256 of the zip; the manifest counts only for that zip.", pattern=CODE_DIGEST),
        "content_digest": text("Over names, modes and contents of what is in the zip.", pattern=SHA256),
        "zip_bytes": number("Size of the zip in bytes."),
        "unzipped_bytes": number("Bytes of all files in it."),
        "entries": number("Files and links in it."),
        "verdict": word("What was judged when it was built.", [each.value for each in Verdict]),
        "judged_by": _judged_by(),
        "binaries": array("Every native file in it.", _binary()),
        "install": _install(),
        "dependency_key": maybe(_key()),
    }
    return document(
        SCHEMA, "How a zip came to be", named(SCHEMA, "A memory, not a proof: the zip is judged anew.", fields)
    )


def _judged_by() -> Schema:
    fields = {
        "source": word("Whence the runtime was known.", ["shipped", "image", "file"]),
        "digest": maybe(text("Of that image or runtime file; null for shipped data.", pattern=SHA256)),
    }
    return record("What the zip was judged against.", fields)


def _binary() -> Schema:
    fields = {
        "path": text("In the zip."),
        "sha256": text("Of the file's bytes.", pattern="^[0-9a-f]{64}$"),
        "selected": flag("A loader would pick it for this target."),
    }
    return record("One native file.", fields)


def _install() -> Schema:
    fields = {
        "image": maybe(text("Digest of the image that npm ran in; null when nothing was installed.", pattern=SHA256)),
        "strategy": maybe(text("How the target's CPU was served.")),
        "node": maybe(text("The image's Node.js.")),
        "npm": maybe(text("The image's npm.")),
    }
    return record("How the dependencies were installed.", fields)


def _key() -> Schema:
    fields = {
        "digest": text("The key.", pattern=SHA256),
        "parts": table("What it is made of, by name.", text("The part's digest.", pattern=SHA256)),
    }
    return record("What decides the dependencies: a zip whose key is not the project's of today is stale.", fields)
