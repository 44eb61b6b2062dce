"""Writes the recipe files of `lambdapack init`. Never changes a file that the user owns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import product
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import FILE_EXISTS
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Target
from lambdapack.pack.output import replace_file
from lambdapack.pack.source import IGNORE_FILE
from lambdapack.packages.modules import HANDLER_EXTENSIONS
from lambdapack.project.document import read_text
from lambdapack.project.template import find_resources
from lambdapack.recipes.recipes import RECIPES, Recipe, RecipeContext, RecipeFile, settings_recipe


class WriteOutcome(Enum):
    """What became of one file."""

    WRITTEN = "written"
    SAME = "unchanged"
    THEIRS = "yours"  # a person's own file, which is not touched


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file of a recipe, on disk."""

    glue: RecipeFile
    path: Path
    outcome: WriteOutcome
    missing: tuple[str, ...] = ()  # what a person has to put into a file of theirs


@dataclass(frozen=True, slots=True)
class InitRequest:
    """What `init` is asked for."""

    directory: Path
    recipes: tuple[str, ...]  # names of RECIPES; none: settings and a Makefile
    name: str
    target: Target
    handler: str
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # what a serverless.yml may refer to


HANDLER_DIRECTORIES = ("", "src", "dist", "build", "lib")
HANDLER_STEMS = ("index", "handler", "app", "lambda", "main")
HANDLER_EXPORTS = ("handler", "lambdaHandler")
"""Where functions have their handler: AWS's console and samples, `sam init`, templates of bundlers (2026-12)."""


def find_own_handler(directory: Path) -> str:
    """Return the handler that a file of the project exports: "src/app.handler"; "" where none can be told."""
    for below, stem, extension in product(HANDLER_DIRECTORIES, HANDLER_STEMS, HANDLER_EXTENSIONS):
        path = directory / below / f"{stem}{extension}"
        exported = _exported_names(path) if path.is_file() else frozenset()
        name = next((name for name in HANDLER_EXPORTS if name in exported), "")
        if name:
            return f"{(Path(below) / stem).as_posix()}.{name}"
    return ""


def _exported_names(path: Path) -> frozenset[str]:
    from lambdapack.script.read import read_script  # noqa: PLC0415  # few commands read a script

    try:
        script = read_script(path.name, path.read_bytes())
    except OSError:
        return frozenset()
    return script.exports if script else frozenset()


def read_recipe_context(request: InitRequest) -> tuple[RecipeContext, tuple[str, ...]]:
    """Return what the recipes need to know, and what is worth a note. LP002 without package.json, but for cdk alone."""
    home, notes = request.directory.resolve(), list[str]()
    root = find_repository_root(home)
    needs_package = request.recipes != ("cdk",) or (home / "package.json").is_file()
    source = read_dependencies(home) if needs_package else None
    lock = source.lock.path if source and source.lock else home / "package-lock.json"
    resources = find_resources(home, notes, request.environ)
    context = RecipeContext(
        name=request.name,
        target=request.target,
        handler=request.handler,
        path=home.relative_to(root).as_posix(),
        lock=lock.relative_to(root).as_posix() if lock.is_relative_to(root) else "package-lock.json",
        typescript=(home / "tsconfig.json").is_file(),
        resources=resources,
        template=resources[0].template if resources else "template.yaml",
    )
    notes += [
        f"{resource.name} gets {resolved.value} ({resolved.origin}): with other parameters, pass --arch and --runtime"
        for resource in resources
        for resolved in resource.values.values()
        if not resolved.literal and "sam" in request.recipes
    ]
    return context, tuple(notes)


def make_recipe_files(request: InitRequest, context: RecipeContext) -> tuple[RecipeFile, ...]:
    """Return the files of all recipes that were asked for, each path once."""
    recipes: Sequence[Recipe] = [RECIPES[name] for name in request.recipes] or [settings_recipe, RECIPES["makefile"]]
    files: dict[str, RecipeFile] = {}
    for recipe in recipes:
        for recipe_file in recipe(context):
            earlier = files.get(recipe_file.path)
            files[recipe_file.path] = _merge_files(earlier, recipe_file) if earlier else recipe_file
    own = [recipe_file.path for recipe_file in files.values() if not recipe_file.at_root or context.path == "."]
    return (*files.values(), _ignore_file(own))


def _ignore_file(paths: Sequence[str]) -> RecipeFile:
    """Return the ignore file that keeps glue out of the package: it would make another zip of the same function."""
    lines = tuple(f"/{path}" for path in paths)
    return RecipeFile(IGNORE_FILE, "".join(f"{line}\n" for line in lines), only_if_absent=True, merge=lines)


def _merge_files(one: RecipeFile, other: RecipeFile) -> RecipeFile:
    """Return a file that two recipes need: a Makefile with two includes."""
    return replace(one, text=one.text + other.text, merge=(*one.merge, *other.merge))


def write_recipe_files(
    request: InitRequest, recipe_files: Sequence[RecipeFile], *, force: bool
) -> tuple[WrittenFile, ...]:
    """Write the files; LP013, before any is written, when one of them is there and says something else."""
    home = request.directory.resolve()
    root = find_repository_root(home)
    written = [
        _compare_file(recipe_file, (root if recipe_file.at_root else home) / recipe_file.path, force=force)
        for recipe_file in recipe_files
    ]
    for written_file in written:
        if written_file.outcome is WriteOutcome.WRITTEN:
            with replace_file(written_file.path) as file:
                file.write(written_file.glue.text.encode())
    return tuple(written)


def _compare_file(recipe_file: RecipeFile, path: Path, *, force: bool) -> WrittenFile:
    if not path.exists():
        return WrittenFile(recipe_file, path, WriteOutcome.WRITTEN)
    text = read_text(path)
    missing = tuple(line for line in recipe_file.merge if line not in text)
    if text == recipe_file.text or (recipe_file.merge and not missing):
        return WrittenFile(recipe_file, path, WriteOutcome.SAME)
    if recipe_file.only_if_absent:
        return WrittenFile(recipe_file, path, WriteOutcome.THEIRS, missing)
    if force:
        return WrittenFile(recipe_file, path, WriteOutcome.WRITTEN)
    raise LambdapackError(FILE_EXISTS, str(path))


def find_repository_root(home: Path) -> Path:
    """Return the nearest directory above that is under version control, the directory itself where none is."""
    return next((parent for parent in (home, *home.parents) if (parent / ".git").exists()), home)
