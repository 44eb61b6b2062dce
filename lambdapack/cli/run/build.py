"""Runs `lambdapack build`: checks `--into` and the SAM template, builds, prints findings and archive paths."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.resources import (
    is_default_cache,
    local_directory,
    open_store,
    open_trees,
    output_paths,
    runtimes_directory,
)
from lambdapack.cli.input.settings import (
    ALL_ARCHITECTURES,
    apply_runtime_file,
    fail_on_severity,
    make_limits,
    make_policy,
    other_cpu_hint,
    read_settings,
    select_targets,
)
from lambdapack.cli.input.variables import read_load_variables
from lambdapack.cli.output import console
from lambdapack.cli.output.location import append_step_summary, project_locator
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.unchanged.recording import record_outcome, unrecorded_notes
from lambdapack.config.settings import Settings
from lambdapack.engine.images import BARE_IMAGE, BUILD_IMAGE
from lambdapack.engine.known.deferred import EngineChangedError
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import TEMPLATE_DIFFERS, USAGE
from lambdapack.model import Severity, Target
from lambdapack.pack.output import sbom_path, written_files
from lambdapack.pack.source import HOST_MODULES_REASON, OWN_FILE_REASON
from lambdapack.pipeline.package.build import build_packages
from lambdapack.pipeline.package.dependencies import ReusePolicy
from lambdapack.pipeline.package.reproduce import build_twice
from lambdapack.pipeline.package.request import BuildRequest, BuiltPackage
from lambdapack.project.exclusions import OUTPUT_DIRECTORY
from lambdapack.project.template import find_resources
from lambdapack.report import human
from lambdapack.report.formats import GITHUB, HUMAN, TERRAFORM, RenderContext, render_reports
from lambdapack.report.text import format_count, format_size, wrap_paragraph
from lambdapack.rules.model.report import PrunedFile
from lambdapack.runtimes.runtime import Runtime


def check_single_target(wish: str, targets: Sequence[Target]) -> None:
    """Refuse with LP001 what takes one package when there are several."""
    if len(targets) != 1:
        hint = "Pass `--arch arm64` or `--arch x86_64`."
        raise LambdapackError(USAGE, f"{wish} takes one package, but there are {len(targets)} targets", hint=hint)


def check_into_option(directory: Path, into: Path, settings: Settings, targets: Sequence[Target]) -> None:
    """Refuse `--into` beside `--output` or for several targets (LP001), or against the template (LP014)."""
    check_single_target("--into", targets)
    if settings.provenance.origin == "--provenance":
        raise LambdapackError(USAGE, "--provenance describes a zip, and --into writes a directory")
    if settings.output.origin == "--output":
        raise LambdapackError(USAGE, "--into and --output exclude each other: the package is a directory or a zip")
    _check_template(directory, into.name, targets[0], layer=settings.layer.value)


def _check_template(directory: Path, name: str, target: Target, *, layer: bool) -> None:
    """SAM's directory has the name of its resource; by any other name, every function of the directory counts."""
    resources = [
        template_resource
        for template_resource in find_resources(directory, [], os.environ)
        if template_resource.layer == layer
    ]
    named = [template_resource for template_resource in resources if template_resource.name == name] or resources
    values = {"runtime": target.runtime, "architecture": target.architecture.aws}
    for field, ours in values.items():
        stated = [template_resource.values[field] for template_resource in named if field in template_resource.values]
        literal = len(stated) == len(named) and all(declared_value.literal for declared_value in stated)
        if literal and stated and ours not in {declared_value.value for declared_value in stated}:
            detail = f"{stated[0].origin} has {stated[0].value}, but this build is for {ours}"
            raise LambdapackError(TEMPLATE_DIFFERS, detail)


MAX_NAMED_PATHS = 3
"""Paths that are named when only a hint is wanted."""

EXPECTED_EXCLUSIONS = frozenset((HOST_MODULES_REASON, OWN_FILE_REASON))
"""Reasons that are worth no word unasked: `left out: node_modules` reads as if the dependencies were missing."""


@dataclass(frozen=True, slots=True)
class RepeatOptions:
    """What counts of earlier builds, and what is left of this one."""

    keep: bool  # the container
    frozen: bool
    refresh: bool
    why: bool
    check_reproducible: bool


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What is no setting of the project."""

    path: Path
    runtime_file: Path | None
    into: Path | None
    install: bool
    variables: tuple[str, ...]
    env_files: tuple[Path, ...]
    prune: bool
    again: RepeatOptions
    allow_unconfined: bool  # let scripts run that nothing confines
    style: str  # a name of report.formats.FORMATS
    verbose: bool
    quiet: bool


def run_build(options: BuildOptions, flags: Mapping[str, object]) -> int:
    """Build, tell, and return the exit code."""
    progress = ProgressReporter(quiet=options.quiet, fold_scripts=not options.verbose)
    built, settings = build_function(options, flags, progress)
    record_outcome(_written_paths(built, settings), is_default_cache=is_default_cache(settings))
    code = _print_results(built, settings, options, "" if options.quiet else progress.step_times())
    again = f"lambdapack build {shlex.quote(str(options.path))}{'' if options.install else ' --no-install'}"
    if hint := other_cpu_hint(settings, [built_package.report for built_package in built], again):
        progress.note(hint)
    return code


def build_function(
    options: BuildOptions, flags: Mapping[str, object], progress: ProgressReporter, name: str = ""
) -> tuple[tuple[BuiltPackage, ...], Settings]:
    """Return what came of the targets of one function, and its settings; `name` is what its archives are called."""
    measured, flags = apply_runtime_file(options.runtime_file, flags)
    settings = read_settings(options.path, flags)
    variables: Mapping[str, str] = {}
    if options.env_files or options.variables:
        variables = read_load_variables(options.env_files, options.variables, load=settings.load.value != "never")
    for note in settings.notes:
        progress.note(note)
    targets = select_targets(settings, progress)
    slash = str(flags.get("output") or "").endswith(("/", os.sep))
    outputs = output_paths(options.path, settings, targets, is_directory=slash, name=name)
    request = replace(_make_request(options, settings, outputs, measured), variables=variables)
    connect = partial(engine_connector, settings, progress, options.path, local=True)
    connect = partial(connect, allow_unconfined=options.allow_unconfined, refresh=options.again.refresh)
    build = build_twice if options.again.check_reproducible else build_packages
    with unrecorded_notes():
        try:
            built = build(request, connect(memory=request.store), progress)
        except EngineChangedError:  # it is down, and another kind of engine serves: the plan was for the other one
            built = build(request, connect(), progress)
    return built, settings


def _make_request(
    options: BuildOptions, settings: Settings, outputs: Mapping[Target, Path], measured: Runtime | None
) -> BuildRequest:
    """Check what excludes each other and return the request, apart from the variables."""
    targets = tuple(outputs)
    if options.into is not None:
        check_into_option(options.path, options.into, settings, targets)
    if options.style == TERRAFORM:
        check_single_target("--format terraform-external", targets)
    request = make_build_request(options.path, settings, outputs)
    request = replace(request, runtime=measured, install=options.install, prune=options.prune, keep=options.again.keep)
    reuse = replace(request.reuse, frozen=options.again.frozen, refresh=options.again.refresh, why=options.again.why)
    return replace(request, into=options.into, reuse=reuse)


def _written_paths(built: Sequence[BuiltPackage], settings: Settings) -> Iterator[Path]:
    """Yield every file that a build left."""
    archives = [package.archive.path for package in built if package.archive]
    for archive in archives:
        yield from written_files(archive)
    bill = settings.sbom.value
    if bill is None or not archives:
        return
    targets = [package.job.target for package in built]
    for target in targets:
        yield sbom_path(bill, target.architecture.aws, several=len(targets) > 1)


def make_build_request(path: Path, settings: Settings, outputs: Mapping[Target, Path]) -> BuildRequest:
    """Return the order for the pipeline."""
    layer = settings.layer.value
    return BuildRequest(
        directory=path,
        outputs=outputs,
        policy=make_policy(settings, handler_required=not layer),
        image=settings.image.value or BARE_IMAGE,
        build_image=settings.build_image.value or BUILD_IMAGE,
        handler=settings.handler.value,
        environ=dict(os.environ),
        cache=runtimes_directory(settings),
        store=open_store(settings),
        declared=settings.template,
        layer=layer,
        layers=settings.layers.value,
        executable=settings.executable.value,
        install_inputs=settings.install_inputs.value,
        system_packages=settings.system_packages.value,
        bundle=settings.bundle_libraries.value,
        limits=make_limits(settings),
        scripts=settings.scripts.value,
        allow_writes=settings.allow_writes.value,
        strategy=settings.strategy.value,
        tools=local_directory(settings),
        load=settings.load.value,
        provenance=settings.provenance.value,
        gate=fail_on_severity(settings) or Severity.ERROR,
        prune_kinds=settings.prune.value,
        strip=settings.strip.value,
        max_size=settings.max_size.value,
        sbom=settings.sbom.value,
        reuse=ReusePolicy(partial(open_trees, settings), compression=settings.compress.value),
    )


def _print_results(built: Sequence[BuiltPackage], settings: Settings, options: BuildOptions, times: str) -> int:
    """Findings go to stderr, archives' paths (or reports) to stdout; with --into findings, too: sam hides stderr."""
    findings = "\n".join(render_package(built_package, verbose=options.verbose) for built_package in built)
    unwritten = any(built_package.archive is None and built_package.directory is None for built_package in built)
    shown = options.into is not None and options.style == HUMAN and not unwritten
    (console.write_stdout if shown else console.write_stderr)(findings)
    if times:
        console.write_stderr(wrap_paragraph("time: ", times) + "\n", kept=False)
    if not shown:
        console.write_stdout(_render_output(built, settings, options, unwritten=unwritten))
    if options.style == GITHUB:
        append_step_summary([built_package.report for built_package in built])
    limit = fail_on_severity(settings)
    if unwritten:
        console.write_stderr("no archive was written\n")
    failed = unwritten or (limit is not None and any(built_package.report.fails(limit) for built_package in built))
    return int(ExitCode.JUDGEMENT if failed else ExitCode.FINE)


def _render_output(built: Sequence[BuiltPackage], settings: Settings, options: BuildOptions, *, unwritten: bool) -> str:
    if options.style == HUMAN:
        return "".join(f"{built_package.archive.path}\n" for built_package in built if built_package.archive)
    if options.style == TERRAFORM and unwritten:
        return ""
    context = RenderContext(
        partial(project_locator, options.path),
        several=settings.arch.value == ALL_ARCHITECTURES,
        handler=settings.handler.value,
    )
    return render_reports(options.style, [built_package.report for built_package in built], context)


def render_package(built: BuiltPackage, *, verbose: bool) -> str:
    """Return what does not ship, then the report; a blank line parts the findings from it."""
    left_out = [(path, reason) for path, reason in built.left_out if path != OUTPUT_DIRECTORY]
    before = ""
    if verbose:
        before = "".join(wrap_paragraph("left out: ", f"{path} ({reason})") + "\n" for path, reason in left_out)
    elif noteworthy := [path for path, reason in left_out if reason not in EXPECTED_EXCLUSIONS]:
        before = wrap_paragraph("left out: ", f"{_render_first_paths(noteworthy)} (-v says why)") + "\n"
    if built.pruned:
        before += _render_pruned(built.pruned, verbose=verbose)
    report = human.render_human(built.report, verbose=verbose)
    return f"{before}\n{report}" if before and "\n\n" in report else before + report


PRUNE_FLAG = "--prune"


def _render_pruned(pruned: Sequence[PrunedFile], *, verbose: bool) -> str:
    wished = [file for file in pruned if file.reason.startswith(PRUNE_FLAG)]
    others = [file for file in pruned if not file.reason.startswith(PRUNE_FLAG)]
    lines = []
    if others:
        saved = format_size(sum(file.size for file in others))
        lines = [f"pruned: {format_count(len(others), 'binary')} for other platforms, {saved} (--no-prune keeps them)"]
    for kind in dict.fromkeys(file.reason for file in wished):
        files = [file for file in wished if file.reason == kind]
        lines.append(
            f"pruned: {format_count(len(files), 'file')}, {format_size(sum(file.size for file in files))} ({kind})"
        )
    if verbose:
        lines += [f"  {file.path} ({file.reason}, {format_size(file.size)})" for file in pruned]
    return "\n".join(lines) + "\n"


def _render_first_paths(paths: Sequence[str]) -> str:
    shown, more = ", ".join(paths[:MAX_NAMED_PATHS]), len(paths) - MAX_NAMED_PATHS
    return f"{shown} and {more} more" if more > 0 else shown
