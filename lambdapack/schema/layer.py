"""The schema of `publish-layer --format json`."""

from lambdapack.report import layer as layers
from lambdapack.schema.report import ARCHITECTURE_VALUES, finding_schema
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
    texts,
    word,
)


def layers_schema() -> Schema:
    """Return the schema of `publish-layer`, of its plan, and of one that was refused."""
    fields = {
        "version": text("The version of lambdapack."),
        "region": text("The AWS region."),
        "done": flag("False: this is a plan, and nothing was changed."),
        "refused": flag("Whether a finding speaks against it, so that nothing would be done."),
        "layers": array("Two with --arch all and native code, else one.", _layer_schema()),
    }
    return document(
        layers.LAYERS_SCHEMA,
        "Published layers",
        schema_object(layers.LAYERS_SCHEMA, "What is published, or would be.", fields),
    )


def _layer_schema() -> Schema:
    archive = {
        "path": text("The zip."),
        "code_digest": text("Its CodeSha256.", pattern=CODE_DIGEST_PATTERN),
        "zip_bytes": number("Its size."),
    }
    step = {"step": word("What is done.", layers.LAYER_STEP_NAMES), "text": text("The same for people.")}
    spared = {
        "version": number("Its number.", minimum=1),
        "why": text("Who uses it, or that it has a resource policy."),
    }
    fields = {
        "name": text("The layer's name."),
        "arn": or_null(text("ARN of the version that has these bytes; null when it is not published.")),
        "changed": flag("False: everything was as wanted."),
        "archive": record("What is published.", archive),
        "content_digest": text("Over names, modes and contents of what is in the zip.", pattern=SHA256_PATTERN),
        "runtimes": texts("The runtimes that the bytes are good for."),
        "architectures": array("The CPUs, likewise.", word("The instruction set.", ARCHITECTURE_VALUES)),
        "steps": array("In order; none when nothing is to do.", record("One change.", step)),
        "deleted": array("Old versions that were deleted.", number("Its number.", minimum=1)),
        "spared": array("Old versions that --keep leaves.", record("One version.", spared)),
        "findings": array("Of the package and of the guards, worst first.", finding_schema()),
    }
    return record("One layer.", fields)
