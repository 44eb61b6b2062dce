"""Runs `lambdapack deploy`: finds or builds the zip, plans, applies the plan and prints the result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.built_zips import find_built_zip, is_older_than_project
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.functions import locate_functions, select_functions
from lambdapack.cli.input.resources import open_store, output_paths
from lambdapack.cli.input.settings import (
    ALL_ARCHITECTURES,
    fail_on_severity,
    make_policy,
    read_settings,
    select_targets,
)
from lambdapack.cli.input.targets import settings_from_manifest
from lambdapack.cli.output import console
from lambdapack.cli.output.interruption import run_interruptibly
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.aws.deploy_request import (
    DeployOptions,
    describe_version,
    make_desired_function,
    parse_deploy_options,
    take_function_settings,
)
from lambdapack.config.settings import DEFAULT_ORIGIN, Setting, Settings
from lambdapack.config.settings import Settings as Configuration
from lambdapack.deploy.apply import Deployment, DeployRun
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import DeploymentPackage
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.model import Severity
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.deploy import DeployRequest, JudgingPolicy, PlannedFunction, is_refused, plan_deployments
from lambdapack.report.plan import render_deployment, render_plan
from lambdapack.runtimes.runtime import runtime_ids

PACKAGE_JSON = "package.json"


def read_deploy_settings(
    path: Path, flags: Mapping[str, object], cloud: Cloud, function: str, progress: ProgressReporter
) -> tuple[Mapping[str, object], Settings]:
    """Return the settings of a zip, or of a project: what those leave open is built for the function as it is."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {
            name: value for name, value in settings_from_manifest(path, flags, progress).items() if name != "handler"
        }
        return flags, _require_one_architecture(read_settings(path, {**known, "handler": flags.get("handler")}))
    if not (path / PACKAGE_JSON).is_file():
        hint = "Build a zip with `lambdapack build`, or pass the directory that has package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: the directory has no {PACKAGE_JSON}", hint=hint)
    settings = _require_one_architecture(read_settings(path, flags))
    if settings.layer.value:
        raise LambdapackError(
            USAGE,
            "the settings say layer = true, and a layer is not a function",
            hint="Use `lambdapack publish-layer`.",
        )
    if DEFAULT_ORIGIN not in (settings.runtime.origin, settings.arch.origin):
        return flags, settings
    return flags, _fill_from_function(settings, cloud, function, progress)


def _fill_from_function(settings: Settings, cloud: Cloud, function: str, progress: ProgressReporter) -> Settings:
    with progress.task(f"Reading {function}"):
        latest = cloud.function(function)
    if latest is None or latest.runtime not in runtime_ids():
        return settings
    origin = f"function {function}"
    if settings.runtime.origin == DEFAULT_ORIGIN:
        settings = replace(settings, runtime=Setting(latest.runtime, origin))
    if settings.arch.origin == DEFAULT_ORIGIN:
        settings = replace(settings, arch=Setting(latest.architecture.aws, origin))
    progress.note(f"building for {settings.runtime.value}/{settings.arch.value}, the target of {function}")
    return settings


def _require_one_architecture(settings: Settings) -> Settings:
    if settings.arch.value == ALL_ARCHITECTURES:
        hint = "Pass `--arch x86_64` or `--arch arm64`."
        raise LambdapackError(USAGE, f"a function has one architecture, but {settings.arch.origin} says all", hint=hint)
    return settings


def find_or_build_zip(path: Path, settings: Settings, progress: ProgressReporter, *, verbose: bool) -> Path | None:
    """Return the zip of a path; a project is built, and None is returned when it did not pass."""
    if path.is_file():
        return path
    from lambdapack.cli.run.build import make_build_request  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.pipeline.package.build import build_packages  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    targets = select_targets(settings, progress)
    (built,) = build_packages(
        make_build_request(path, settings, output_paths(path, settings, targets)),
        engine_connector(settings, progress, path, local=True),
        progress,
    )
    if built.archive is None:
        console.write_stderr(human.render_human(built.report, verbose=verbose))
        console.write_stderr("no archive was written; nothing was deployed\n")
    return built.archive.path if built.archive else None


def read_package(archive: Path) -> DeploymentPackage:
    """Return a zip with its digest. LP007 when it cannot be read."""
    return DeploymentPackage(archive, code_digest(archive), archive.stat().st_size)


def run_deploy(options: DeployOptions, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    progress = ProgressReporter(quiet=options.quiet, fold_scripts=not options.verbose)
    path, flags = _select_path(options.path, flags, progress)
    stated = read_settings(path, flags)
    functions = select_functions(stated)
    own = [read_settings(path, flags, function) for function in functions]
    parsed = [parse_deploy_options(options, settings) for settings in own]
    cloud = locate_functions(functions, options.place.with_settings(own[0])).connect()
    flags, configuration = read_deploy_settings(path, flags, cloud, functions[0], progress)
    archive = find_or_build_zip(path, configuration, progress, verbose=options.verbose)
    if archive is None:
        return int(ExitCode.JUDGEMENT)
    package = read_package(archive)
    handler, described = flags.get("handler"), describe_version(package, options.project or path)
    named = handler if isinstance(handler, str) else None
    desired = tuple(
        make_desired_function(
            options, function, package, take_function_settings(configuration, settings),
            replace(terms, handler=named, version_description=described),
        )
        for function, settings, terms in zip(functions, own, parsed, strict=True)
    )  # fmt: skip
    request = DeployRequest(desired, _judging_policy_factory(configuration), options.project)
    planned = plan_deployments(request, cloud, progress)
    refused = is_refused(planned, fail_on_severity(configuration) or Severity.ERROR)
    _print_findings(options, planned)
    if options.dry_run or refused:
        _print_plans(options, planned, cloud.region, refused=refused)
        return int(ExitCode.JUDGEMENT if refused else ExitCode.FINE)
    run = DeployRun([planned_function.plan for planned_function in planned], cloud, progress)
    deployments = run_interruptibly(run.apply, run.stop, run.describe)
    console.write_stderr("".join(map(render_deployment, deployments)))
    _print_deployments(options, deployments)
    return int(ExitCode.FINE)


def _print_deployments(options: DeployOptions, deployments: Sequence[Deployment]) -> None:
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.plan import render_deployments_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_deployments_json(deployments))
    else:
        console.write_stdout("".join(f"{deployment.version.version_arn}\n" for deployment in deployments))


def _select_path(
    path: Path | None, flags: Mapping[str, object], progress: ProgressReporter
) -> tuple[Path, Mapping[str, object]]:
    """Return the zip that was built here, or the project and the target of its zip, when that is older."""
    if path is not None:
        return path, flags
    here = Path()
    zip_ = find_built_zip(here, read_settings(here, flags), flags)
    if zip_ is None:
        return here, flags
    if (here / PACKAGE_JSON).is_file() and is_older_than_project(zip_.path, here):
        progress.note(f"{zip_.path} is older than the project, which is built again")
        return here, zip_.complete_flags(flags)
    progress.note(f"deploying {zip_.path}")
    return zip_.path, flags


def _judging_policy_factory(configuration: Configuration) -> Callable[[], JudgingPolicy]:
    """Return what says how to judge; LP001 at once for an ignored code that does not exist."""

    @cache
    def terms() -> JudgingPolicy:
        return JudgingPolicy(make_policy(configuration, handler_required=True), open_store(configuration))

    if configuration.ignore.value:
        terms()
    return terms


def _print_findings(options: DeployOptions, planned: tuple[PlannedFunction, ...]) -> None:
    """Tell the findings, those of several functions under their names."""
    for planned_function in planned:
        if planned_function.report and (planned_function.report.findings or options.verbose):
            from lambdapack.report import human  # noqa: PLC0415  # not when nothing is to do

            lead = f"{planned_function.plan.desired.function}:\n" if len(planned) > 1 else ""
            console.write_stderr(f"{lead}{human.render_human(planned_function.report, verbose=options.verbose)}\n")


def _print_plans(options: DeployOptions, planned: tuple[PlannedFunction, ...], region: str, *, refused: bool) -> None:
    plans = [planned_function.plan for planned_function in planned]
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.plan import render_plans_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_plans_json(plans, region, refused=refused))
    else:
        write = console.write_stdout if options.dry_run else console.write_stderr
        write("".join(render_plan(plan, refused=refused) for plan in plans))
    if refused:
        console.write_stderr("nothing was deployed\n")
