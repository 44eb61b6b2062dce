"""Does what `lambdapack inspect` asks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.cli import choices, console
from lambdapack.cli.beside import with_memory
from lambdapack.cli.bringing import brought, fitting
from lambdapack.cli.cloud import Place
from lambdapack.cli.options import Format
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.cli.verifying import given_of, origin_beside, with_guards
from lambdapack.config import Settings
from lambdapack.errors import Exit
from lambdapack.model import Target
from lambdapack.pack.atomic import replacing
from lambdapack.pipeline.inspecting import inspect
from lambdapack.report import inspection, inspection_json
from lambdapack.runtimes.catalogue import shipped
from lambdapack.survey.nouns import Inspection


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting."""

    target: str
    place: Place
    runtime_file: Path | None
    html: Path | None
    style: Format
    verbose: bool
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Look, tell, and return 0 whatever was found."""
    bars = Bars(quiet=asked.quiet)
    with brought(asked.target, asked.place, bars) as fetched:
        measured, flags = choices.runtime_of(asked.runtime_file, fitting(fetched, flags))
        path = fetched.path if fetched else Path(asked.target)
        settings = choices.settings_of(path, with_memory(path, flags, bars))
        policy = choices.policy_of(settings, handler_required=False)
        given = given_of(path, fetched, settings, origin_beside(path, None))
        runtime = measured or shipped(_target(settings, bars))
        found = inspect(given, runtime, policy, bars, store_of(settings))
        if fetched and fetched.function:
            found = replace(found, report=with_guards(found.report, fetched, policy))
    console.product(_rendered(found, asked))
    return int(Exit.FINE)


def _target(settings: Settings, bars: Bars) -> Target:
    first, *others = choices.targets_of(settings, bars)
    if others:
        bars.note(f"looked at for {first}; `--arch` names another ({settings.arch.origin} says all)")
    return first


def _rendered(found: Inspection, asked: Asked) -> str:
    if asked.html is not None:
        _write(found, asked.html)
    if asked.style is Format.JSON:
        return inspection_json.render(found)
    return inspection.render(found, verbose=asked.verbose)


def _write(found: Inspection, path: Path) -> None:
    from lambdapack.report import page  # noqa: PLC0415  # the template is read where it is wanted

    data = page.render(found).encode()
    with replacing(path) as file:
        file.write(data)
