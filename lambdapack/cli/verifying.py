"""Does what `lambdapack verify` asks, and tells what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli import choices, console
from lambdapack.cli.options import Format
from lambdapack.cli.progress import Bars
from lambdapack.errors import Exit
from lambdapack.pack.manifest import read_manifest
from lambdapack.pipeline.judging import verify
from lambdapack.report import human, json_v0
from lambdapack.runtimes.catalogue import shipped


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting."""

    target: Path
    all_binaries: bool
    style: Format
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Judge, write the report, and return the exit code."""
    bars = Bars(quiet=asked.quiet)
    settings = choices.settings_of(asked.target, with_memory(asked.target, flags))
    policy = choices.policy_of(settings, handler_required=False, all_binaries=asked.all_binaries)
    targets = choices.targets_of(settings, bars)
    reports = tuple(verify(asked.target, shipped(each), policy, settings.handler.value, bars) for each in targets)
    if asked.style is Format.JSON:
        console.product(json_v0.render(reports))
    else:
        console.product("\n".join(human.render(each, verbose=asked.verbose) for each in reports))
    limit = choices.fail_on(settings)
    failed = limit is not None and any(each.fails(limit) for each in reports)
    return int(Exit.JUDGEMENT if failed else Exit.FINE)


def with_memory(archive: Path, flags: Mapping[str, object]) -> Mapping[str, object]:
    """Return flags, completed by the manifest beside a zip where they are silent."""
    known = remembered(archive)
    return {**flags, **{name: value for name, value in known.items() if flags.get(name) is None}}


def remembered(archive: Path) -> dict[str, str]:
    """Return runtime, arch and handler of the manifest beside a zip, as far as it has them."""
    document = read_manifest(archive) if archive.is_file() else None
    target = document.get("target") if document else None
    found = {**target} if isinstance(target, dict) else {}
    if document and isinstance(document.get("handler"), str):
        found["handler"] = document["handler"]
    return {name: value for name, value in found.items() if isinstance(value, str)}
