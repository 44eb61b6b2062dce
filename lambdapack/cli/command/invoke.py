"""`lambdapack invoke`: signature and help; cli/run/invoke.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options


def invoke(
    path: Annotated[
        Path | None, typer.Argument(help="Zip, or a project whose zip is built when missing; default: see below.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", help="File or directory of events, - for stdin; repeatable.", metavar="FILE"),
    ] = None,
    function: Annotated[
        str | None, typer.Option("--function", "-f", help="Run a deployed function: NAME, NAME:ALIAS.", metavar="NAME")
    ] = None,
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    handler: options.HandlerOption = None,
    layer: options.LayerOption = None,
    image: options.ImageOption = None,
    engine: options.EngineOption = None,
    env: options.EnvOption = None,
    env_file: options.EnvFileOption = None,
    network: Annotated[bool, typer.Option("--network", help="Give the function network access.")] = False,
    timeout: Annotated[
        int | None,
        typer.Option(
            "--timeout", help="Seconds per event; default 30, emulated 300.", metavar="SECONDS", min=1, max=900
        ),
    ] = None,
    memory: Annotated[
        int | None, typer.Option("--memory", help="Memory in MB; default 1024.", metavar="MB", min=128, max=10240)
    ] = None,
    debug: Annotated[
        int | None,
        typer.Option("--debug", help="Wait for a debugger on this port.", metavar="PORT", min=1, max=65535),
    ] = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    quiet: options.QuietOption = False,
) -> int:
    """Run the handler in the runtime image; print its answer.

    The zip is unpacked in the image, and the function runs as on Lambda: as an unprivileged user, on a file system
    that is read-only except for /tmp, with its own memory and timeout, and without network access unless --network is
    given. Its log goes to stderr. An error answer is exit 1. Layers are merged at /opt as Lambda does it.

    Without PATH it is the zip that `lambdapack build` wrote here, for that zip's runtime and architecture. A project is
    built first when it has no zip, or has changed since.

    Several events go to one warm function, in order; one answer per line. A .jsonl file has one event per line.

    --function downloads code, layers, handler, variables, memory and timeout of a deployed function and runs it here.
    It has no AWS credentials unless --env AWS_ACCESS_KEY_ID (and so on) passes yours.

    --debug starts node with --inspect-brk at 127.0.0.1:PORT: open chrome://inspect, or attach your editor.

    Example: lambdapack invoke .lambdapack/app-nodejs22.x-arm64.zip --event event.json

    Example: lambdapack invoke --function app:live --event events/ --memory 256
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.invoke import InvokeOptions, run_invoke  # noqa: PLC0415  # `--help` must not wait for it

    flags = {
        "runtime": runtime,
        "arch": arch,
        "handler": handler,
        "image": image,
        "layers": layer,
        "engine-use": engine,
    }
    arguments = InvokeOptions(
        path=path,
        function=function,
        place=AwsOptions(profile, region, endpoint_url),
        events=tuple(event or ()),
        variables=tuple(env or ()),
        env_files=tuple(env_file or ()),
        network=network,
        timeout_seconds=timeout,
        memory_mb=memory,
        debugger=debug,
        quiet=quiet,
    )
    return run_invoke(arguments, flags)
