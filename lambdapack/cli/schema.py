"""`lambdapack schema`: prints a JSON schema, or says which there are."""

from typing import Annotated

import typer

from lambdapack.cli import completing, console


def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="Which; without one, they are listed.", metavar="NAME", autocompletion=completing.schemas),
    ] = None,
) -> int:
    """Print the JSON schema of what lambdapack says or reads.

    Example: lambdapack schema report > report.schema.json
    """
    import json  # noqa: PLC0415  # `--help` must not wait for it

    from lambdapack.report import table  # noqa: PLC0415
    from lambdapack.schema import published  # noqa: PLC0415

    if name is None:
        console.product(table.columns([(each, what) for each, (what, _) in published.SCHEMAS.items()]))
    else:
        console.product(json.dumps(published.schema(name), indent=2) + "\n")
    return 0
