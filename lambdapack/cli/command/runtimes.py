"""`lambdapack runtimes`: signatures and help; cli/run/runtimes.py runs them."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.cli.command.options import complete_runtimes

app = typer.Typer(help="Lambda's Node.js runtimes and what they provide.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _list_by_default(context: typer.Context, report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    return list_runtimes(report_format) if context.invoked_subcommand is None else 0


@app.command("list")
def list_runtimes(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """List every runtime with its ABI and dates.

    Example: lambdapack runtimes list
    """
    from lambdapack.cli.run import runtimes  # noqa: PLC0415  # `--help` must not wait for it

    return runtimes.run_runtimes_list(report_format)


@app.command("show")
def show(
    identifier: Annotated[
        str, typer.Argument(help="Such as nodejs22.x.", metavar="ID", autocompletion=complete_runtimes)
    ],
    arch: options.ArchOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
) -> int:
    """Show what a runtime provides: ABI, symbol versions, libraries.

    Example: lambdapack runtimes show nodejs22.x --arch arm64
    """
    from lambdapack.cli.run import runtimes  # noqa: PLC0415  # `--help` must not wait for it

    return runtimes.run_runtimes_show(identifier, arch, report_format)


@app.command("measure", short_help="Measure an image or root file system into a runtime file.")
def measure(
    source: Annotated[str, typer.Argument(help="Image, or directory or tar of a root file system.", metavar="SOURCE")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Runtime file to write.", metavar="FILE")],
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    quiet: options.QuietOption = False,
) -> int:
    """Measure what an image or root file system provides into a runtime file; print its path.

    Pass the file to --runtime-file. Without --runtime, its Node.js version decides the Lambda runtime.

    Example: lambdapack runtimes measure registry.example.com/my-base:22 --arch arm64 -o runtime.json
    """
    from lambdapack.cli.run import runtimes  # noqa: PLC0415  # `--help` must not wait for it

    return runtimes.run_runtimes_measure(source, output, runtime, arch, quiet=quiet)
