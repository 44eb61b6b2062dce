"""Runs `lambdapack invoke`: invokes a local or a deployed function in the runtime image and prints its answers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.cli.input.built_zips import BuiltZip, find_built_zip, is_older_than_project
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.events import Event, check_port_is_free, read_events
from lambdapack.cli.input.resources import AwsOptions, output_paths
from lambdapack.cli.input.settings import read_settings, select_targets
from lambdapack.cli.input.targets import (
    fetch_target,
    read_manifest_settings,
    settings_from_function,
    settings_from_manifest,
)
from lambdapack.cli.input.variables import read_variables
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.build import make_build_request
from lambdapack.config.settings import Settings
from lambdapack.deploy.nouns import LambdaFunction
from lambdapack.engine.images import BARE_IMAGE, expand_image_name
from lambdapack.errors.build import FUNCTION_ERROR
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.model import Target
from lambdapack.pipeline.invoke import InvocationRequest, invoke_archive
from lambdapack.pipeline.package.build import build_packages
from lambdapack.prove.invoke import (
    DEBUGGER_TIMEOUT_SECONDS,
    DEFAULT_MEMORY_MB,
    DEFAULT_TIMEOUT_SECONDS,
    INIT_SECONDS,
    InvokeRequest,
    InvokeResult,
)
from lambdapack.report import human
from lambdapack.rules.model.report import Verdict

WORKING_DIRECTORY = Path()

EMULATION_SLOWDOWN = 10
"""How many times slower an emulated CPU is (README: "about ten times slower than native")."""


@dataclass(frozen=True, slots=True)
class InvokeOptions:
    """What is no setting."""

    path: Path | None  # None: the zip that was built last, or the project
    function: str | None
    place: AwsOptions
    events: tuple[str, ...]
    variables: tuple[str, ...]  # NAME=VALUE, or NAME for the host's own value
    env_files: tuple[Path, ...]
    network: bool
    timeout_seconds: int | None
    memory_mb: int | None
    debugger: int | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class InvocationTarget:
    """What is run, and what is known of it."""

    archive: Path
    layers: tuple[Path, ...]
    target: Target
    handler: str
    settings: Settings
    function: LambdaFunction | None = None  # the deployed one that it is


def run_invoke(options: InvokeOptions, flags: Mapping[str, object]) -> int:
    """Invoke, print each answer when it is there, and return the exit code; LP121 when one is an error."""
    progress = ProgressReporter(quiet=options.quiet)
    variables = read_variables(options.env_files, options.variables)
    events = read_events(options.events)
    if options.debugger is not None:
        check_port_is_free(options.debugger)
    with _open_target(options, flags, progress) as invocation:
        if invocation is None:
            return int(ExitCode.JUDGEMENT)
        engine = engine_connector(invocation.settings, progress, local=True)(invocation.target.architecture)
        emulated = engine.architecture is not invocation.target.architecture
        call = _make_call(
            options,
            invocation,
            events,
            variables,
            seconds=_event_seconds(options, invocation.function, progress, emulated=emulated),
        )
        image = expand_image_name(invocation.settings.image.value or BARE_IMAGE, invocation.target)
        request = InvocationRequest(
            archive=invocation.archive, layers=invocation.layers, target=invocation.target, image=image, call=call
        )
        if options.debugger is not None:
            progress.note(f"the function waits for a debugger at 127.0.0.1:{options.debugger} and has network access")
        results = invoke_archive(request, engine, progress, _print_answer)
    _require_success(events, results)
    return int(ExitCode.FINE)


def _print_answer(answer: InvokeResult) -> None:
    console.write_stdout(answer.payload.decode("utf-8", "replace").rstrip("\n") + "\n")


def _require_success(events: Sequence[Event], results: Sequence[InvokeResult]) -> None:
    failed = [
        (event, invoke_result) for event, invoke_result in zip(events, results, strict=True) if invoke_result.error
    ]
    if failed:
        several = len(events) > 1
        raise LambdapackError(
            FUNCTION_ERROR,
            "\n".join(
                f"{event.name}: {invoke_result.error}" if several else invoke_result.error
                for event, invoke_result in failed
            ),
        )


def _event_seconds(
    options: InvokeOptions, function: LambdaFunction | None, progress: ProgressReporter, *, emulated: bool
) -> int:
    """Return what an event may take. An emulated CPU is given more, unless --timeout says what it is given."""
    if options.timeout_seconds or options.debugger:
        return options.timeout_seconds or DEBUGGER_TIMEOUT_SECONDS
    usual = function.timeout if function else DEFAULT_TIMEOUT_SECONDS
    if not emulated:
        return usual
    more = min(usual * EMULATION_SLOWDOWN, DEBUGGER_TIMEOUT_SECONDS)
    if function:
        progress.note(f"the CPU is emulated: the timeout is {more} s here, {usual} s on Lambda (`--timeout` sets it)")
    return more


def _make_call(
    options: InvokeOptions,
    invocation: InvocationTarget,
    events: Sequence[Event],
    variables: Mapping[str, str],
    *,
    seconds: int,
) -> InvokeRequest:
    """What the command line says comes first, then the deployed function, then what stands for nobody's word."""
    function = invocation.function
    deployed = {} if function is None else {"AWS_LAMBDA_FUNCTION_NAME": function.name, **function.environment}
    return InvokeRequest(
        invocation.handler,
        tuple(event.payload for event in events),
        {**deployed, **variables},
        network=options.network,
        timeout_seconds=seconds,
        startup_seconds=INIT_SECONDS if function and not options.timeout_seconds and not options.debugger else 0,
        memory_mb=options.memory_mb or (function.memory if function else DEFAULT_MEMORY_MB),
        debugger=options.debugger,
    )


@contextmanager
def _open_target(
    options: InvokeOptions, flags: Mapping[str, object], progress: ProgressReporter
) -> Iterator[InvocationTarget | None]:
    """Lend what is run, None when a project was built and did not pass."""
    if options.function is None:
        yield _local_target(options.path, flags, progress)
        return
    if options.path is not None:
        hint = "Pass one of them."
        raise LambdapackError(USAGE, f"{options.path} and --function {options.function} exclude each other", hint=hint)
    if not options.function:  # an empty variable of a script
        raise LambdapackError(USAGE, "--function is empty", hint="Name a function: `--function app:live`.")
    name = options.function if options.function.startswith("arn:") else f"function:{options.function}"
    with fetch_target(name, options.place, progress) as fetched:
        if fetched is None or fetched.function is None:
            hint = "Pass NAME, NAME:ALIAS or an ARN."
            raise LambdapackError(USAGE, f"--function {options.function} is not a function name", hint=hint)
        settings = read_settings(WORKING_DIRECTORY, settings_from_function(fetched, flags))
        (target,) = select_targets(settings, progress)
        for layer in (*fetched.layers.unreadable, *fetched.layers.missing):
            progress.note(f"layer {layer} cannot be read and is skipped")
        yield InvocationTarget(
            fetched.path, fetched.layer_files, target, fetched.function.handler, settings, fetched.function
        )


def _local_target(
    written: Path | None, flags: Mapping[str, object], progress: ProgressReporter
) -> InvocationTarget | None:
    path = WORKING_DIRECTORY if written is None else written
    settings = read_settings(path, settings_from_manifest(path, flags, progress))
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    zip_ = find_built_zip(path, settings, flags) if written is None else None
    if zip_:
        settings = read_settings(path, zip_.complete_flags(flags))
    target = select_targets(settings, progress)[0]
    archive = _find_or_build_archive(path, settings, target, zip_, progress)
    if archive is None:
        return None
    handler = settings.handler.value
    if flags.get("handler") is None:
        handler = (read_manifest_settings(archive) or {}).get("handler", handler)  # what the zip was built with
    return InvocationTarget(archive, settings.layers.value, target, handler, settings)


def _find_or_build_archive(
    path: Path, settings: Settings, target: Target, zip_: BuiltZip | None, progress: ProgressReporter
) -> Path | None:
    """Return the zip to run: the one named, or the project's, built first when it is missing or older."""
    if not (path / "package.json").is_file():
        return zip_.path if zip_ else path
    if settings.layer.value:
        raise LambdapackError(USAGE, "a layer has no handler", hint="Invoke a function with `--layer ZIP`.")
    output = zip_.path if zip_ else output_paths(path, settings, (target,))[target]
    if output.is_file() and _is_made_for(output, target) and not is_older_than_project(output, path):
        progress.note(f"invoking the existing {output}; `lambdapack build` rebuilds it")
        return output
    (built,) = build_packages(
        # The invocation itself is the proof.
        replace(make_build_request(path, settings, {target: output}), load="never"),
        engine_connector(settings, progress, path, local=True),
        progress,
    )
    if built.report.verdict is not Verdict.PASS:
        console.write_stderr(human.render_human(built.report))
    return built.archive.path if built.archive else None


def _is_made_for(archive: Path, target: Target) -> bool:
    """Tell whether nothing is known against a zip; one name may stand for several targets (`output =`)."""
    known = read_manifest_settings(archive) or {}
    made = (known.get("runtime", target.runtime), known.get("arch", target.architecture.aws))
    return made == (target.runtime, target.architecture.aws)
