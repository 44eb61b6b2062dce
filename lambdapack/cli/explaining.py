"""Does what `lambdapack explain` asks: tells a code from a package from a text, and looks whether a text is so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lambdapack.book.page import Page
from lambdapack.book.shelf import page, pages
from lambdapack.cli import choices, console, texts
from lambdapack.cli.cloud import Place
from lambdapack.cli.options import Format
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.errors import FAILURES, USAGE, Exit, Failure, LambdapackError
from lambdapack.explain.cures import Aim
from lambdapack.explain.log import explain
from lambdapack.explain.nouns import Explanation
from lambdapack.explain.owners import family
from lambdapack.model import Rule
from lambdapack.report import diagnosis, leaf
from lambdapack.rules.registry import RULES
from lambdapack.runtimes.catalogue import newest, parse_architecture, parse_runtime

CODE = re.compile(r"[Ll][Pp]\d{3}")
VERSION = re.compile(r"(?<=.)@[\w.^~*-]+$")
A_NAME = re.compile(r"(?:@[\w.-]+/)?[\w.-]{2,}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is no setting of the project."""

    text: str | None
    function: str
    since: str
    project: Path | None
    place: Place
    style: Format
    quiet: bool


def carry_out(asked: Asked, flags: Mapping[str, object]) -> int:
    """Answer, and return 1 when there is no answer."""
    if asked.function and asked.text is not None:
        raise LambdapackError(USAGE, "there is a text and --function", hint="Give the one or the other.")
    word = (asked.text or "").strip()
    record = _record(word)
    if record is not None:
        return _told(leaf.record(record), leaf.record_document(record), asked.style)
    found = None if texts.is_file(word) else _page(VERSION.sub("", word))
    if found is not None:
        return _told(leaf.page(found), leaf.page_document(found), asked.style)
    return _diagnosed(asked, flags)


def _page(name: str) -> Page | None:
    """Return the page of a package, also for one of its platform packages such as @img/sharp-linux-x64."""
    return page(name) or (page(family(name)) if A_NAME.fullmatch(name) else None)


def _told(text: str, document: str, style: Format) -> int:
    console.product(document if style is Format.JSON else text)
    return int(Exit.FINE)


def _record(word: str) -> Rule | Failure | None:
    """Return the record of a code or of its name; LP001 for a code that there is not."""
    records: tuple[Rule | Failure, ...] = (*RULES, *FAILURES)
    found = next((each for each in records if each.code == word.upper() or each.name == word), None)
    if found is None and CODE.fullmatch(word):
        raise LambdapackError(USAGE, f"there is no code {word.upper()}", hint="README has the table of codes.")
    return found


def _diagnosed(asked: Asked, flags: Mapping[str, object]) -> int:
    bars = Bars(quiet=asked.quiet)
    settings = choices.settings_of(asked.project or Path(), flags)
    aim = _aim(settings)
    if asked.function:
        with texts.log_of(asked.function, asked.since, asked.place, bars) as source:
            found = explain(source, aim)
    else:
        with texts.source(asked.text) as source:
            found = explain(source, aim)
    if found.diagnoses and (where := _where(asked)):
        try:
            found = _looked_at(found, where, settings, bars)
        except LambdapackError as error:
            if asked.project is not None:
                raise
            bars.note(f"this project was not looked at: {error}")
    text = diagnosis.render(found, _like(asked.text or ""))
    console.product(diagnosis.render_json(found) if asked.style is Format.JSON else text)
    return int(Exit.FINE if found.diagnoses else Exit.JUDGEMENT)


def _aim(settings: Settings) -> Aim:
    """The architecture counts when somebody chose it: a text may know better than the default."""
    chosen, named = settings.arch.value, settings.arch.origin != "default"
    architecture = parse_architecture(chosen) if named and chosen != choices.ALL else None
    return Aim(parse_runtime(settings.runtime.value or newest(choices.today())), architecture)


def _where(asked: Asked) -> Path | None:
    """Return what to look at: what was named, else the project that we are in, when it has something installed."""
    if asked.project is not None:
        return asked.project
    installed = Path("package.json").is_file() and Path(choices.MODULES).is_dir()
    return Path() if installed else None


def _looked_at(found: Explanation, where: Path, settings: Settings, bars: Bars) -> Explanation:
    from lambdapack.pipeline.confirming import Look, confirmed  # noqa: PLC0415  # judging is most of what there is

    policy = choices.policy_of(settings, handler_required=False)
    look = Look(where, settings.handler.value, policy, store_of(settings))
    return confirmed(found, look, _aim(settings), bars)


def _like(word: str) -> list[str] | None:
    """Names of the book that one word may have meant; None for what is no word, or standard input."""
    return get_close_matches(word, pages(), 3, 0.75) if A_NAME.fullmatch(word) else None
