"""Runs `lambdapack publish-layer`: finds or builds the layer zips, plans, publishes and prints the result."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli import signals
from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import AwsOptions
from lambdapack.cli.input.settings import (
    ALL_ARCHITECTURES,
    fail_on_severity,
    make_policy,
    read_settings,
    select_targets,
)
from lambdapack.cli.input.targets import settings_from_manifest
from lambdapack.cli.output import console
from lambdapack.cli.output.places import open_store
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.deploy.layer import publish_layers
from lambdapack.deploy.nouns import LayerPermission
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.publish import LayerRequest, PlannedLayer, PublishSettings, plan_layers
from lambdapack.report import layer as layers
from lambdapack.runtimes.runtime import parse_architecture, parse_runtime

LAYER_NAME = re.compile(r"[A-Za-z0-9_-]{1,133}")
"""A layer's name; 140 signs are the most (Lambda API), and "-x86_64" may be added."""

ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
"""AWS Organizations API, "OrganizationId"."""

PACKAGE_JSON = "package.json"

PUBLISH_INTERRUPTED = "the same command goes on where it stopped"


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


def run_publish_layer(asked: PublishLayerOptions, flags: Mapping[str, object]) -> int:
    """Plan, and do it when nothing speaks against it; returns the exit code."""
    bars = ProgressReporter(quiet=asked.quiet)
    permissions = _parse_permissions(asked)
    settings = _read_layer_settings(asked, flags, bars)
    cloud = asked.place.connect()
    orders = _make_layer_requests(asked, settings, bars)
    if not orders:
        return int(ExitCode.JUDGEMENT)
    terms = PublishSettings(
        policy=make_policy(settings, handler_required=False),
        gate=fail_on_severity(settings) or Severity.ERROR,
        store=open_store(settings),
        project=asked.project,
        permissions=permissions,
        bucket=asked.bucket,
        keep=asked.keep,
    )
    examined = plan_layers(orders, terms, cloud, bars)
    _print_findings(asked, examined)
    stopped = any(planned_layer.is_refused for planned_layer in examined)
    if not stopped and settings.arch.value == ALL_ARCHITECTURES and len(examined) == 1:
        _require_all_architectures(asked, examined[0])
    if asked.dry_run or stopped:
        _print_plans(asked, examined, cloud.region, stopped=stopped)
        return int(ExitCode.JUDGEMENT if stopped else ExitCode.FINE)
    signals.set_interrupt_message(PUBLISH_INTERRUPTED)
    done = publish_layers([planned_layer.plan for planned_layer in examined], cloud, bars)
    console.write_stderr("".join(map(layers.render_layer_outcome, done)))
    if asked.style is ListFormat.JSON:
        console.write_stdout(layers.render_published_layers_json(done, cloud.region))
    else:
        console.write_stdout(
            "".join(f"{published_layer.version.arn}\n" for published_layer in done if published_layer.version)
        )
    return int(ExitCode.FINE)


def _parse_permissions(asked: PublishLayerOptions) -> tuple[LayerPermission, ...]:
    """Return who else may use the layer; LP001 for what names nobody, and for a name that AWS does not take."""
    if not LAYER_NAME.fullmatch(asked.name):
        hint = "A name has letters, digits, - and _, at most 133 of them."
        raise LambdapackError(USAGE, f"--name {asked.name!r} is no name of a layer", hint=hint)
    found = [LayerPermission("lambdapack-public", "*")] if asked.public else []
    for each in dict.fromkeys(asked.share):
        if re.fullmatch(r"[0-9]{12}", each):
            found.append(LayerPermission(f"lambdapack-{each}", each))
        elif ORGANIZATION_ID.fullmatch(each):
            found.append(LayerPermission(f"lambdapack-{each}", "*", each))
        else:
            hint = "Name an account by its 12 digits, or an organization: `--share 123456789012`."
            raise LambdapackError(USAGE, f"--share {each!r} is neither an account nor an organization", hint=hint)
    return tuple(found)


def _read_layer_settings(asked: PublishLayerOptions, flags: Mapping[str, object], bars: ProgressReporter) -> Settings:
    path = asked.path
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_file():
        known = {name: value for name, value in settings_from_manifest(path, flags, bars).items() if name != "handler"}
        return read_settings(path, known)
    if not (path / PACKAGE_JSON).is_file():
        hint = "Zip a directory that is in layer form yourself, or name the one that holds package.json."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no {PACKAGE_JSON} in it", hint=hint)
    if asked.project is not None:
        hint = "Leave --project out: a project is built anew."
        raise LambdapackError(USAGE, "--project is for a zip", hint=hint)
    return read_settings(path, flags)


def _make_layer_requests(
    asked: PublishLayerOptions, settings: Settings, bars: ProgressReporter
) -> tuple[LayerRequest, ...]:
    """Return what is to be published; nothing when a project did not pass."""
    if asked.path.is_file():
        runtime, arch = settings.runtime, settings.arch
        said = runtime.value if runtime.origin != DEFAULT_ORIGIN else None
        cpu = (
            parse_architecture(arch.value)
            if arch.origin != DEFAULT_ORIGIN and arch.value != ALL_ARCHITECTURES
            else None
        )
        return (LayerRequest(asked.name, asked.path, parse_runtime(said) if said else None, cpu),)
    built = _build_layers(asked, settings, bars)
    if len(built) > 1 and len({code_digest(path) for path in built.values()}) == 1:
        target, path = next(iter(built.items()))
        return (LayerRequest(asked.name, path, target.runtime, None),)
    several = len(built) > 1
    return tuple(
        LayerRequest(f"{asked.name}-{cpu}" if several else asked.name, path, target.runtime, cpu)
        for target, path in built.items()
        for cpu in (target.architecture,)
    )


def _build_layers(asked: PublishLayerOptions, settings: Settings, bars: ProgressReporter) -> Mapping[Target, Path]:
    from lambdapack.cli.input.engines import engine_connector  # noqa: PLC0415
    from lambdapack.cli.output.places import output_paths  # noqa: PLC0415
    from lambdapack.cli.run.build import make_build_request  # noqa: PLC0415  # a zip needs none of this
    from lambdapack.pipeline.build import build_packages  # noqa: PLC0415
    from lambdapack.report import human  # noqa: PLC0415

    outputs = output_paths(asked.path, settings, select_targets(settings, bars))
    built = build_packages(make_build_request(asked.path, settings, outputs), engine_connector(settings), bars)
    if any(built_package.archive is None for built_package in built):
        console.write_stderr(
            "\n".join(human.render_human(built_package.report, verbose=asked.verbose) for built_package in built)
        )
        console.write_stderr("no archive was written, and nothing was sent\n")
        return {}
    return {
        built_package.report.runtime.target: built_package.archive.path
        for built_package in built
        if built_package.archive
    }


def _require_all_architectures(asked: PublishLayerOptions, examined: PlannedLayer) -> None:
    cpus = examined.plan.desired.architectures
    if len(cpus) < len(Architecture):
        named = " and ".join(architecture.aws for architecture in cpus)
        hint = f"Build both: `lambdapack publish-layer DIR --name {asked.name} --arch all`, or leave --arch out."
        raise LambdapackError(USAGE, f"{asked.path} is good for {named} alone, not for all", hint=hint)


def _print_findings(asked: PublishLayerOptions, examined: Sequence[PlannedLayer]) -> None:
    """Tell the findings, those of several layers under their names."""
    from lambdapack.report import human  # noqa: PLC0415  # not when there are none

    for planned_layer in examined:
        if planned_layer.report.findings or asked.verbose:
            lead = f"{planned_layer.plan.desired.name}:\n" if len(examined) > 1 else ""
            console.write_stderr(f"{lead}{human.render_human(planned_layer.report, verbose=asked.verbose)}\n")


def _print_plans(asked: PublishLayerOptions, examined: Sequence[PlannedLayer], region: str, *, stopped: bool) -> None:
    found = [planned_layer.plan for planned_layer in examined]
    if asked.style is ListFormat.JSON:
        console.write_stdout(layers.render_layer_plans_json(found, region, refused=stopped))
    else:
        write = console.write_stdout if asked.dry_run else console.write_stderr
        write("".join(layers.render_layer_plan(layer_plan, refused=stopped) for layer_plan in found))
    if stopped:
        console.write_stderr("nothing was sent\n")
