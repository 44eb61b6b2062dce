"""`lambdapack cache`: signatures and help; cli/run/cache.py runs them."""

from typing import Annotated

import typer

from lambdapack.cli.command import options

app = typer.Typer(
    help="Show, prune, verify or clear the cache.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("show", short_help="Show what the cache holds, where, and its size.")
def show(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Show what the cache holds, where, and its size.

    Dependency trees, facts of binaries and measured runtimes are in the user's cache directory, or where
    LAMBDAPACK_CACHE points. npm's cache is a volume of the container engine; it is shown only when an engine answers.

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


@app.command("prune", short_help="Remove dependency trees that are old or too many.")
def prune(
    max_size: Annotated[
        str | None, typer.Option("--max-size", help="Size to keep at most, such as 2GB; default 5GB.", metavar="SIZE")
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", help="Delete what was not used for so long, such as 30d.", metavar="TIME"),
    ] = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
) -> int:
    """Remove the least recently used dependency trees and show what was freed.

    Every build that stores a tree does the same with the default bounds: 5 GB, and 60 days without use.

    Example: lambdapack cache prune --max-size 1GB --older-than 14d
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_prune(report_format, max_size, older_than)


@app.command("verify", short_help="Read all dependency trees; remove damaged ones.")
def verify(report_format: options.FormatOption = options.ListFormat.HUMAN) -> int:
    """Read every stored dependency tree and remove the damaged ones; exit 1 when there were any.

    A build proves what it takes from the store anyway, and installs again where that fails.

    Example: lambdapack cache verify
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_verify(report_format)


@app.command("policy", short_help="Print the least IAM policy for a shared store.")
def policy(
    address: Annotated[str, typer.Argument(help="The shared store: s3://BUCKET/PREFIX.")],
    read_only: Annotated[
        bool, typer.Option("--read-only", help="For forks and pull requests: no permission to write.")
    ] = False,
) -> int:
    """Print the IAM policy with the permissions that a shared store needs, and no others.

    Give the one that writes to the roles whose results others take, and the read-only one to everybody else.

    Example: lambdapack cache policy s3://my-bucket/lambdapack --read-only
    """
    from lambdapack.cli.run import cache  # noqa: PLC0415  # `--help` must not wait for it

    return cache.run_cache_policy(address, writes=not read_only)
