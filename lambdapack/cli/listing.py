"""Prints tables of what is known and of what is there."""

import json
from pathlib import Path

from lambdapack.cli import choices, console
from lambdapack.cli.engines import connector
from lambdapack.cli.options import Format
from lambdapack.cli.progress import Bars
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.measuring import measured_from
from lambdapack.pipeline.scratch import scratch
from lambdapack.report import table
from lambdapack.runtimes.catalogue import architectures, identifiers, parse_architecture, parse_target, shipped
from lambdapack.runtimes.runtimefile import to_json, write_runtime


def runtimes(style: Format) -> int:
    """Print every runtime."""
    found = [shipped(Target(name, architectures(name)[0])) for name in identifiers()]
    day = choices.today()
    if style is Format.JSON:
        console.product(json.dumps(table.runtimes_document(found, day), indent=2) + "\n")
    else:
        console.product(table.runtimes(found, day))
    return 0


def runtime(identifier: str, arch: str | None, style: Format) -> int:
    """Print what one runtime provides; LP004 or LP005 when there is none such."""
    found = shipped(parse_target(identifier, arch or "x86_64"))
    if style is Format.JSON:
        console.product(json.dumps(to_json(found), indent=2) + "\n")
    else:
        console.product(table.runtime(found, choices.today()))
    return 0


def measure(source: str, output: Path, runtime: str | None, arch: str | None, *, quiet: bool) -> int:
    """Write a runtime file and print its path; LP009 when it cannot be written."""
    bars = Bars(quiet=quiet)
    settings = choices.settings_of(Path(), {"arch": arch})
    architecture = parse_architecture(arch or Architecture.X86_64.aws)
    target = parse_target(runtime, architecture.aws) if runtime else None
    with scratch() as (directory, _stack):
        measured = measured_from(source, target, architecture, connector(settings), directory, bars)
    write_runtime(measured, output)
    bars.note(f"{measured.target}: Node.js {measured.node}, ABI {measured.abi}, {len(measured.libraries)} libraries")
    console.product(f"{output}\n")
    return 0
