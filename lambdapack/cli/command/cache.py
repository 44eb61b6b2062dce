"""`lambdapack cache`: signatures and help; cli/run/cache.py runs them."""

import typer

from lambdapack.cli.command import options

app = typer.Typer(help="Show or clear the cache.", rich_markup_mode=None, no_args_is_help=True)


@app.command("show", short_help="Show what the cache holds, where, and its size.")
def show(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Show what the cache holds, where, and its size: facts of binaries, measured runtimes, npm's downloads.

    The first two are in the user's cache directory, or where LAMBDAPACK_CACHE points. npm's cache is a volume of the
    container engine; it is shown only when an engine answers.

    Example: lambdapack cache show
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_show(report_format)


@app.command("clear")
def clear(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Remove everything in the cache and show what was freed. The next build takes longer.

    Example: lambdapack cache clear
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_clear(report_format)
