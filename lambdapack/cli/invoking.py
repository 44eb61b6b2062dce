"""Does what `lambdapack invoke` asks, and prints the answers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.images import BARE_IMAGE, expand
from lambdapack.cli import choices, console
from lambdapack.cli.asking import Event, events_of, require_free, variables_of
from lambdapack.cli.beside import remembered, with_memory
from lambdapack.cli.bringing import brought, fitting
from lambdapack.cli.building import wanted_of
from lambdapack.cli.cloud import Place
from lambdapack.cli.engines import connector
from lambdapack.cli.places import outputs_for
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.deploy.nouns import Function
from lambdapack.errors import BAD_TARGET, FUNCTION_ERROR, USAGE, Exit, LambdapackError
from lambdapack.model import Target
from lambdapack.pack.source import source_tree
from lambdapack.pipeline.build import build
from lambdapack.pipeline.invoking import Invocation, answers
from lambdapack.prove.invoke import DEBUGGER_SECONDS, MEMORY_MB, TIMEOUT_SECONDS, Call
from lambdapack.prove.replies import Answer
from lambdapack.report import human
from lambdapack.rules.verdict import Verdict

HERE = Path()

EMULATION = 10
"""How many times slower an emulated CPU is (README: "about ten times slower than native")."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting."""

    path: Path
    function: str | None
    place: Place
    events: tuple[str, ...]
    variables: tuple[str, ...]  # NAME=VALUE, or NAME for the host's own value
    env_files: tuple[Path, ...]
    network: bool
    timeout_seconds: int | None
    memory_mb: int | None
    debugger: int | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class Runnable:
    """What is run, and what is known of it."""

    archive: Path
    layers: tuple[Path, ...]
    target: Target
    handler: str
    settings: Settings
    function: Function | None = None  # the deployed one that it is


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Invoke, print each answer when it is there, and return the exit code; LP121 when one is an error."""
    bars = Bars(quiet=asked.quiet)
    variables = variables_of(asked.env_files, asked.variables)
    events = events_of(asked.events)
    if asked.debugger is not None:
        require_free(asked.debugger)
    with _runnable(asked, flags, bars) as found:
        if found is None:
            return int(Exit.JUDGEMENT)
        engine = connector(found.settings)(found.target.architecture)
        emulated = engine.architecture is not found.target.architecture
        call = _call(asked, found, events, variables, seconds=_seconds(asked, found.function, bars, emulated=emulated))
        image = expand(found.settings.image.value or BARE_IMAGE, found.target)
        wanted = Invocation(archive=found.archive, layers=found.layers, target=found.target, image=image, call=call)
        if asked.debugger is not None:
            bars.note(f"the function waits for a debugger at 127.0.0.1:{asked.debugger}, and has a network meanwhile")
        replied = answers(wanted, engine, bars, _print)
    _require(events, replied)
    return int(Exit.FINE)


def _print(answer: Answer) -> None:
    console.product(answer.payload.decode("utf-8", "replace").rstrip("\n") + "\n")


def _require(events: Sequence[Event], replied: Sequence[Answer]) -> None:
    failed = [(event, each) for event, each in zip(events, replied, strict=True) if each.error]
    if failed:
        several = len(events) > 1
        raise LambdapackError(
            FUNCTION_ERROR,
            "\n".join(f"{event.name}: {each.error}" if several else each.error for event, each in failed),
        )


def _seconds(asked: Asked, function: Function | None, bars: Bars, *, emulated: bool) -> int:
    """Return what an event may take. An emulated CPU is given more, unless --timeout says what it is given."""
    if asked.timeout_seconds or asked.debugger:
        return asked.timeout_seconds or DEBUGGER_SECONDS
    usual = function.timeout if function else TIMEOUT_SECONDS
    if not emulated:
        return usual
    more = min(usual * EMULATION, DEBUGGER_SECONDS)
    if function:
        bars.note(f"the CPU is emulated here: an event may take {more} s, not {usual} as there (`--timeout` sets it)")
    return more


def _call(
    asked: Asked, found: Runnable, events: Sequence[Event], variables: Mapping[str, str], *, seconds: int
) -> Call:
    """What the command line says comes first, then the deployed function, then what stands for nobody's word."""
    function = found.function
    deployed = {} if function is None else {"AWS_LAMBDA_FUNCTION_NAME": function.name, **function.environment}
    return Call(
        found.handler,
        tuple(each.payload for each in events),
        {**deployed, **variables},
        network=asked.network,
        timeout_seconds=seconds,
        memory_mb=asked.memory_mb or (function.memory if function else MEMORY_MB),
        debugger=asked.debugger,
    )


@contextmanager
def _runnable(asked: Asked, flags: Mapping[str, object], bars: Bars) -> Iterator[Runnable | None]:
    """Lend what is run, None when a project was built and did not pass."""
    if asked.function is None:
        yield _local(asked.path, flags, bars)
        return
    if asked.path != HERE:
        hint = "Leave one of them out."
        raise LambdapackError(USAGE, f"{asked.path} and --function {asked.function} are two functions", hint=hint)
    if not asked.function:  # an empty variable of a script
        raise LambdapackError(USAGE, "--function is an empty text", hint="Name a function: `--function app:live`.")
    name = asked.function if asked.function.startswith("arn:") else f"function:{asked.function}"
    with brought(name, asked.place, bars) as fetched:
        if fetched is None or fetched.function is None:
            hint = "Write NAME, NAME:ALIAS or an ARN."
            raise LambdapackError(USAGE, f"--function {asked.function} is no function's name", hint=hint)
        settings = choices.settings_of(HERE, fitting(fetched, flags))
        (target,) = choices.targets_of(settings, bars)
        for each in fetched.layers.unseen:
            bars.note(f"the layer {each} cannot be read, and is left out")
        yield Runnable(fetched.path, fetched.files, target, fetched.function.handler, settings, fetched.function)


def _local(path: Path, flags: Mapping[str, object], bars: Bars) -> Runnable | None:
    settings = choices.settings_of(path, with_memory(path, flags, bars))
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    target = choices.targets_of(settings, bars)[0]
    archive = _archive(path, settings, target, bars)
    if archive is None:
        return None
    handler = settings.handler.value
    if flags.get("handler") is None:
        handler = (remembered(archive) or {}).get("handler", handler)  # what the zip was built with
    return Runnable(archive, settings.layers.value, target, handler, settings)


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
