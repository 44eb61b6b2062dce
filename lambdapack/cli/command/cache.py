"""`lambdapack cache`: signatures and help; cli/run/cache.py runs them."""

import typer

from lambdapack.cli.command import options

app = typer.Typer(help="What is remembered between runs.", rich_markup_mode=None, no_args_is_help=True)


@app.command("show", short_help="Show what is kept, where, and how large it is.")
def show(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Show what is kept, where, and how large it is: facts of binaries, measured runtimes, npm's downloads.

    The first two lie in the user's cache directory, or where LAMBDAPACK_CACHE says. npm's cache is a volume of the
    container engine; without an engine that answers it is not shown.

    Example: lambdapack cache show
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_show(report_format)


@app.command("clear")
def clear(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Remove all of it and show what was freed. Costs time later, and nothing else.

    Example: lambdapack cache clear
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_clear(report_format)
