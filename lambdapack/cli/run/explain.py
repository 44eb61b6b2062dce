"""Runs `lambdapack explain`: looks up a code or a package, or diagnoses a text and checks it against a project."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input import log_source
from lambdapack.cli.input.settings import ALL_ARCHITECTURES, make_policy, read_settings, utc_today
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import Settings
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.events import Observer
from lambdapack.explain.log import explain_text
from lambdapack.explain.nouns import Explanation
from lambdapack.explain.translate import LOCKFILES
from lambdapack.explain.words import ExplainTarget
from lambdapack.model import NODE_MODULES
from lambdapack.report import diagnosis
from lambdapack.runtimes.runtime import newest_runtime, parse_architecture, parse_runtime

if TYPE_CHECKING:
    from lambdapack.book.book import BookEntry
    from lambdapack.cli.input.resources import AwsOptions
    from lambdapack.errors.record import Failure
    from lambdapack.model import Rule

RECORD_CODE = r"[Ll][Pp]\d{3}"
VERSION_SUFFIX = r"(?<=.)@[\w.^~*-]+$"
PACKAGE_NAME_FORM = r"(?:@[\w.-]+/)?[\w.-]{2,}"


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What is no setting of the project."""

    text: str | None
    function: str
    since: str
    project: Path | None
    place: "AwsOptions"
    style: ListFormat
    quiet: bool


def run_explain(asked: ExplainOptions, flags: Mapping[str, object]) -> int:
    """Answer, and return 1 when there is no answer."""
    if asked.function and asked.text is not None:
        raise LambdapackError(USAGE, "there is a text and --function", hint="Give the one or the other.")
    word = (asked.text or "").strip()
    if not log_source.is_existing_file(word) and re.fullmatch(rf"{PACKAGE_NAME_FORM}(?:@\S+)?", word):
        answer = _look_up(word)
        if answer is not None:
            text, document = answer
            console.write_stdout(document if asked.style is ListFormat.JSON else text)
            return int(ExitCode.FINE)
    return _run_diagnosis(asked, flags)


def _look_up(word: str) -> tuple[str, str] | None:
    """Return the record of a code or its name, else the page of a package, as text and as JSON; None for neither.

    LP001 for a code that there is not.
    """
    from lambdapack.report import records  # noqa: PLC0415  # a text needs no record's page
    from lambdapack.report.document.diagnosis import render_book_page_json, render_record_json  # noqa: PLC0415

    record = _find_record(word)
    if record is not None:
        return records.render_record(record), render_record_json(record)
    page = _find_page(re.sub(VERSION_SUFFIX, "", word))
    return (records.render_book_page(page), render_book_page_json(page)) if page else None


def _find_page(name: str) -> "BookEntry | None":
    """Return the page of a package, also for one of its platform packages such as @img/sharp-linux-x64."""
    from lambdapack.book.book import find_book_entry  # noqa: PLC0415
    from lambdapack.explain.owners import platform_package_owner  # noqa: PLC0415

    return find_book_entry(name) or find_book_entry(platform_package_owner(name))


def _find_record(word: str) -> "Rule | Failure | None":
    """Return the record of a code or of its name; LP001 for a code that there is not."""
    from lambdapack.errors.registry import FAILURES  # noqa: PLC0415
    from lambdapack.rules.registry import RULES  # noqa: PLC0415  # every check comes with it

    records: tuple[Rule | Failure, ...] = (*RULES, *FAILURES)
    found = next((record for record in records if word.upper() == record.code or word == record.name), None)
    if found is None and re.fullmatch(RECORD_CODE, word):
        raise LambdapackError(
            USAGE, f"there is no code {word.upper()}", hint="docs/findings.md has the table of codes."
        )
    return found


def _run_diagnosis(asked: ExplainOptions, flags: Mapping[str, object]) -> int:
    bars = ProgressReporter(quiet=asked.quiet)
    settings = read_settings(asked.project or Path(), flags)
    aim = make_explain_target(settings, asked.project)
    if asked.function:
        with log_source.open_function_log(asked.function, asked.since, asked.place, bars) as source:
            found = explain_text(source, aim)
    else:
        with log_source.open_text(asked.text) as source:
            found = explain_text(source, aim)
    if found.diagnoses and (where := _project_to_check(asked)):
        try:
            found = check_against_project(found, where, (settings, aim), bars)
        except LambdapackError as error:
            if asked.project is not None:
                raise
            bars.note(f"this project was not looked at: {error}")
    console.write_stdout(_render_explanation(found, asked))
    return int(ExitCode.FINE if found.diagnoses else ExitCode.JUDGEMENT)


def _render_explanation(explanation: Explanation, asked: ExplainOptions) -> str:
    if asked.style is ListFormat.JSON:
        from lambdapack.report.document.diagnosis import render_diagnosis_json  # noqa: PLC0415  # only where it is asked

        return render_diagnosis_json(explanation)
    word = asked.text or ""
    return diagnosis.render_diagnosis(explanation, _similar_names(word), word)


def make_explain_target(settings: Settings, project: Path | None) -> ExplainTarget:
    """The architecture counts when somebody chose it: a text may know better than the default."""
    chosen, named = settings.arch.value, settings.arch.origin != "default"
    architecture = parse_architecture(chosen) if named and chosen != ALL_ARCHITECTURES else None
    runtime = parse_runtime(settings.runtime.value or newest_runtime(utc_today()))
    return ExplainTarget(runtime, architecture, _find_manager(project or Path()))


MAX_LEVELS_TO_LOCK = 3
"""Directories above a workspace's member in which its lockfile is looked for: apps/api, packages/group/api."""


def _find_manager(directory: Path) -> str:
    """Return the manager whose lockfile a project has, "" for none: its commands are the ones to give."""
    home = directory.resolve()
    if not (home / "package.json").is_file():
        return ""
    for root in (home, *list(home.parents)[:MAX_LEVELS_TO_LOCK]):
        for manager, lockfile in LOCKFILES.items():
            if (root / lockfile).is_file():
                is_classic = manager == "yarn" and not (root / ".yarnrc.yml").is_file()
                return "yarn-classic" if is_classic else manager
    return ""


def _project_to_check(asked: ExplainOptions) -> Path | None:
    """Return what to look at: what was named, else the project that we are in, when it has something installed."""
    if asked.project is not None:
        return asked.project
    installed = Path("package.json").is_file() and Path(NODE_MODULES).is_dir()
    return Path() if installed else None


def check_against_project(
    found: Explanation, where: Path, terms: tuple[Settings, ExplainTarget], observer: Observer
) -> Explanation:
    """Return the diagnoses with what verify says of the project's files. LP007 for a project without any."""
    from lambdapack.cli.input.resources import open_store  # noqa: PLC0415
    from lambdapack.pipeline.confirm import InspectionTarget, check_against_package  # noqa: PLC0415  # judging is most of what there is

    settings, aim = terms
    policy = make_policy(settings, handler_required=False)
    look = InspectionTarget(where, settings.handler.value, policy, open_store(settings))
    return check_against_package(found, look, aim, observer)


def _similar_names(word: str) -> list[str] | None:
    """Names of the book that one word may have meant; None for what is no word, or standard input."""
    if not re.fullmatch(PACKAGE_NAME_FORM, word):
        return None
    from difflib import get_close_matches  # noqa: PLC0415  # for one word alone

    from lambdapack.book.book import read_book  # noqa: PLC0415

    return get_close_matches(word, read_book(), 3, 0.75)
