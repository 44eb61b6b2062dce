"""`lambdapack images`: which images a build uses, and our own toolchain image."""

import typer

app = typer.Typer(help="The container images of a build.", rich_markup_mode=None, no_args_is_help=True)
