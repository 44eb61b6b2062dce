"""`lambdapack schema`: prints a JSON schema, or lists the schemas."""

from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.cli.output import console


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of the schema; default: list them.", metavar="NAME", autocompletion=options.complete_schemas
        ),
    ] = None,
) -> int:
    """Print the JSON schema of a document that lambdapack writes or reads.

    Example: lambdapack schema report > report.schema.json
    """
    import json  # noqa: PLC0415  # `--help` must not wait for it

    from lambdapack.report.document.published import SCHEMAS, find_schema  # noqa: PLC0415
    from lambdapack.report.text import align_columns  # noqa: PLC0415

    if name is None:
        console.write_stdout(align_columns([(key, published.what) for key, published in SCHEMAS.items()]))
    else:
        console.write_stdout(json.dumps(find_schema(name), indent=2) + "\n")
    return 0
