"""Runs `lambdapack deploy`: finds or builds the zip, plans, applies the plan and prints the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lambdapack.cli import signals
from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.deploy_options import parse_canary, read_smoke_event
from lambdapack.cli.input.engines import AwsOptions
from lambdapack.cli.input.settings import (
    ALL_ARCHITECTURES,
    fail_on_severity,
    make_policy,
    read_settings,
    select_targets,
    utc_today,
)
from lambdapack.cli.input.targets import settings_from_manifest
from lambdapack.cli.input.variables import parse_function_variables
from lambdapack.cli.output import console
from lambdapack.cli.output.places import open_store
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import DEFAULT_ORIGIN, Setting, Settings
from lambdapack.config.settings import Settings as Configuration
from lambdapack.deploy.apply import apply_plans
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import DeploymentPackage, DesiredFunction, FunctionSettings
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.model import Severity
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.deploy import DeployRequest, JudgingPolicy, PlannedFunction, is_refused, plan_deployments
from lambdapack.pipeline.scratch import scratch_directory
from lambdapack.report import plan as plans
from lambdapack.runtimes.runtime import newest_runtime, parse_architecture, parse_runtime, runtime_ids

PACKAGE_JSON = "package.json"


def read_deploy_settings(
    path: Path, flags: Mapping[str, object], cloud: Cloud, function: str, bars: ProgressReporter
) -> tuple[Mapping[str, object], Settings]:
    """Return the settings of a zip, or of a project: what those leave open is built for the function as it is."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {name: value for name, value in settings_from_manifest(path, flags, bars).items() if name != "handler"}
        return flags, _require_one_architecture(read_settings(path, {**known, "handler": flags.get("handler")}))
    if not (path / PACKAGE_JSON).is_file():
        hint = "Zip it with `lambdapack build`, or name the directory that holds package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no {PACKAGE_JSON} in it", hint=hint)
    settings = _require_one_architecture(read_settings(path, flags))
    if settings.layer.value:
        raise LambdapackError(USAGE, "a layer is no function", hint="Use `lambdapack publish-layer`.")
    if DEFAULT_ORIGIN not in (settings.runtime.origin, settings.arch.origin):
        return flags, settings
    return flags, _fill_from_function(settings, cloud, function, bars)


def _fill_from_function(settings: Settings, cloud: Cloud, function: str, bars: ProgressReporter) -> Settings:
    with bars.task(f"Reading {function}"):
        latest = cloud.function(function)
    if latest is None or latest.runtime not in runtime_ids():
        return settings
    origin = f"function {function}"
    if settings.runtime.origin == DEFAULT_ORIGIN:
        settings = replace(settings, runtime=Setting(latest.runtime, origin))
    if settings.arch.origin == DEFAULT_ORIGIN:
        settings = replace(settings, arch=Setting(latest.architecture.aws, origin))
    bars.note(f"built for {settings.runtime.value}/{settings.arch.value}, as {function} is")
    return settings


def _require_one_architecture(settings: Settings) -> Settings:
    if settings.arch.value == ALL_ARCHITECTURES:
        hint = "Pass `--arch x86_64` or `--arch arm64`."
        raise LambdapackError(USAGE, f"a function has one architecture ({settings.arch.origin} says all)", hint=hint)
    return settings


def find_or_build_zip(path: Path, settings: Settings, bars: ProgressReporter, *, verbose: bool) -> Path | None:
    """Return the zip of a path; a project is built, and None is returned when it did not pass."""
    if path.is_file():
        return path
    from lambdapack.cli.input.engines import engine_connector  # noqa: PLC0415
    from lambdapack.cli.output.places import output_paths  # noqa: PLC0415
    from lambdapack.cli.run.build import make_build_request  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.pipeline.build import build_packages  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    targets = select_targets(settings, bars)
    (built,) = build_packages(
        make_build_request(path, settings, output_paths(path, settings, targets)), engine_connector(settings), bars
    )
    if built.archive is None:
        console.write_stderr(human.render_human(built.report, verbose=verbose))
        console.write_stderr("no archive was written, and nothing was sent\n")
    return built.archive.path if built.archive else None


def read_package(archive: Path) -> DeploymentPackage:
    """Return a zip with its digest. LP007 when it cannot be read."""
    return DeploymentPackage(archive, code_digest(archive), archive.stat().st_size)


DEPLOY_INTERRUPTED = "the same command goes on; aliases serve versions that were ready"


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What is no setting of the project."""

    path: Path
    functions: tuple[str, ...]
    alias: str
    place: AwsOptions
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
    style: ListFormat
    verbose: bool
    quiet: bool


def parse_function_names(functions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, each once; LP001 for one with a version or alias at its end."""
    for function in functions:
        parts = function.split(":")
        if not function or len(parts) not in {1, 3, 7} or function.endswith(":"):
            hint = "Name the function alone; what shall serve it is said with `--alias`."
            raise LambdapackError(USAGE, f"--function {function!r} is no name or ARN of a function", hint=hint)
    return tuple(dict.fromkeys(functions))


def run_deploy(asked: DeployOptions, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    bars = ProgressReporter(quiet=asked.quiet)
    functions, wishes = parse_function_names(asked.functions), _parse_options(asked)
    cloud = asked.place.connect()
    flags, configuration = read_deploy_settings(asked.path, flags, cloud, functions[0], bars)
    archive = find_or_build_zip(asked.path, configuration, bars, verbose=asked.verbose)
    if archive is None:
        return int(ExitCode.JUDGEMENT)
    package = read_package(archive)
    handler = flags.get("handler")
    wanted = [
        _make_desired_function(
            asked, function, package, configuration, handler if isinstance(handler, str) else None, wishes
        )
        for function in functions
    ]
    order = DeployRequest(tuple(wanted), _judging_policy_factory(configuration), asked.project)
    with scratch_directory() as scratch:
        examined = plan_deployments(order, cloud, scratch, bars)
    stopped = is_refused(examined, fail_on_severity(configuration) or Severity.ERROR)
    _print_findings(asked, examined)
    if asked.dry_run or stopped:
        _print_plans(asked, examined, cloud.region, stopped=stopped)
        return int(ExitCode.JUDGEMENT if stopped else ExitCode.FINE)
    signals.set_interrupt_message(DEPLOY_INTERRUPTED)
    done = apply_plans([planned_function.plan for planned_function in examined], cloud, bars)
    console.write_stderr("".join(map(plans.render_deployment, done)))
    if asked.style is ListFormat.JSON:
        console.write_stdout(plans.render_deployments_json(done))
    else:
        console.write_stdout("".join(f"{deployment.version.version_arn}\n" for deployment in done))
    return int(ExitCode.FINE)


def _judging_policy_factory(configuration: Configuration) -> Callable[[], JudgingPolicy]:
    """Return what says how to judge; LP001 at once for an ignored code that does not exist."""

    @cache
    def terms() -> JudgingPolicy:
        return JudgingPolicy(make_policy(configuration, handler_required=True), open_store(configuration))

    if configuration.ignore.value:
        terms()
    return terms


@dataclass(frozen=True, slots=True)
class _ParsedOptions:
    """The options that have to be read first."""

    canary: float
    variables: tuple[tuple[str, str], ...]


def _parse_options(asked: DeployOptions) -> _ParsedOptions:
    if asked.canary and not asked.alias:
        raise LambdapackError(USAGE, "--canary splits the traffic of an alias", hint="Name it with `--alias`.")
    if asked.smoke_status is not None and asked.smoke is None:
        raise LambdapackError(USAGE, "--smoke-status needs an event", hint="Pass one with `--smoke FILE`.")
    if asked.role and not asked.role.startswith("arn:"):
        hint = "It looks like arn:aws:iam::123456789012:role/NAME; `aws iam list-roles` lists them."
        raise LambdapackError(USAGE, f"--role {asked.role} is no ARN", hint=hint)
    return _ParsedOptions(parse_canary(asked.canary), parse_function_variables(asked.variables))


def _make_desired_function(
    asked: DeployOptions,
    function: str,
    package: DeploymentPackage,
    configuration: Configuration,
    handler: str | None,
    wishes: _ParsedOptions,
) -> DesiredFunction:
    runtime, arch = configuration.runtime, configuration.arch
    said = runtime.value if runtime.origin != DEFAULT_ORIGIN else None
    settings = FunctionSettings(
        handler=handler, role=asked.role, timeout=asked.timeout, memory=asked.memory, layers=asked.layers
    )
    new = FunctionSettings(runtime=newest_runtime(utc_today()), handler=configuration.handler.value, role=asked.role)
    return DesiredFunction(
        function=function,
        package=package,
        alias=asked.alias,
        runtime=parse_runtime(said) if said else None,
        architecture=parse_architecture(arch.value) if arch.origin != DEFAULT_ORIGIN else None,
        settings=settings,
        variables=wishes.variables,
        creation_settings=new if asked.create else None,
        bucket=asked.bucket,
        smoke=read_smoke_event(asked.smoke, asked.smoke_status) if asked.smoke else None,
        canary=wishes.canary,
        allow_architecture=asked.allow_architecture,
        allow_runtime=asked.allow_runtime,
    )


def _print_findings(asked: DeployOptions, examined: tuple[PlannedFunction, ...]) -> None:
    """Tell the findings, those of several functions under their names."""
    for planned_function in examined:
        if planned_function.report and (planned_function.report.findings or asked.verbose):
            from lambdapack.report import human  # noqa: PLC0415  # not when nothing is to do

            lead = f"{planned_function.plan.desired.function}:\n" if len(examined) > 1 else ""
            console.write_stderr(f"{lead}{human.render_human(planned_function.report, verbose=asked.verbose)}\n")


def _print_plans(asked: DeployOptions, examined: tuple[PlannedFunction, ...], region: str, *, stopped: bool) -> None:
    found = [planned_function.plan for planned_function in examined]
    if asked.style is ListFormat.JSON:
        console.write_stdout(plans.render_plans_json(found, region, refused=stopped))
    else:
        write = console.write_stdout if asked.dry_run else console.write_stderr
        write("".join(plans.render_plan(plan, refused=stopped) for plan in found))
    if stopped:
        console.write_stderr("nothing was sent\n")
