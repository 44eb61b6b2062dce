"""Schemas of `runtimes`, `images list`, `cache`, `doctor`, Terraform's data source and the runtime file."""

from lambdapack.report import checkup, terraform
from lambdapack.report import table as listing
from lambdapack.rules.model.report import Verdict
from lambdapack.runtimes import runtimefile
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
    texts,
    word,
)

DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"


def runtimes_schema() -> Schema:
    """Return the schema of `runtimes list`."""
    rows = array("Every runtime, the oldest first.", _runtime_schema())
    whole = schema_object(listing.RUNTIMES_SCHEMA, "The runtimes that lambdapack knows.", {"runtimes": rows})
    return document(listing.RUNTIMES_SCHEMA, "Lambda's Node.js runtimes", whole)


def terraform_external_schema() -> Schema:
    """Return the schema of what Terraform's `external` data source is told: strings, and nothing else."""
    digits = r"^\d+$"
    fields = {
        "filename": text("The zip."),
        "source_code_hash": text("Base64 SHA-256 of the zip.", pattern=CODE_DIGEST_PATTERN),
        "content_digest": text("Over names, modes and contents of what is in it.", pattern=SHA256_PATTERN),
        "runtime": text("The Lambda runtime, such as nodejs22.x."),
        "architecture": word("The instruction set, under AWS's name.", ARCHITECTURE_VALUES),
        "handler": text("FILE.EXPORT of the function."),
        "zip_bytes": text("Size of the zip in bytes.", pattern=digits),
        "unzipped_bytes": text("Size of what is in it.", pattern=digits),
        "verdict": word("What the judgement came to.", [verdict.value for verdict in Verdict]),
    }
    whole = schema_object(terraform.TERRAFORM_SCHEMA, "A package that was built.", fields)
    return document(terraform.TERRAFORM_SCHEMA, "A build for Terraform", whole)


def _runtime_schema() -> Schema:
    fields = {
        "runtime": text("AWS's identifier, such as nodejs22.x."),
        "node_major": number("The major version of its Node.js."),
        "abi": number("Its NODE_MODULE_VERSION."),
        "node_api": number("The highest Node-API version that it has."),
        "architectures": array("What it runs on.", word("An instruction set.", ARCHITECTURE_VALUES)),
        "state": word("Today's.", ["supported", "deprecated", "blocked"]),
        "deprecated": or_null(text("The day that support ends; null when none is announced.", pattern=DAY_PATTERN)),
        "block_create": or_null(text("The day from which no function can be created with it.", pattern=DAY_PATTERN)),
        "block_update": or_null(text("The day from which none can be updated.", pattern=DAY_PATTERN)),
        "source": or_null(text("Where the days were read.")),
    }
    return record("One runtime.", fields)


def images_schema() -> Schema:
    """Return the schema of `images list`."""
    fields = {
        "target": text("Runtime and architecture, such as nodejs22.x/arm64."),
        "for": word("What it serves: running the function, or building its dependencies.", ["runtime", "build"]),
        "state": word("Whether the engine has it.", ["here", "absent", "not a Lambda image"]),
        "image": text("Its name."),
        "digest": or_null(text("Over its layers; null when it is not here.", pattern=SHA256_PATTERN)),
    }
    rows = array("The images of every target.", record("One image.", fields))
    whole = schema_object(listing.IMAGES_SCHEMA, "The images that a build uses.", {"images": rows})
    return document(listing.IMAGES_SCHEMA, "The container images of a build", whole)


def cache_schema() -> Schema:
    """Return the schema of `cache show`, and of what `cache clear` removed."""
    kinds = ["binaries", "definitions", "trees", "runtimes", "npm"]
    fields = {
        "kind": word("What it remembers; npm: its downloads, in a volume of the container engine.", kinds),
        "place": text("Where it lies."),
        "entries": or_null(number("How many records; null for a volume.")),
        "bytes": or_null(number("Its size; null when the engine does not say.")),
    }
    rows = array("Each kind with its place.", record("One kind.", fields))
    whole = schema_object(listing.CACHE_SCHEMA, "What is kept between runs, or was removed.", {"kept": rows})
    return document(listing.CACHE_SCHEMA, "What is remembered between runs", whole)


def runtime_file_schema() -> Schema:
    """Return the schema of a runtime file, which `runtimes show` prints as well."""
    names = "Highest version by prefix, such as GLIBC: 2.34"
    fields = {
        "runtime": text("The Lambda runtime that it stands for."),
        "arch": word("The instruction set, under AWS's name.", ARCHITECTURE_VALUES),
        "node": or_null(text("The version of Node.js; null when only the major is known.")),
        "node_major": number("Its major version."),
        "abi": number("Its NODE_MODULE_VERSION."),
        "node_api": number("The highest Node-API version that it has."),
        "source": word("Whence it is known.", ["shipped", "image", "file"]),
        "digest": text("Over the image's layers or the root file system; empty for shipped data.", empty=True),
        "library_path": texts("LD_LIBRARY_PATH of node's process, in order."),
        "default_path": texts("Where ld.so looks after that and its cache."),
        "interpreters": texts("The loaders that a program may ask for."),
        "loaded": texts("Libraries that are in node's process before any addon."),
        "floor": table(f"{names}, that is surely there.", {"type": "string"}),
        "ceiling": table(f"{names}, that any image was seen to have.", {"type": "string"}),
        "libraries": table("By the name that a binary asks for.", _library_schema()),
        "node_exports": {
            **texts("Symbols that node exports; null when they were not recorded."),
            "type": ["array", "null"],
        },
    }
    whole = schema_object(runtimefile.RUNTIME_FILE_SCHEMA, "What a runtime provides to binaries.", fields)
    return document(runtimefile.RUNTIME_FILE_SCHEMA, "A measured runtime", whole)


def _library_schema() -> Schema:
    fields = {
        "soname": text("Its own name."),
        "path": text("Where the loader finds it; empty when only the name is known.", empty=True),
        "versions": texts("Symbol versions that it defines."),
        "needed": texts("Libraries that it asks for."),
        "exports": {**texts("Symbols that it defines; null when not recorded."), "type": ["array", "null"]},
        "certain": flag("False: seen in an image, not proved for the managed runtime."),
    }
    return record("One shared library.", fields)


def doctor_schema() -> Schema:
    """Return the schema of `doctor`."""
    check = {
        "name": text("What was looked at."),
        "state": word(
            "How it is: error when no build can work, warning when some cannot.", [e.value for e in checkup.HealthState]
        ),
        "said": text("What was found."),
        "fix": or_null(text("What mends it; null when nothing is to be done.")),
    }
    setting = {
        "name": text("Its name in lambdapack.toml."),
        "value": text("Its value, as text."),
        "origin": text("Who said it: a flag, a variable, a file with its line, or default."),
    }
    fields = {
        "version": text("Of lambdapack."),
        "ready": flag("Whether a build could work."),
        "checks": array("In the order in which a build meets them.", record("One thing.", check)),
        "settings": array("Every setting.", record("One setting.", setting)),
    }
    whole = schema_object(checkup.DOCTOR_SCHEMA, "How this machine is.", fields)
    return document(checkup.DOCTOR_SCHEMA, "What a build finds on this machine", whole)
