"""Runs `lambdapack explain`: looks up a code or a package, or diagnoses a text and checks it against a project."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lambdapack.book.book import BookEntry, find_book_entry, read_book
from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input import log_source
from lambdapack.cli.input.resources import AwsOptions, open_store
from lambdapack.cli.input.settings import ALL_ARCHITECTURES, make_policy, read_settings, utc_today
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import Settings
from lambdapack.errors.record import ExitCode, Failure, LambdapackError
from lambdapack.errors.registry import FAILURES
from lambdapack.errors.usage import USAGE
from lambdapack.explain.cures import ExplainTarget
from lambdapack.explain.log import explain_text
from lambdapack.explain.nouns import Explanation
from lambdapack.explain.owners import platform_package_owner
from lambdapack.model import NODE_MODULES, Rule
from lambdapack.report import diagnosis
from lambdapack.report.document.diagnosis import render_book_page_json, render_diagnosis_json, render_record_json
from lambdapack.report.records import render_book_page, render_record
from lambdapack.rules.registry import RULES
from lambdapack.runtimes.runtime import newest_runtime, parse_architecture, parse_runtime

RECORD_CODE = re.compile(r"[Ll][Pp]\d{3}")
VERSION_SUFFIX = re.compile(r"(?<=.)@[\w.^~*-]+$")
PACKAGE_NAME_FORM = re.compile(r"(?:@[\w.-]+/)?[\w.-]{2,}")


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What is no setting of the project."""

    text: str | None
    function: str
    since: str
    project: Path | None
    place: AwsOptions
    style: ListFormat
    quiet: bool


def run_explain(asked: ExplainOptions, flags: Mapping[str, object]) -> int:
    """Answer, and return 1 when there is no answer."""
    if asked.function and asked.text is not None:
        raise LambdapackError(USAGE, "there is a text and --function", hint="Give the one or the other.")
    word = (asked.text or "").strip()
    record = _find_record(word)
    if record is not None:
        return _print_answer(render_record(record), render_record_json(record), asked.style)
    found = None if log_source.is_existing_file(word) else _find_page(VERSION_SUFFIX.sub("", word))
    if found is not None:
        return _print_answer(render_book_page(found), render_book_page_json(found), asked.style)
    return _run_diagnosis(asked, flags)


def _find_page(name: str) -> BookEntry | None:
    """Return the page of a package, also for one of its platform packages such as @img/sharp-linux-x64."""
    return find_book_entry(name) or (
        find_book_entry(platform_package_owner(name)) if PACKAGE_NAME_FORM.fullmatch(name) else None
    )


def _print_answer(text: str, document: str, style: ListFormat) -> int:
    console.write_stdout(document if style is ListFormat.JSON else text)
    return int(ExitCode.FINE)


def _find_record(word: str) -> Rule | Failure | None:
    """Return the record of a code or of its name; LP001 for a code that there is not."""
    records: tuple[Rule | Failure, ...] = (*RULES, *FAILURES)
    found = next((each for each in records if each.code == word.upper() or each.name == word), None)
    if found is None and RECORD_CODE.fullmatch(word):
        raise LambdapackError(USAGE, f"there is no code {word.upper()}", hint="README has the table of codes.")
    return found


def _run_diagnosis(asked: ExplainOptions, flags: Mapping[str, object]) -> int:
    bars = ProgressReporter(quiet=asked.quiet)
    settings = read_settings(asked.project or Path(), flags)
    aim = _make_aim(settings)
    if asked.function:
        with log_source.open_function_log(asked.function, asked.since, asked.place, bars) as source:
            found = explain_text(source, aim)
    else:
        with log_source.open_text(asked.text) as source:
            found = explain_text(source, aim)
    if found.diagnoses and (where := _project_to_check(asked)):
        try:
            found = _check_against_project(found, where, settings, bars)
        except LambdapackError as error:
            if asked.project is not None:
                raise
            bars.note(f"this project was not looked at: {error}")
    text = diagnosis.render_diagnosis(found, _similar_names(asked.text or ""), asked.text or "")
    console.write_stdout(render_diagnosis_json(found) if asked.style is ListFormat.JSON else text)
    return int(ExitCode.FINE if found.diagnoses else ExitCode.JUDGEMENT)


def _make_aim(settings: Settings) -> ExplainTarget:
    """The architecture counts when somebody chose it: a text may know better than the default."""
    chosen, named = settings.arch.value, settings.arch.origin != "default"
    architecture = parse_architecture(chosen) if named and chosen != ALL_ARCHITECTURES else None
    return ExplainTarget(parse_runtime(settings.runtime.value or newest_runtime(utc_today())), architecture)


def _project_to_check(asked: ExplainOptions) -> Path | None:
    """Return what to look at: what was named, else the project that we are in, when it has something installed."""
    if asked.project is not None:
        return asked.project
    installed = Path("package.json").is_file() and Path(NODE_MODULES).is_dir()
    return Path() if installed else None


def _check_against_project(found: Explanation, where: Path, settings: Settings, bars: ProgressReporter) -> Explanation:
    from lambdapack.pipeline.confirm import InspectionTarget, check_against_package  # noqa: PLC0415  # judging is most of what there is

    policy = make_policy(settings, handler_required=False)
    look = InspectionTarget(where, settings.handler.value, policy, open_store(settings))
    return check_against_package(found, look, _make_aim(settings), bars)


def _similar_names(word: str) -> list[str] | None:
    """Names of the book that one word may have meant; None for what is no word, or standard input."""
    return get_close_matches(word, read_book(), 3, 0.75) if PACKAGE_NAME_FORM.fullmatch(word) else None
