"""Does what `lambdapack build` asks, and tells how it went."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.build.images import BARE_IMAGE, BUILD_IMAGE
from lambdapack.cli import choices, console, handover, locating
from lambdapack.cli.engines import connector
from lambdapack.cli.options import BuildFormat
from lambdapack.cli.places import outputs_for, runtimes_of, store_of
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.errors import Exit
from lambdapack.model import Severity, Target
from lambdapack.pack.ignore import HOST_MODULES, OWN
from lambdapack.pipeline.build import build
from lambdapack.pipeline.wanted import Built, Wanted
from lambdapack.project.template import OUTPUT_DIRECTORY
from lambdapack.report import formats, human, terraform
from lambdapack.report.text import paragraph, plural, size
from lambdapack.rules.verdict import Judgement

SHOWN = 3
"""Paths that are named when only a hint is wanted."""

EXPECTED = frozenset((HOST_MODULES, OWN))
"""Reasons that are worth no word unasked: `left out: node_modules` reads as if the dependencies were missing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    path: Path
    runtime_file: Path | None
    into: Path | None
    install: bool
    load: bool
    keep: bool
    prune: bool
    style: BuildFormat
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Build, tell, and return the exit code."""
    bars = Bars(quiet=asked.quiet)
    measured, flags = choices.runtime_of(asked.runtime_file, flags)
    settings = choices.settings_of(asked.path, flags)
    for note in settings.notes:
        bars.note(note)
    targets = choices.targets_of(settings, bars)
    if asked.into is not None:
        handover.check_into(asked.path, asked.into, settings, targets)
    if asked.style is BuildFormat.TERRAFORM:
        handover.check_one("--format terraform-external", targets)
    slash = str(flags.get("output") or "").endswith(("/", os.sep))
    wanted = wanted_of(asked.path, settings, outputs_for(asked.path, settings, targets, is_directory=slash))
    wanted = replace(
        wanted, runtime=measured, install=asked.install, load=asked.load, prune=asked.prune, keep=asked.keep
    )
    wanted = replace(wanted, into=asked.into)
    built = build(wanted, connector(settings), bars)
    code = _tell(built, settings, asked)
    again = f"lambdapack build {shlex.quote(str(asked.path))}{'' if asked.install else ' --no-install'}"
    if hint := choices.other_cpu(settings, [each.report for each in built], again):
        bars.note(hint)
    return code


def wanted_of(path: Path, settings: Settings, outputs: Mapping[Target, Path]) -> Wanted:
    """Return the order for the pipeline."""
    layer = settings.layer.value
    return Wanted(
        directory=path,
        outputs=outputs,
        policy=choices.policy_of(settings, handler_required=not layer),
        image=settings.image.value or BARE_IMAGE,
        build_image=settings.build_image.value or BUILD_IMAGE,
        handler=settings.handler.value,
        environ=dict(os.environ),
        cache=runtimes_of(settings),
        store=store_of(settings),
        layer=layer,
        layers=settings.layers.value,
        executable=settings.executable.value,
        install_inputs=settings.install_inputs.value,
        limits=choices.limits_of(settings),
        scripts=settings.scripts.value,
        emulation=settings.emulation.value,
        gate=choices.fail_on(settings) or Severity.ERROR,
    )


def _tell(built: Sequence[Built], settings: Settings, asked: Asked) -> int:
    """Findings go to stderr, archives' paths (or reports) to stdout; with --into findings, too: sam hides stderr."""
    findings = "\n".join(_told(each, verbose=asked.verbose) for each in built)
    unwritten = any(each.archive is None and each.directory is None for each in built)
    shown = asked.into is not None and asked.style is BuildFormat.HUMAN and not unwritten
    (console.product if shown else console.talk)(findings)
    if not shown:
        console.product(_product(built, settings, asked, unwritten=unwritten))
    locating.summarise(asked.style.value, [each.report for each in built])
    limit = choices.fail_on(settings)
    if unwritten:
        console.talk("no archive was written\n")
    failed = unwritten or (limit is not None and any(each.report.fails(limit) for each in built))
    return int(Exit.JUDGEMENT if failed else Exit.FINE)


def _product(built: Sequence[Built], settings: Settings, asked: Asked, *, unwritten: bool) -> str:
    match asked.style:
        case BuildFormat.HUMAN:
            return "".join(f"{each.archive.path}\n" for each in built if each.archive)
        case BuildFormat.TERRAFORM:
            return "" if unwritten else terraform.render(built[0].report, settings.handler.value)
        case style:
            reports = tuple(each.report for each in built)
            several = settings.arch.value == choices.ALL
            return formats.render(style.value, reports, locating.whereabouts_of(asked.path), several=several)


def _told(built: Built, *, verbose: bool) -> str:
    """Return what does not ship, then the report; a blank line parts the findings from it."""
    left_out = [(path, reason) for path, reason in built.left_out if path != OUTPUT_DIRECTORY]
    before = ""
    if verbose:
        before = "".join(paragraph("left out: ", f"{path} ({reason})") + "\n" for path, reason in left_out)
    elif noteworthy := [path for path, reason in left_out if reason not in EXPECTED]:
        before = paragraph("left out: ", f"{_first(noteworthy)} (-v says why)") + "\n"
    if built.pruned:
        before += _pruned(built.pruned, verbose=verbose)
    report = human.render(built.report, verbose=verbose)
    return f"{before}\n{report}" if before and "\n\n" in report else before + report


def _pruned(found: Sequence[Judgement], *, verbose: bool) -> str:
    saved = size(sum(each.binary.size for each in found))
    lines = [f"pruned: {plural(len(found), 'binary')} for other systems, {saved} (--no-prune keeps them)"]
    if verbose:
        lines += [f"  {each.binary.path} ({each.cause}, {size(each.binary.size)})" for each in found]
    return "\n".join(lines) + "\n"


def _first(paths: Sequence[str]) -> str:
    shown, more = ", ".join(paths[:SHOWN]), len(paths) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
