"""Runs `lambdapack inspect`: prints what a package contains, and writes the HTML report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import AwsOptions
from lambdapack.cli.input.settings import apply_runtime_file, make_policy, read_settings, select_targets
from lambdapack.cli.input.targets import fetch_target, settings_from_function, settings_from_manifest
from lambdapack.cli.output import console
from lambdapack.cli.output.places import open_store
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.verify import add_layer_findings, make_verification_target, origin_of_target
from lambdapack.config.settings import Settings
from lambdapack.errors.record import ExitCode
from lambdapack.inspection.model import Inspection
from lambdapack.model import Target
from lambdapack.pack.output import replace_file
from lambdapack.pipeline.inspect import inspect_package
from lambdapack.report import inspection, inspection_json
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


def run_inspect(asked: InspectOptions, flags: Mapping[str, object]) -> int:
    """Look, tell, and return 0 whatever was found."""
    bars = ProgressReporter(quiet=asked.quiet)
    with fetch_target(asked.target, asked.place, bars) as fetched:
        measured, flags = apply_runtime_file(asked.runtime_file, settings_from_function(fetched, flags))
        path = fetched.path if fetched else Path(asked.target)
        settings = read_settings(path, settings_from_manifest(path, flags, bars))
        policy = make_policy(settings, handler_required=False)
        given = make_verification_target(path, fetched, settings, origin_of_target(path, None))
        runtime = measured or shipped_runtime(_first_target(settings, bars))
        found = inspect_package(given, runtime, policy, bars, open_store(settings))
        if fetched and fetched.function:
            found = replace(found, report=add_layer_findings(found.report, fetched, policy))
    console.write_stdout(_render_output(found, asked))
    return int(ExitCode.FINE)


def _first_target(settings: Settings, bars: ProgressReporter) -> Target:
    first, *others = select_targets(settings, bars)
    if others:
        bars.note(f"looked at for {first}; `--arch` names another ({settings.arch.origin} says all)")
    return first


def _render_output(found: Inspection, asked: InspectOptions) -> str:
    if asked.html is not None:
        _write_html(found, asked.html)
    if asked.style is ListFormat.JSON:
        return inspection_json.render_inspection_json(found)
    return inspection.render_inspection(found, verbose=asked.verbose)


def _write_html(found: Inspection, path: Path) -> None:
    from lambdapack.report import html as page  # noqa: PLC0415  # the template is read where it is wanted

    data = page.render_html(found).encode()
    with replace_file(path) as file:
        file.write(data)
