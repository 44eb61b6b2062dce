"""`lambdapack invoke`: prints the handler's answer."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lambdapack.build.images import BARE_IMAGE, expand
from lambdapack.cli import console, options
from lambdapack.cli.build import wanted_of
from lambdapack.cli.engines import connector
from lambdapack.cli.places import outputs_for
from lambdapack.cli.progress import Bars
from lambdapack.cli.verify import remembered
from lambdapack.config import Settings
from lambdapack.errors import BAD_TARGET, USAGE, Exit, LambdapackError
from lambdapack.pipeline.build import build
from lambdapack.pipeline.invoking import Invocation, answer
from lambdapack.prove.invoke import Call
from lambdapack.report import human
from lambdapack.rules.verdict import Verdict


def invoke(
    path: Annotated[Path, typer.Argument(help="Zip, or a project whose zip is built when absent.")] = Path(),
    event: Annotated[str, typer.Option("--event", help="File with the event, - for stdin.", metavar="FILE")] = "",
    runtime: options.Runtime = None,
    arch: options.Arch = None,
    handler: options.Handler = None,
    layer: Annotated[
        list[Path] | None, typer.Option("--layer", help="Layer zip or directory, at /opt; repeatable.", metavar="PATH")
    ] = None,
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

    Example: lambdapack invoke .lambdapack/app-nodejs22.x-arm64.zip --event event.json
    """
    bars = Bars(quiet=quiet)
    known = remembered(path)
    flags = {
        "runtime": runtime or known.get("runtime"),
        "arch": arch or known.get("arch"),
        "handler": handler or known.get("handler"),
        "image": image,
    }
    call_environment = dict(_variable(each) for each in env or [])
    payload = _event(event)
    settings = options.settings_of(path, flags)
    archive = _archive(path, settings, bars)
    if archive is None:
        return int(Exit.JUDGEMENT)
    target = options.targets_of(settings, bars)[0]
    wanted = Invocation(
        archive=archive,
        layers=layer or [],
        target=target,
        image=expand(settings.image.value or BARE_IMAGE, target),
        call=Call(settings.handler.value, payload, call_environment, network=network, timeout_seconds=timeout),
    )
    replied = answer(wanted, connector(settings)(target.architecture), bars)
    console.product(replied.payload.decode("utf-8", "replace").rstrip("\n") + "\n")
    replied.require()
    return int(Exit.FINE)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals and name in os.environ:
        return name, os.environ[name]
    if not equals or not name:
        raise LambdapackError(USAGE, f"--env {text}: NAME=VALUE is expected", hint="Write `--env STAGE=test`.")
    return name, value


def _event(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    if not name:
        return b"{}"
    try:
        return Path(name).read_bytes()
    except OSError as error:
        hint = "Pass `--event FILE` with a JSON document, or `--event -`."
        raise LambdapackError(USAGE, f"--event {name}: {error.strerror or error}", hint=hint) from error


def _archive(path: Path, settings: Settings, bars: Bars) -> Path | None:
    """Return the zip to run: the one named, or the project's, built first when it is not there."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if not (path / "package.json").is_file():
        return path
    if settings.layer.value:
        raise LambdapackError(USAGE, "a layer has no handler", hint="Invoke a function with `--layer ZIP`.")
    target = options.targets_of(settings, bars)[:1]
    output = outputs_for(path, settings, target)[target[0]]
    if output.is_file():
        bars.note(f"invoking {output}, which was built before; `lambdapack build` makes it anew")
        return output
    (built,) = build(wanted_of(path, settings, target), connector(settings), bars)
    if built.report.verdict is not Verdict.PASS:
        console.talk(human.render(built.report))
    return built.archive.path if built.archive else None
