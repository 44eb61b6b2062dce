"""Does what `lambdapack invoke` asks, and prints the answer."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.images import BARE_IMAGE, expand
from lambdapack.cli import choices, console
from lambdapack.cli.building import wanted_of
from lambdapack.cli.engines import connector
from lambdapack.cli.places import outputs_for
from lambdapack.cli.progress import Bars
from lambdapack.cli.verifying import remembered, with_memory
from lambdapack.config import Settings
from lambdapack.errors import BAD_TARGET, USAGE, Exit, LambdapackError
from lambdapack.model import Target
from lambdapack.pack.source import source_tree
from lambdapack.pipeline.build import build
from lambdapack.pipeline.invoking import Invocation, answer
from lambdapack.prove.invoke import Call
from lambdapack.report import human
from lambdapack.rules.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting."""

    path: Path
    event: str
    variables: tuple[str, ...]  # NAME=VALUE, or NAME for the host's own value
    network: bool
    timeout_seconds: int
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Invoke, print the answer, and return the exit code; LP121 when the answer is an error."""
    bars = Bars(quiet=asked.quiet)
    environment = dict(_variable(each) for each in asked.variables)
    payload = _event(asked.event)
    settings = choices.settings_of(asked.path, with_memory(asked.path, flags, bars))
    if not asked.path.exists():
        raise LambdapackError(BAD_TARGET, f"{asked.path}: there is no such file or directory")
    target = choices.targets_of(settings, bars)[0]
    archive = _archive(asked.path, settings, target, bars)
    if archive is None:
        return int(Exit.JUDGEMENT)
    handler = settings.handler.value
    if flags.get("handler") is None:
        handler = (remembered(archive) or {}).get("handler", handler)  # what the zip was built with
    call = Call(handler, payload, environment, network=asked.network, timeout_seconds=asked.timeout_seconds)
    image = expand(settings.image.value or BARE_IMAGE, target)
    wanted = Invocation(archive=archive, layers=settings.layers.value, target=target, image=image, call=call)
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
    if not name:
        return b"{}"
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = data.decode("utf-8-sig")  # editors on Windows write a byte order mark, which node refuses
        json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        hint = "Pass `--event FILE` with a JSON document, or `--event -`."
        why = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        raise LambdapackError(USAGE, f"--event {name}: {why or error}", hint=hint) from error
    return text.encode()


def _archive(path: Path, settings: Settings, target: Target, bars: Bars) -> Path | None:
    """Return the zip to run: the one named, or the project's, built first when it is not there."""
    if not (path / "package.json").is_file():
        return path
    if settings.layer.value:
        raise LambdapackError(USAGE, "a layer has no handler", hint="Invoke a function with `--layer ZIP`.")
    output = outputs_for(path, settings, (target,))[target]
    if output.is_file() and _made_for(output, target) and not _older(output, path):
        bars.note(f"invoking {output}, which was built before; `lambdapack build` makes it anew")
        return output
    (built,) = build(wanted_of(path, settings, {target: output}), connector(settings), bars)
    if built.report.verdict is not Verdict.PASS:
        console.talk(human.render(built.report))
    return built.archive.path if built.archive else None


def _older(archive: Path, project: Path) -> bool:
    """Tell whether a file of the project has been written since the zip was."""
    made = archive.stat().st_mtime_ns
    source = source_tree(project).tree.entries
    return any((project / path).lstat().st_mtime_ns > made for path in source)


def _made_for(archive: Path, target: Target) -> bool:
    """Tell whether nothing is known against a zip; one name may stand for several targets (`output =`)."""
    known = remembered(archive) or {}
    made = (known.get("runtime", target.runtime), known.get("arch", target.architecture.aws))
    return made == (target.runtime, target.architecture.aws)
