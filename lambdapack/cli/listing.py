"""Prints tables of what is known and of what is there."""

import json

from lambdapack.cli import choices, console
from lambdapack.cli.options import Format
from lambdapack.model import Target
from lambdapack.report import table
from lambdapack.runtimes.catalogue import architectures, identifiers, parse_target, shipped
from lambdapack.runtimes.runtimefile import to_json


def runtimes(style: Format) -> int:
    """Print every runtime."""
    found = [shipped(Target(name, architectures(name)[0])) for name in identifiers()]
    day = choices.today()
    if style is Format.JSON:
        console.product(json.dumps([table.runtime_row(each, day) for each in found], indent=2) + "\n")
    else:
        console.product(table.runtimes(found, day))
    return 0


def runtime(identifier: str, arch: str | None, style: Format) -> int:
    """Print what one runtime provides; LP004 or LP005 when there is none such."""
    found = shipped(parse_target(identifier, arch or "x86_64"))
    if style is Format.JSON:
        console.product(json.dumps(to_json(found), indent=2) + "\n")
    else:
        console.product(table.runtime(found, choices.today()))
    return 0
