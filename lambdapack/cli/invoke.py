"""`lambdapack invoke`: the options; invoking.py does it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import options


def invoke(
    path: Annotated[Path, typer.Argument(help="Zip, or a project whose zip is built when absent.")] = Path(),
    event: Annotated[str, typer.Option("--event", help="File with the event, - for stdin.", metavar="FILE")] = "",
    runtime: options.Runtime = None,
    arch: options.Arch = None,
    handler: options.Handler = None,
    layer: options.Layers = None,
    image: options.Image = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="A variable of the function; repeatable.", metavar="NAME=VALUE")
    ] = None,
    network: Annotated[bool, typer.Option("--network", help="Give the function a network.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds the function may take.", min=1, max=900)] = 30,
    quiet: options.Quiet = False,
) -> int:
    """Run the handler in the bare runtime image; prints its answer.

    The zip is unpacked in the image, the function runs as Lambda runs it: as an unprivileged user, on a read-only
    file system, and without a network unless asked. Its log goes to stderr. An error it answers with is exit 1.
    Layers are laid out at /opt as Lambda does it: a later one's file replaces an earlier one's.

    Example: lambdapack invoke .lambdapack/app-nodejs22.x-arm64.zip --event event.json
    """
    from lambdapack.cli.invoking import Asked, carry_out  # noqa: PLC0415  # `--help` must not wait for it

    flags = {"runtime": runtime, "arch": arch, "handler": handler, "image": image, "layers": layer}
    asked = Asked(
        path=path,
        event=event,
        variables=tuple(env or ()),
        network=network,
        timeout_seconds=timeout,
        quiet=quiet,
    )
    return carry_out(asked, flags)
