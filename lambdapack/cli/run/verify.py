"""Runs `lambdapack verify`: verifies a local or an AWS target and prints the report."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.input.built_zips import find_built_zip
from lambdapack.cli.input.resources import AwsOptions, is_default_cache, open_store
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
from lambdapack.cli.input.variables import read_load_variables
from lambdapack.cli.output import console
from lambdapack.cli.output.location import append_step_summary, project_locator
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.unchanged.recording import record_outcome
from lambdapack.config.settings import Settings
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.pack.output import read_zip_manifest
from lambdapack.pipeline.verify import CloudIdentity, Prover, VerificationTarget, verify_for_runtimes
from lambdapack.project.declarations import TemplateDeclarations
from lambdapack.report.formats import GITHUB, HUMAN, RenderContext, render_reports
from lambdapack.rules.check import apply_policy
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageOrigin
from lambdapack.rules.model.report import Report
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.tree.entry import Tree

if TYPE_CHECKING:
    from lambdapack.pipeline.fetch import FetchedTarget


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What is no setting."""

    target: str | None  # as it was written; Path("s3://x") would lose a slash. None: the zip that was built last
    place: AwsOptions
    runtime_file: Path | None
    project: Path | None
    load: bool
    variables: tuple[str, ...]
    env_files: tuple[Path, ...]
    all_binaries: bool
    style: str  # a name of report.formats.FORMATS
    verbose: bool
    quiet: bool


def run_verify(options: VerifyOptions, flags: Mapping[str, object]) -> int:
    """Judge, write the report, and return the exit code."""
    progress = ProgressReporter(quiet=options.quiet)
    own = read_load_variables(options.env_files, options.variables, load=options.load)
    written = _built_target(flags, progress) if options.target is None else options.target
    with fetch_target(written, options.place, progress) as fetched:
        measured, flags = apply_runtime_file(options.runtime_file, settings_from_function(fetched, flags))
        path = fetched.path if fetched else Path(written)
        settings = read_settings(path, settings_from_manifest(path, flags, progress))
        policy = make_policy(settings, handler_required=False, all_binaries=options.all_binaries)
        runtimes = [measured or shipped_runtime(target) for target in select_targets(settings, progress)]
        known = {**_deployed_variables(fetched), **own}
        prove = _make_prover(settings, policy, known, progress) if options.load else None
        given = make_verification_target(path, fetched, settings, origin_of_target(path, options.project))
        reports = verify_for_runtimes(given, runtimes, policy, progress, prove, open_store(settings))
        if fetched and fetched.function:
            reports = tuple(add_layer_findings(report, fetched, policy) for report in reports)
    record_outcome((), is_default_cache=is_default_cache(settings) and not (fetched or options.load))
    subject = Path(fetched.function.name) if fetched and fetched.function else path
    context = RenderContext(
        partial(project_locator, subject),
        several=settings.arch.value == ALL_ARCHITECTURES,
        verbose=options.verbose,
    )
    console.write_stdout(render_reports(options.style, reports, context), for_people=options.style == HUMAN)
    if options.style == GITHUB:
        append_step_summary(reports)
    if hint := other_cpu_hint(settings, reports, f"lambdapack verify {shlex.quote(written)}"):
        progress.note(hint)
    return _exit_code(settings, reports)


def _exit_code(settings: Settings, reports: Sequence[Report]) -> int:
    limit = fail_on_severity(settings)
    failed = limit is not None and any(report.fails(limit) for report in reports)
    return int(ExitCode.JUDGEMENT if failed else ExitCode.FINE)


def _deployed_variables(fetched: "FetchedTarget | None") -> Mapping[str, str]:
    return fetched.function.environment if fetched and fetched.function else {}


def _built_target(flags: Mapping[str, object], progress: ProgressReporter) -> str:
    zip_ = find_built_zip(Path(), read_settings(Path(), flags), flags, layers=True)
    if zip_ is None:
        hint = "Pass TARGET, or run `lambdapack build` first."
        raise LambdapackError(USAGE, "TARGET is missing, and no zip of `lambdapack build` is here", hint=hint)
    progress.note(f"verifying {zip_.path}")
    return str(zip_.path)


def make_verification_target(
    path: Path, fetched: "FetchedTarget | None", settings: Settings, origin: PackageOrigin | None
) -> VerificationTarget:
    """Return what is to be judged: a path with the layers of the settings, or what was brought from AWS."""
    handler, layers = settings.handler.value, settings.layers.value
    if fetched is None:
        declared = settings.template if path.is_dir() else TemplateDeclarations()
        return VerificationTarget(path, handler, layers, origin, declared=declared)
    if fetched.function:
        names = tuple(layer_version.arn for layer_version in fetched.layers.versions)
        return VerificationTarget(
            path,
            handler,
            fetched.layer_files,
            origin,
            CloudIdentity("function", fetched.name, names),
            TemplateDeclarations(environment=fetched.function.environment),
        )
    return VerificationTarget(
        path, handler, layers, origin, CloudIdentity("layer" if fetched.layer else "", fetched.name)
    )


def add_layer_findings(report: Report, fetched: "FetchedTarget", policy: Policy) -> Report:
    """Return the report with what a function's own layers say about themselves."""
    from lambdapack.deploy.observe import check_attached_layers  # noqa: PLC0415  # only for what is in AWS

    attached = tuple(layer.arn for layer in fetched.function.layers) if fetched.function else ()
    findings = check_attached_layers(fetched.layers, report.runtime.target.architecture, attached)
    return replace(report, findings=apply_policy((*report.findings, *findings), policy))


def origin_of_target(path: Path, project: Path | None) -> PackageOrigin | None:
    """Return the origin of a zip, None for a directory; LP001 when a project is named for one."""
    if project is not None and not path.is_file():
        raise LambdapackError(
            USAGE,
            "--project needs a zip",
            hint="Pass a zip, or remove --project: a directory has its own lockfile.",
        )
    if not path.is_file() or (project is None and read_zip_manifest(path) is None):
        return None
    from lambdapack.pipeline.origin import find_package_origin  # noqa: PLC0415  # only a zip with a project needs it

    return find_package_origin(path, project)


def _make_prover(
    settings: Settings, policy: Policy, variables: Mapping[str, str], progress: ProgressReporter
) -> Prover:
    from lambdapack.cli.input.engines import engine_connector  # noqa: PLC0415  # only --load needs an engine
    from lambdapack.engine.images import BARE_IMAGE, expand_image_name  # noqa: PLC0415
    from lambdapack.pipeline.prove import ProofRequest, prove_package  # noqa: PLC0415

    connect = engine_connector(settings)
    template = settings.image.value or BARE_IMAGE

    def prove(report: Report, tree: Tree, handler: str | None, layers: Sequence[Tree]) -> Report:
        target = report.runtime.target
        engine, image = connect(target.architecture), expand_image_name(template, target)
        proof = ProofRequest(engine, image, tree, handler, layers, variables)
        return prove_package(report, proof, policy, progress)

    return prove
