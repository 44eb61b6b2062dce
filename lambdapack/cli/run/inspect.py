"""Runs `lambdapack inspect`: prints what a package contains, and writes the HTML report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.resources import AwsOptions, open_store
from lambdapack.cli.input.settings import apply_runtime_file, make_policy, read_settings, select_targets
from lambdapack.cli.input.targets import fetch_target, settings_from_function, settings_from_manifest
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.verify import add_layer_findings, make_verification_target, origin_of_target
from lambdapack.config.settings import Settings
from lambdapack.errors.record import ExitCode
from lambdapack.inspection.model import Inspection
from lambdapack.model import Target
from lambdapack.pack.output import replace_file
from lambdapack.pipeline.inspect import inspect_package
from lambdapack.report.inspection import render_inspection
from lambdapack.runtimes.runtime import shipped_runtime


@dataclass(frozen=True, slots=True)
class InspectOptions:
    """What is no setting."""

    target: str
    place: AwsOptions
    runtime_file: Path | None
    html: Path | None
    style: ListFormat
    verbose: bool
    quiet: bool


def run_inspect(options: InspectOptions, flags: Mapping[str, object]) -> int:
    """Look, tell, and return 0 whatever was found."""
    progress = ProgressReporter(quiet=options.quiet)
    with fetch_target(options.target, options.place, progress) as fetched:
        measured, flags = apply_runtime_file(options.runtime_file, settings_from_function(fetched, flags))
        path = fetched.path if fetched else Path(options.target)
        settings = read_settings(path, settings_from_manifest(path, flags, progress))
        policy = make_policy(settings, handler_required=False)
        subject = make_verification_target(path, fetched, settings, origin_of_target(path, None))
        runtime = measured or shipped_runtime(_first_target(settings, progress))
        inspection = inspect_package(subject, runtime, policy, progress, open_store(settings))
        if fetched and fetched.function:
            inspection = replace(inspection, report=add_layer_findings(inspection.report, fetched, policy))
    console.write_stdout(_render_output(inspection, options), for_people=options.style is not ListFormat.JSON)
    return int(ExitCode.FINE)


def _first_target(settings: Settings, progress: ProgressReporter) -> Target:
    first, *others = select_targets(settings, progress)
    if others:
        progress.note(f"inspected for {first}; `--arch` selects another ({settings.arch.origin} says all)")
    return first


def _render_output(inspection: Inspection, options: InspectOptions) -> str:
    if options.html is not None:
        _write_html(inspection, options.html)
    if options.style is ListFormat.JSON:
        from lambdapack.report.document.inspection import render_inspection_json  # noqa: PLC0415  # only for JSON

        return render_inspection_json(inspection)
    return render_inspection(inspection, verbose=options.verbose)


def _write_html(inspection: Inspection, path: Path) -> None:
    from lambdapack.report import html as page  # noqa: PLC0415  # the template is read where it is wanted

    data = page.render_html(inspection).encode()
    with replace_file(path) as file:
        file.write(data)
