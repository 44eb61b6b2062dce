"""Does what `lambdapack deploy` asks, and tells what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lambdapack.cli import choices, console, signals
from lambdapack.cli.cloud import Place
from lambdapack.cli.deployable import package_of, settings_with_function, zip_of
from lambdapack.cli.options import Format
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.cli.wishes import canary_of, smoke_of, variables_of
from lambdapack.config import Settings as Configuration
from lambdapack.config.settings import DEFAULT
from lambdapack.deploy.apply import apply
from lambdapack.deploy.nouns import Settings
from lambdapack.deploy.wanted import Package, Wanted
from lambdapack.errors import USAGE, Exit, LambdapackError
from lambdapack.model import Severity
from lambdapack.pipeline.deploying import Examined, Order, Terms, examine, refused
from lambdapack.pipeline.scratch import scratch_directory
from lambdapack.report import plan as plans
from lambdapack.runtimes.catalogue import newest, parse_architecture, parse_runtime

ON_INTERRUPTION = "the same command goes on; aliases serve versions that were ready"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    path: Path
    functions: tuple[str, ...]
    alias: str
    place: Place
    dry_run: bool
    smoke: Path | None
    smoke_status: int | None
    canary: str
    bucket: str
    project: Path | None
    create: bool
    role: str | None
    memory: int | None
    timeout: int | None
    variables: tuple[str, ...]
    layers: tuple[str, ...] | None
    allow_architecture: bool
    allow_runtime: bool
    style: Format
    verbose: bool
    quiet: bool


def named(functions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, each once; LP001 for one with a version or alias at its end."""
    for each in functions:
        parts = each.split(":")
        if not each or len(parts) not in {1, 3, 7} or each.endswith(":"):
            hint = "Name the function alone; what shall serve it is said with `--alias`."
            raise LambdapackError(USAGE, f"--function {each!r} is no name or ARN of a function", hint=hint)
    return tuple(dict.fromkeys(functions))


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    bars = Bars(quiet=asked.quiet)
    functions, wishes = named(asked.functions), _wishes(asked)
    cloud = asked.place.connect()
    flags, configuration = settings_with_function(asked.path, flags, cloud, functions[0], bars)
    archive = zip_of(asked.path, configuration, bars, verbose=asked.verbose)
    if archive is None:
        return int(Exit.JUDGEMENT)
    package = package_of(archive)
    handler = flags.get("handler")
    wanted = [
        _wanted(asked, each, package, configuration, handler if isinstance(handler, str) else None, wishes)
        for each in functions
    ]
    order = Order(tuple(wanted), _terms(configuration), asked.project)
    with scratch_directory() as scratch:
        examined = examine(order, cloud, scratch, bars)
    stopped = refused(examined, choices.fail_on(configuration) or Severity.ERROR)
    _report(asked, examined)
    if asked.dry_run or stopped:
        _plans(asked, examined, cloud.region, stopped=stopped)
        return int(Exit.JUDGEMENT if stopped else Exit.FINE)
    signals.leave(ON_INTERRUPTION)
    done = apply([each.plan for each in examined], cloud, bars)
    console.talk("".join(map(plans.outcome, done)))
    if asked.style is Format.JSON:
        console.product(plans.deployments(done))
    else:
        console.product("".join(f"{each.version.version_arn}\n" for each in done))
    return int(Exit.FINE)


def _terms(configuration: Configuration) -> Callable[[], Terms]:
    """Return what says how to judge; LP001 at once for an ignored code that does not exist."""

    @cache
    def terms() -> Terms:
        return Terms(choices.policy_of(configuration, handler_required=True), store_of(configuration))

    if configuration.ignore.value:
        terms()
    return terms


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The options that have to be read first."""

    canary: float
    variables: tuple[tuple[str, str], ...]


def _wishes(asked: Asked) -> _Wishes:
    if asked.canary and not asked.alias:
        raise LambdapackError(USAGE, "--canary splits the traffic of an alias", hint="Name it with `--alias`.")
    if asked.smoke_status is not None and asked.smoke is None:
        raise LambdapackError(USAGE, "--smoke-status needs an event", hint="Pass one with `--smoke FILE`.")
    if asked.role and not asked.role.startswith("arn:"):
        hint = "It looks like arn:aws:iam::123456789012:role/NAME; `aws iam list-roles` lists them."
        raise LambdapackError(USAGE, f"--role {asked.role} is no ARN", hint=hint)
    return _Wishes(canary_of(asked.canary), variables_of(asked.variables))


def _wanted(
    asked: Asked, function: str, package: Package, configuration: Configuration, handler: str | None, wishes: _Wishes
) -> Wanted:
    runtime, arch = configuration.runtime, configuration.arch
    said = runtime.value if runtime.origin != DEFAULT else None
    settings = Settings(
        handler=handler, role=asked.role, timeout=asked.timeout, memory=asked.memory, layers=asked.layers
    )
    new = Settings(runtime=newest(choices.today()), handler=configuration.handler.value, role=asked.role)
    return Wanted(
        function=function,
        package=package,
        alias=asked.alias,
        runtime=parse_runtime(said) if said else None,
        architecture=parse_architecture(arch.value) if arch.origin != DEFAULT else None,
        settings=settings,
        variables=wishes.variables,
        new=new if asked.create else None,
        bucket=asked.bucket,
        smoke=smoke_of(asked.smoke, asked.smoke_status) if asked.smoke else None,
        canary=wishes.canary,
        allow_architecture=asked.allow_architecture,
        allow_runtime=asked.allow_runtime,
    )


def _report(asked: Asked, examined: tuple[Examined, ...]) -> None:
    """Tell the findings, those of several functions under their names."""
    for each in examined:
        if each.report and (each.report.findings or asked.verbose):
            from lambdapack.report import human  # noqa: PLC0415  # not when nothing is to do

            lead = f"{each.plan.wanted.function}:\n" if len(examined) > 1 else ""
            console.talk(f"{lead}{human.render(each.report, verbose=asked.verbose)}\n")


def _plans(asked: Asked, examined: tuple[Examined, ...], region: str, *, stopped: bool) -> None:
    found = [each.plan for each in examined]
    if asked.style is Format.JSON:
        console.product(plans.document(found, region, refused=stopped))
    else:
        write = console.product if asked.dry_run else console.talk
        write("".join(plans.human(each, refused=stopped) for each in found))
    if stopped:
        console.talk("nothing was sent\n")
