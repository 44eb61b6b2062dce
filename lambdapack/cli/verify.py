"""`lambdapack verify`: prints the report."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import console, options
from lambdapack.cli.progress import Bars
from lambdapack.errors import Exit
from lambdapack.pack.manifest import read_manifest
from lambdapack.pipeline.judging import verify as judge
from lambdapack.report import human, json_v0
from lambdapack.runtimes.catalogue import shipped


def verify(
    target: Annotated[Path, typer.Argument(help="Directory, zip or layer zip.", metavar="TARGET")],
    runtime: options.Runtime = None,
    arch: options.Arches = None,
    handler: options.Handler = None,
    all_binaries: Annotated[
        bool, typer.Option("--all-binaries", help="Count files that no loader would pick, too.")
    ] = False,
    report_format: options.FormatOption = options.Format.HUMAN,
    fail_on: options.FailOn = None,
    ignore: options.Ignores = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> int:
    """Judge a directory, zip or layer zip, in place.

    Nothing is executed and nothing is unpacked. Runtime and architecture come from the options, from the manifest
    that lies beside a zip of `lambdapack build`, or from the settings.

    Example: lambdapack verify function.zip --runtime nodejs22.x --arch arm64
    """
    bars = Bars(quiet=quiet)
    known = remembered(target)
    flags = {
        "runtime": runtime or known.get("runtime"),
        "arch": arch or known.get("arch"),
        "handler": handler or known.get("handler"),
        "fail-on": fail_on,
        "ignore": ignore,
    }
    settings = options.settings_of(target, flags)
    policy = options.policy_of(settings, handler_required=False, all_binaries=all_binaries)
    reports = tuple(
        judge(target, shipped(each), policy, settings.handler.value, bars)
        for each in options.targets_of(settings, bars)
    )
    if report_format is options.Format.JSON:
        console.product(json_v0.render(reports))
    else:
        console.product("\n".join(human.render(each, verbose=verbose) for each in reports))
    limit = options.fail_on(settings)
    failed = limit is not None and any(each.fails(limit) for each in reports)
    return int(Exit.JUDGEMENT if failed else Exit.FINE)


def remembered(archive: Path) -> dict[str, str]:
    """Return runtime, arch and handler of the manifest beside a zip, as far as it has them."""
    document = read_manifest(archive) if archive.is_file() else None
    target = document.get("target") if document else None
    found = {**target} if isinstance(target, dict) else {}
    if document and isinstance(document.get("handler"), str):
        found["handler"] = document["handler"]
    return {name: value for name, value in found.items() if isinstance(value, str)}
