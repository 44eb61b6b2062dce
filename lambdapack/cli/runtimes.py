"""`lambdapack runtimes`: the table of runtimes, and what one provides."""

import json
from typing import Annotated

import typer

from lambdapack.cli import console, options
from lambdapack.model import Target
from lambdapack.report import table
from lambdapack.runtimes.catalogue import architectures, identifiers, parse_target, shipped
from lambdapack.runtimes.runtimefile import to_json

app = typer.Typer(help="Lambda's Node.js runtimes and what they provide.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_runtimes()


@app.command("list")
def list_runtimes(report_format: options.FormatOption = options.Format.HUMAN) -> int:
    """Show every runtime with its ABI and its dates.

    Example: lambdapack runtimes list
    """
    runtimes = [shipped(Target(name, architectures(name)[0])) for name in identifiers()]
    day = options.today()
    if report_format is options.Format.JSON:
        console.product(json.dumps([table.runtime_row(each, day) for each in runtimes], indent=2) + "\n")
    else:
        console.product(table.runtimes(runtimes, day))
    return 0


@app.command("show")
def show(
    identifier: Annotated[str, typer.Argument(help="Such as nodejs22.x.", metavar="ID")],
    arch: options.Arch = None,
    report_format: options.FormatOption = options.Format.HUMAN,
) -> int:
    """Show what a runtime provides: ABI, symbol versions, libraries.

    Example: lambdapack runtimes show nodejs22.x --arch arm64
    """
    runtime = shipped(parse_target(identifier, arch or "x86_64"))
    if report_format is options.Format.JSON:
        console.product(json.dumps(to_json(runtime), indent=2) + "\n")
    else:
        console.product(table.runtime(runtime, options.today()))
    return 0
