"""Runs `lambdapack init`: writes or prints the recipe files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.input.resources import archive_stem
from lambdapack.cli.input.settings import ALL_ARCHITECTURES, read_settings, select_targets
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNREADABLE_TEMPLATE, USAGE
from lambdapack.model import Target
from lambdapack.pipeline.init_files import (
    InitRequest,
    WriteOutcome,
    WrittenFile,
    find_own_handler,
    make_recipe_files,
    read_recipe_context,
    write_recipe_files,
)
from lambdapack.recipes.recipes import RecipeContext, RecipeFile
from lambdapack.report.text import wrap_paragraph


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What is no setting of the project."""

    path: Path
    recipes: tuple[str, ...]
    force: bool
    show: bool


def run_init(options: InitOptions, flags: Mapping[str, object]) -> int:
    """Write or print the files and return the exit code."""
    progress = ProgressReporter(quiet=False)
    settings = read_settings(options.path, flags)
    start = InitRequest(
        options.path,
        options.recipes,
        _project_name(options, settings),
        _require_single_target(options.recipes, settings, progress),
        _choose_handler(options.path, settings, progress),
        dict(os.environ),
    )
    situation, notes = read_recipe_context(start)
    _require_readable_architectures(situation, settings)
    for note in notes:
        progress.note(note)
    glue = make_recipe_files(start, situation)
    if options.show:
        console.write_stdout(_render_files(glue))
        return 0
    begun = write_recipe_files(start, glue, force=options.force)
    console.write_stdout(
        "".join(
            f"{_relative_path(written_file.path)}\n"
            for written_file in begun
            if written_file.outcome is WriteOutcome.WRITTEN
        )
    )
    console.write_stderr("".join(_render_outcome(written_file) for written_file in begun))
    if not options.recipes:
        progress.note("next: `lambdapack build` makes the zip, `lambdapack invoke` runs it")
    return 0


def _choose_handler(directory: Path, settings: Settings, progress: ProgressReporter) -> str:
    """Return the handler of the settings, or the one that the project's own code exports."""
    if settings.handler.origin != DEFAULT_ORIGIN:
        return settings.handler.value
    found = find_own_handler(directory)
    if found and found != settings.handler.value:
        progress.note(f"the handler is {found}, which the code exports; `--handler FILE.EXPORT` names another")
    return found or settings.handler.value


def _project_name(options: InitOptions, settings: Settings) -> str:
    """Return the project's name; a CDK app's directory needs no package.json."""
    if options.recipes == ("cdk",) and not (options.path / "package.json").is_file():
        return options.path.resolve().name
    return archive_stem(options.path, settings)


def _require_single_target(recipes: tuple[str, ...], settings: Settings, progress: ProgressReporter) -> Target:
    if settings.arch.value == ALL_ARCHITECTURES:
        hint = "Pass `--arch arm64` or `--arch x86_64`: a function has one architecture."
        raise LambdapackError(USAGE, "init needs one architecture, but the settings say all", hint=hint)
    # Each function and layer of a SAM template has a target of its own, and may differ from the next.
    return select_targets(settings, progress, builds=recipes != ("sam",))[0]


def _require_readable_architectures(context: RecipeContext, settings: Settings) -> None:
    for resource in context.resources:
        if settings.arch.origin == DEFAULT_ORIGIN and "architecture" in resource.unreadable:
            raise LambdapackError(UNREADABLE_TEMPLATE, resource.unreadable["architecture"].detail)


def _render_files(glue: Sequence[RecipeFile]) -> str:
    if len(glue) == 1:
        return glue[0].text
    return "\n".join(f"==> {recipe_file.path} <==\n{recipe_file.text}" for recipe_file in glue)


def _render_outcome(begun: WrittenFile) -> str:
    path = _relative_path(begun.path)
    if begun.outcome is WriteOutcome.SAME:
        return wrap_paragraph("unchanged: ", path) + "\n"
    if not begun.missing:
        return ""
    return wrap_paragraph("note: ", f"{path} exists and was not changed; add to it: {', '.join(begun.missing)}") + "\n"


def _relative_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
