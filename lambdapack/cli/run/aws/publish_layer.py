"""Runs `lambdapack publish-layer`: finds or builds the layer zips, plans, publishes and prints the result."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.resources import AwsOptions, open_store, output_paths
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
from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.deploy.layer import LayerRun
from lambdapack.deploy.nouns import LayerPermission
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.publish import LayerRequest, PlannedLayer, PublishSettings, plan_layers
from lambdapack.report.layer import render_layer_outcome, render_layer_plan
from lambdapack.runtimes.runtime import parse_architecture, parse_runtime

LAYER_NAME = re.compile(r"[A-Za-z0-9_-]{1,133}")
"""A layer's name; 140 signs are the most (Lambda API), and "-x86_64" may be added."""

ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
"""AWS Organizations API, "OrganizationId"."""

PACKAGE_JSON = "package.json"


@dataclass(frozen=True, slots=True)
class PublishLayerOptions:
    """What is no setting of the project."""

    path: Path
    name: str
    keep: int
    public: bool
    share: tuple[str, ...]
    dry_run: bool
    bucket: str
    project: Path | None
    place: AwsOptions
    style: ListFormat
    verbose: bool
    quiet: bool


def run_publish_layer(options: PublishLayerOptions, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    progress = ProgressReporter(quiet=options.quiet, fold_scripts=not options.verbose)
    permissions = _parse_permissions(options)
    settings = _read_layer_settings(options, flags, progress)
    cloud = options.place.with_settings(settings).connect()
    orders = _make_layer_requests(options, settings, progress)
    if not orders:
        return int(ExitCode.JUDGEMENT)
    terms = PublishSettings(
        policy=make_policy(settings, handler_required=False),
        gate=fail_on_severity(settings) or Severity.ERROR,
        store=open_store(settings),
        project=options.project,
        permissions=permissions,
        bucket=options.bucket or settings.bucket.value or "",
        keep=options.keep,
    )
    examined = plan_layers(orders, terms, cloud, progress)
    _print_findings(options, examined)
    stopped = any(planned_layer.is_refused for planned_layer in examined)
    if not stopped and settings.arch.value == ALL_ARCHITECTURES and len(examined) == 1:
        _require_all_architectures(options, examined[0])
    if options.dry_run or stopped:
        _print_plans(options, examined, cloud.region, stopped=stopped)
        return int(ExitCode.JUDGEMENT if stopped else ExitCode.FINE)
    run = LayerRun([planned_layer.plan for planned_layer in examined], cloud, progress)
    done = run_interruptibly(run.apply, run.stop, run.describe)
    console.write_stderr("".join(map(render_layer_outcome, done)))
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.layer import render_published_layers_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_published_layers_json(done, cloud.region))
    else:
        console.write_stdout(
            "".join(f"{published_layer.version.arn}\n" for published_layer in done if published_layer.version)
        )
    return int(ExitCode.FINE)


def _parse_permissions(options: PublishLayerOptions) -> tuple[LayerPermission, ...]:
    """Return who else may use the layer; LP001 for what names nobody, and for a name that AWS does not take."""
    if not LAYER_NAME.fullmatch(options.name):
        hint = "A layer name has letters, digits, - and _, at most 133 characters."
        raise LambdapackError(USAGE, f"--name {options.name!r} is not a layer name", hint=hint)
    permissions = [LayerPermission("lambdapack-public", "*")] if options.public else []
    for grantee in dict.fromkeys(options.share):
        if re.fullmatch(r"[0-9]{12}", grantee):
            permissions.append(LayerPermission(f"lambdapack-{grantee}", grantee))
        elif ORGANIZATION_ID.fullmatch(grantee):
            permissions.append(LayerPermission(f"lambdapack-{grantee}", "*", grantee))
        else:
            hint = "Pass an account's 12 digits or an organization ID: `--share 123456789012`."
            raise LambdapackError(USAGE, f"--share {grantee!r} is neither an account nor an organization", hint=hint)
    return tuple(permissions)


def _read_layer_settings(
    options: PublishLayerOptions, flags: Mapping[str, object], progress: ProgressReporter
) -> Settings:
    path = options.path
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {
            name: value for name, value in settings_from_manifest(path, flags, progress).items() if name != "handler"
        }
        return read_settings(path, known)
    if not (path / PACKAGE_JSON).is_file():
        hint = "Zip a directory in layer form yourself, or pass the directory that has package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: the directory has no {PACKAGE_JSON}", hint=hint)
    if options.project is not None:
        hint = "Remove --project: a project is always built."
        raise LambdapackError(USAGE, "--project needs a zip", hint=hint)
    return read_settings(path, flags)


def _make_layer_requests(
    options: PublishLayerOptions, settings: Settings, progress: ProgressReporter
) -> tuple[LayerRequest, ...]:
    """Return what is to be published; nothing when a project did not pass."""
    if options.path.is_file():
        runtime, arch = settings.runtime, settings.arch
        runtime_name = runtime.value if runtime.origin != DEFAULT_ORIGIN else None
        cpu = (
            parse_architecture(arch.value)
            if arch.origin != DEFAULT_ORIGIN and arch.value != ALL_ARCHITECTURES
            else None
        )
        return (LayerRequest(options.name, options.path, parse_runtime(runtime_name) if runtime_name else None, cpu),)
    built = _build_layers(options, settings, progress)
    if len(built) > 1 and len({code_digest(path) for path in built.values()}) == 1:
        target, path = next(iter(built.items()))
        return (LayerRequest(options.name, path, target.runtime, None),)
    several = len(built) > 1
    return tuple(
        LayerRequest(f"{options.name}-{cpu}" if several else options.name, path, target.runtime, cpu)
        for target, path in built.items()
        for cpu in (target.architecture,)
    )


def _build_layers(
    options: PublishLayerOptions, settings: Settings, progress: ProgressReporter
) -> Mapping[Target, Path]:
    from lambdapack.cli.run.build import make_build_request  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.pipeline.package.build import build_packages  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    outputs = output_paths(options.path, settings, select_targets(settings, progress))
    connect = engine_connector(settings, progress, options.path, local=True)
    built = build_packages(make_build_request(options.path, settings, outputs), connect, progress)
    if any(built_package.archive is None for built_package in built):
        console.write_stderr(
            "\n".join(human.render_human(built_package.report, verbose=options.verbose) for built_package in built)
        )
        console.write_stderr("no archive was written; nothing was published\n")
        return {}
    return {
        built_package.report.runtime.target: built_package.archive.path
        for built_package in built
        if built_package.archive
    }


def _require_all_architectures(options: PublishLayerOptions, examined: PlannedLayer) -> None:
    cpus = examined.plan.desired.architectures
    if len(cpus) < len(Architecture):
        named = " and ".join(architecture.aws for architecture in cpus)
        hint = f"Build both: `lambdapack publish-layer DIR --name {options.name} --arch all`, or remove --arch."
        raise LambdapackError(USAGE, f"{options.path} works on {named} only, not on all architectures", hint=hint)


def _print_findings(options: PublishLayerOptions, examined: Sequence[PlannedLayer]) -> None:
    """Tell the findings, those of several layers under their names."""
    from lambdapack.report import human  # noqa: PLC0415  # not when there are none

    for planned_layer in examined:
        if planned_layer.report.findings or options.verbose:
            lead = f"{planned_layer.plan.desired.name}:\n" if len(examined) > 1 else ""
            console.write_stderr(f"{lead}{human.render_human(planned_layer.report, verbose=options.verbose)}\n")


def _print_plans(options: PublishLayerOptions, examined: Sequence[PlannedLayer], region: str, *, stopped: bool) -> None:
    plans = [planned_layer.plan for planned_layer in examined]
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.layer import render_layer_plans_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_layer_plans_json(plans, region, refused=stopped))
    else:
        write = console.write_stdout if options.dry_run else console.write_stderr
        write("".join(render_layer_plan(layer_plan, refused=stopped) for layer_plan in plans))
    if stopped:
        console.write_stderr("nothing was published\n")
