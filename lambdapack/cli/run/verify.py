"""Runs `lambdapack verify`: verifies a local or an AWS target and prints the report."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.cli.command.options import ReportFormat
from lambdapack.cli.input.engines import AwsOptions
from lambdapack.cli.input.settings import (
    ALL_ARCHITECTURES,
    apply_runtime_file,
    fail_on_severity,
    make_policy,
    other_cpu_hint,
    read_settings,
    select_targets,
)
from lambdapack.cli.input.targets import fetch_target, settings_from_function, settings_from_manifest
from lambdapack.cli.output import console, location
from lambdapack.cli.output.places import open_store
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import Settings
from lambdapack.deploy.observe import check_attached_layers
from lambdapack.engine.images import BARE_IMAGE, expand_image_name
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.pipeline.fetch import FetchedTarget
from lambdapack.pipeline.origin import find_package_origin
from lambdapack.pipeline.verify import CloudIdentity, Prover, VerificationTarget, verify_for_runtimes
from lambdapack.report import formats
from lambdapack.rules.check import apply_policy
from lambdapack.rules.model.case import PackageOrigin, Policy
from lambdapack.rules.model.report import Report
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What is no setting."""

    target: str  # as it was written; Path("s3://x") would lose a slash
    place: AwsOptions
    runtime_file: Path | None
    project: Path | None
    load: bool
    all_binaries: bool
    style: ReportFormat
    verbose: bool
    quiet: bool


def run_verify(asked: VerifyOptions, flags: Mapping[str, object]) -> int:
    """Judge, write the report, and return the exit code."""
    bars = ProgressReporter(quiet=asked.quiet)
    with fetch_target(asked.target, asked.place, bars) as fetched:
        measured, flags = apply_runtime_file(asked.runtime_file, settings_from_function(fetched, flags))
        path = fetched.path if fetched else Path(asked.target)
        settings = read_settings(path, settings_from_manifest(path, flags, bars))
        policy = make_policy(settings, handler_required=False, all_binaries=asked.all_binaries)
        runtimes = [measured or shipped_runtime(each) for each in select_targets(settings, bars)]
        prove = _make_prover(settings, policy, bars) if asked.load else None
        given = make_verification_target(path, fetched, settings, origin_of_target(path, asked.project))
        reports = verify_for_runtimes(given, runtimes, policy, bars, prove, open_store(settings))
        if fetched and fetched.function:
            reports = tuple(add_layer_findings(report, fetched, policy) for report in reports)
    several = settings.arch.value == ALL_ARCHITECTURES
    where = location.project_locator(Path(fetched.function.name) if fetched and fetched.function else path)
    console.write_stdout(
        formats.render_reports(asked.style.value, reports, where, several=several, verbose=asked.verbose)
    )
    location.append_step_summary(asked.style.value, reports)
    if hint := other_cpu_hint(settings, reports, f"lambdapack verify {shlex.quote(asked.target)}"):
        bars.note(hint)
    limit = fail_on_severity(settings)
    failed = limit is not None and any(report.fails(limit) for report in reports)
    return int(ExitCode.JUDGEMENT if failed else ExitCode.FINE)


def make_verification_target(
    path: Path, fetched: FetchedTarget | None, settings: Settings, origin: PackageOrigin | None
) -> VerificationTarget:
    """Return what is to be judged: a path with the layers of the settings, or what was brought from AWS."""
    handler, layers = settings.handler.value, settings.layers.value
    if fetched is None:
        return VerificationTarget(path, handler, layers, origin)
    if fetched.function:
        names = tuple(layer_version.arn for layer_version in fetched.layers.versions)
        return VerificationTarget(
            path, handler, fetched.layer_files, origin, CloudIdentity("function", fetched.name, names)
        )
    return VerificationTarget(
        path, handler, layers, origin, CloudIdentity("layer" if fetched.layer else "", fetched.name)
    )


def add_layer_findings(report: Report, fetched: FetchedTarget, policy: Policy) -> Report:
    """Return the report with what a function's own layers say about themselves."""
    found = check_attached_layers(fetched.layers, report.runtime.target.architecture)
    return replace(report, findings=apply_policy((*report.findings, *found), policy))


def origin_of_target(path: Path, project: Path | None) -> PackageOrigin | None:
    """Return the origin of a zip, None for a directory; LP001 when a project is named for one."""
    if project is not None and not path.is_file():
        raise LambdapackError(
            USAGE,
            "--project is for a zip",
            hint="Name a zip, or leave --project out: a directory has its own lockfile.",
        )
    return find_package_origin(path, project) if path.is_file() else None


def _make_prover(settings: Settings, policy: Policy, bars: ProgressReporter) -> Prover:
    from lambdapack.cli.input.engines import engine_connector  # noqa: PLC0415  # only --load needs an engine
    from lambdapack.pipeline.prove import ProofRequest, prove_package  # noqa: PLC0415

    connect = engine_connector(settings)
    template = settings.image.value or BARE_IMAGE

    def prove(report: Report, tree: Tree, handler: str | None, layers: Sequence[Tree]) -> Report:
        target = report.runtime.target
        proof = ProofRequest(connect(target.architecture), expand_image_name(template, target), tree, handler, layers)
        return prove_package(report, proof, policy, bars)

    return prove
