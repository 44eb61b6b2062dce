"""Runs `lambdapack runtimes`: lists the runtimes, shows one, or measures an image into a runtime file."""

import json
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.settings import read_settings, utc_today
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.measure import measure_source
from lambdapack.pipeline.scratch import open_scratch
from lambdapack.report.runtimes import render_runtime, render_runtimes
from lambdapack.runtimes.runtime import (
    parse_architecture,
    parse_target,
    runtime_architectures,
    runtime_ids,
    shipped_runtime,
)
from lambdapack.runtimes.runtimefile import runtime_to_json, write_runtime


def run_runtimes_list(style: ListFormat) -> int:
    """Print every runtime."""
    runtimes = [shipped_runtime(Target(name, runtime_architectures(name)[0])) for name in runtime_ids()]
    day = utc_today()
    if style is ListFormat.JSON:
        from lambdapack.report.document.listings import render_runtimes_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(render_runtimes_json(runtimes, day))
    else:
        console.write_stdout(render_runtimes(runtimes, day))
    return 0


def run_runtimes_show(identifier: str, arch: str | None, style: ListFormat) -> int:
    """Print what one runtime provides; LP004 or LP005 when there is none such."""
    runtime = shipped_runtime(parse_target(identifier, arch or "x86_64"))
    if style is ListFormat.JSON:
        console.write_stdout(json.dumps(runtime_to_json(runtime), indent=2) + "\n")
    else:
        console.write_stdout(render_runtime(runtime, utc_today()))
    return 0


def run_runtimes_measure(source: str, output: Path, runtime: str | None, arch: str | None, *, quiet: bool) -> int:
    """Write a runtime file and print its path; LP009 when it cannot be written."""
    progress = ProgressReporter(quiet=quiet)
    settings = read_settings(Path(), {"arch": arch})
    architecture = parse_architecture(arch or Architecture.X86_64.aws)
    target = parse_target(runtime, architecture.aws) if runtime else None
    with open_scratch() as (directory, _stack):
        measured = measure_source(source, target, architecture, engine_connector(settings), directory, progress)
    write_runtime(measured, output)
    progress.note(
        f"{measured.target}: Node.js {measured.node}, ABI {measured.abi}, {len(measured.libraries)} libraries"
    )
    console.write_stdout(f"{output}\n")
    return 0
