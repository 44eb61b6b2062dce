"""Does what `lambdapack init` asks, and tells how it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli import choices, console
from lambdapack.cli.places import stem
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.errors import USAGE, LambdapackError
from lambdapack.model import Target
from lambdapack.pipeline.starting import Begun, Outcome, Start, begin, glue_of, situation_of
from lambdapack.recipes.nouns import Glue
from lambdapack.report.text import paragraph


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    path: Path
    recipes: tuple[str, ...]
    force: bool
    show: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Write or print the files and return the exit code."""
    bars = Bars(quiet=False)
    settings = choices.settings_of(asked.path, flags)
    start = Start(asked.path, asked.recipes, _name(asked, settings), _target(settings, bars), settings.handler.value)
    situation, notes = situation_of(start)
    for note in notes:
        bars.note(note)
    glue = glue_of(start, situation)
    if asked.show:
        console.product(_printed(glue))
        return 0
    begun = begin(start, glue, force=asked.force)
    console.product("".join(f"{_shown(each.path)}\n" for each in begun if each.outcome is Outcome.WRITTEN))
    console.talk("".join(_told(each) for each in begun))
    return 0


def _name(asked: Asked, settings: Settings) -> str:
    """Return the project's name; a CDK app's directory needs no package.json."""
    if asked.recipes == ("cdk",) and not (asked.path / "package.json").is_file():
        return asked.path.resolve().name
    return stem(asked.path, settings)


def _target(settings: Settings, bars: Bars) -> Target:
    if settings.arch.value == choices.ALL:
        hint = "Pass `--arch arm64` or `--arch x86_64`: a function has one architecture."
        raise LambdapackError(USAGE, "init needs one architecture, and the settings say all", hint=hint)
    return choices.targets_of(settings, bars)[0]


def _printed(glue: Sequence[Glue]) -> str:
    if len(glue) == 1:
        return glue[0].text
    return "\n".join(f"==> {each.path} <==\n{each.text}" for each in glue)


def _told(begun: Begun) -> str:
    path = _shown(begun.path)
    if begun.outcome is Outcome.SAME:
        return paragraph("unchanged: ", path) + "\n"
    if not begun.missing:
        return ""
    return (
        paragraph("note: ", f"{path} is there already and was left as it is; add to it: {', '.join(begun.missing)}")
        + "\n"
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
