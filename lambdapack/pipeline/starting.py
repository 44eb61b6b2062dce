"""Writes the glue between a project and the tools that call lambdapack."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from lambdapack.errors import FILE_EXISTS, LambdapackError
from lambdapack.model import Target
from lambdapack.pack.atomic import replacing
from lambdapack.pack.ignore import IGNORE_FILE
from lambdapack.project.document import read_text
from lambdapack.project.reader import load
from lambdapack.project.template import declared_here
from lambdapack.recipes.nouns import Glue, Situation
from lambdapack.recipes.recipes import RECIPES, Recipe, settings


class Outcome(Enum):
    """What became of one file."""

    WRITTEN = "written"
    SAME = "unchanged"
    THEIRS = "yours"  # a person's own file, which is not touched


@dataclass(frozen=True, slots=True)
class Begun:
    """One file of a recipe, on disk."""

    glue: Glue
    path: Path
    outcome: Outcome
    missing: tuple[str, ...] = ()  # what a person has to put into a file of theirs


@dataclass(frozen=True, slots=True)
class Start:
    """What `init` is asked for."""

    directory: Path
    recipes: tuple[str, ...]  # names of RECIPES; none: settings and a Makefile
    name: str
    target: Target
    handler: str


def situation_of(start: Start) -> tuple[Situation, tuple[str, ...]]:
    """Return what the recipes need to know, and what is worth a note. LP002 without package.json, but for cdk alone."""
    home, notes = start.directory.resolve(), list[str]()
    root = repository_of(home)
    project = None if start.recipes == ("cdk",) and not (home / "package.json").is_file() else load(home)
    lock = project.lockfile.path if project and project.lockfile else home / "package-lock.json"
    resources = declared_here(home, notes)
    template = next((origin.rpartition(":")[0] for each in resources for _, origin in each.values.values()), None)
    found = Situation(
        name=start.name,
        target=start.target,
        handler=start.handler,
        path=home.relative_to(root).as_posix(),
        lock=lock.relative_to(root).as_posix() if lock.is_relative_to(root) else "package-lock.json",
        typescript=(home / "tsconfig.json").is_file(),
        resources=resources,
        template=template or "template.yaml",
    )
    return found, tuple(notes)


def glue_of(start: Start, situation: Situation) -> tuple[Glue, ...]:
    """Return the files of all recipes that were asked for, each path once."""
    wanted: Sequence[Recipe] = [RECIPES[each] for each in start.recipes] or [settings, RECIPES["makefile"]]
    found: dict[str, Glue] = {}
    for recipe in wanted:
        for each in recipe(situation):
            before = found.get(each.path)
            found[each.path] = _joined(before, each) if before else each
    own = [each.path for each in found.values() if not each.at_root or situation.path == "."]
    return (*found.values(), _unpacked(own))


def _unpacked(paths: Sequence[str]) -> Glue:
    """Return the ignore file that keeps glue out of the package: it would make another zip of the same function."""
    lines = tuple(f"/{each}" for each in paths)
    return Glue(IGNORE_FILE, "".join(f"{each}\n" for each in lines), only_if_absent=True, merge=lines)


def _joined(one: Glue, other: Glue) -> Glue:
    """Return a file that two recipes need: a Makefile with two includes."""
    return replace(one, text=one.text + other.text, merge=(*one.merge, *other.merge))


def begin(start: Start, glue: Sequence[Glue], *, force: bool) -> tuple[Begun, ...]:
    """Write the files; LP013, before any is written, when one of them is there and says something else."""
    home = start.directory.resolve()
    root = repository_of(home)
    found = [_begun(each, (root if each.at_root else home) / each.path, force=force) for each in glue]
    for begun in found:
        if begun.outcome is Outcome.WRITTEN:
            with replacing(begun.path) as file:
                file.write(begun.glue.text.encode())
    return tuple(found)


def _begun(glue: Glue, path: Path, *, force: bool) -> Begun:
    if not path.exists():
        return Begun(glue, path, Outcome.WRITTEN)
    there = read_text(path)
    missing = tuple(each for each in glue.merge if each not in there)
    if there == glue.text or (glue.merge and not missing):
        return Begun(glue, path, Outcome.SAME)
    if glue.only_if_absent:
        return Begun(glue, path, Outcome.THEIRS, missing)
    if force:
        return Begun(glue, path, Outcome.WRITTEN)
    raise LambdapackError(FILE_EXISTS, str(path))


def repository_of(home: Path) -> Path:
    """Return the nearest directory above that is under version control, the directory itself where none is."""
    return next((each for each in (home, *home.parents) if (each / ".git").exists()), home)
