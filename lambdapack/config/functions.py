"""The functions of a repository: `[functions.NAME]` of lambdapack.toml, and those of its templates."""

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lambdapack.config.settings import OPTIONS
from lambdapack.config.sources import TOML_NAME, read_toml_document
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, USAGE
from lambdapack.project.declarations import TemplateResource
from lambdapack.project.template import find_templates, load_resources

FUNCTIONS_TABLE = "functions"
PLACE_KEYS = ("directory", "extends")
FUNCTION_KEYS = ("function", "alias", "bucket", "region", "profile", "smoke", "canary", "tags", "description",
                 "env-file", "memory-size", "timeout", "ephemeral-storage")  # fmt: skip
"""Keys that only a deployment reads."""

TEMPLATE_SETTINGS = {"runtime": "runtime", "architecture": "arch", "handler": "handler"}


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """One function that a repository declares."""

    name: str
    directory: Path  # of its package.json
    values: Mapping[str, object] = field(default_factory=dict)  # settings by name, as written
    origin: str = ""  # "lambdapack.toml", "template.yaml"


def find_functions(root: Path, environ: Mapping[str, str], notes: list[str]) -> tuple[DeclaredFunction, ...]:
    """Return the functions that are declared at a root, by name. LP006 for what contradicts itself."""
    home = root.resolve()
    document = read_toml_document(home / TOML_NAME)
    tables = _read_tables(document, home / TOML_NAME)
    shared = {name: value for name, value in document.items() if name != FUNCTIONS_TABLE}
    found: dict[str, DeclaredFunction] = {}
    for declared in (*_template_functions(home, environ, notes), *_table_functions(home, tables)):
        known = found.get(declared.name)
        if known is not None and declared.origin not in {"", TOML_NAME} and not _is_same(known, declared):
            detail = f"{declared.name} is listed twice: in {known.origin} and in {declared.origin}"
            raise LambdapackError(BAD_CONFIG, detail, hint="Give one of them another name.")
        found[declared.name] = _merge(known, declared)
    whole = (_with_tables(function, tables, shared) for function in found.values())
    return tuple(sorted(whole, key=lambda function: function.name))


def select_functions(functions: Sequence[DeclaredFunction], only: Sequence[str]) -> tuple[DeclaredFunction, ...]:
    """Return the functions whose names fit a glob of `only`, all without one. LP001 when a glob fits none."""
    if not functions:
        hint = f"Declare them in {TOML_NAME}: [functions.NAME] with directory and handler."
        raise LambdapackError(USAGE, "no function is declared here, neither in a template nor in a table", hint=hint)
    names = [function.name for function in functions]
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise LambdapackError(
                USAGE, f"--only {pattern}: there is no such function", hint=f"There are: {', '.join(names)}."
            )
    chosen = (function for function in functions if any(fnmatchcase(function.name, pattern) for pattern in only))
    return tuple(chosen) if only else tuple(functions)


def _read_tables(document: Mapping[str, Any], path: Path) -> Mapping[str, Mapping[str, Any]]:
    tables = document.get(FUNCTIONS_TABLE, {})
    known = {option.name for option in OPTIONS} | {*PLACE_KEYS, *FUNCTION_KEYS}
    if not isinstance(tables, dict):
        raise LambdapackError(BAD_CONFIG, f"{path}: [{FUNCTIONS_TABLE}.NAME] tables are expected")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise LambdapackError(BAD_CONFIG, f"{path}: {FUNCTIONS_TABLE}.{name} is no table")
        unknown = [key for key in table if key not in known and not isinstance(table[key], dict)]
        if unknown:
            hint = f"Remove it; the settings are: {', '.join(sorted(known))}."
            raise LambdapackError(BAD_CONFIG, f"{path}: unknown setting {unknown[0]} in [functions.{name}]", hint=hint)
    return {str(name): _inherited(str(name), tables, path) for name in tables}


def _inherited(name: str, tables: Mapping[str, Any], path: Path, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a table over those that it extends. LP006 for a circle and for a name that is not there."""
    if name in seen:
        detail = f"{path}: [functions.{name}] extends itself: {' -> '.join((*seen, name))}"
        raise LambdapackError(BAD_CONFIG, detail, hint="Take one of these `extends` out.")
    table = tables.get(name)
    if not isinstance(table, dict):
        raise LambdapackError(BAD_CONFIG, f"{path}: [functions.{seen[-1]}] extends {name}, which is not there")
    parent = table.get("extends")
    below = _inherited(str(parent), tables, path, (*seen, name)) if parent is not None else {}
    return {**below, **{key: value for key, value in table.items() if key != "extends"}}


def _table_functions(home: Path, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[DeclaredFunction]:
    for name, table in tables.items():
        directory = str(table.get("directory", "."))
        if "*" in name and "*" in directory:
            for path in sorted(home.glob(directory)):
                if path.is_dir() and fnmatchcase(path.name, name):
                    yield DeclaredFunction(path.name, path, origin=TOML_NAME)
        elif "*" not in name:
            yield DeclaredFunction(name, home / directory, origin="" if "directory" not in table else TOML_NAME)


def _template_functions(home: Path, environ: Mapping[str, str], notes: list[str]) -> Iterator[DeclaredFunction]:
    for path in find_templates(home):
        for resource in load_resources(path, notes, environ):
            if resource.layer:
                continue
            if resource.code is None:
                notes += [str(value) for field_name, value in resource.unreadable.items() if field_name == "code"]
                continue
            yield _template_function(home, path, resource)


def _template_function(home: Path, path: Path, resource: TemplateResource) -> DeclaredFunction:
    values: dict[str, object] = {
        TEMPLATE_SETTINGS[name]: value.value for name, value in resource.values.items() if name in TEMPLATE_SETTINGS
    }
    code = (path.parent / str(resource.code)).resolve()
    handler = str(values.get("handler", ""))
    start = (code / posixpath.dirname(handler)).resolve()
    above = (directory for directory in (start, *start.parents) if directory.is_relative_to(home))
    directory = next((place for place in above if (place / "package.json").is_file()), code)
    if handler:
        values["handler"] = os.path.relpath(code / handler, directory).replace(os.sep, "/")
    return DeclaredFunction(resource.name, directory, values, resource.template)


def _is_same(one: DeclaredFunction, other: DeclaredFunction) -> bool:
    return one.directory == other.directory and one.values.get("handler") == other.values.get("handler")


def _merge(known: DeclaredFunction | None, declared: DeclaredFunction) -> DeclaredFunction:
    """A table adds to a template's function of the same name, and moves it only where it names a directory."""
    if known is None:
        return declared
    directory = declared.directory if declared.origin else known.directory
    return replace(known, directory=directory, values={**known.values, **declared.values})


def _with_tables(
    function: DeclaredFunction, tables: Mapping[str, Mapping[str, Any]], shared: Mapping[str, Any]
) -> DeclaredFunction:
    """Return a function with the settings of the repository, of the tables whose glob fits, and of its own."""
    settings = {option.name for option in OPTIONS}
    values: dict[str, object] = {name: value for name, value in shared.items() if name in settings}
    values |= function.values
    globs = [table for name, table in tables.items() if "*" in name and fnmatchcase(function.name, name)]
    for table in (*globs, tables.get(function.name, {})):
        values |= {name: value for name, value in table.items() if name in settings}
    return replace(function, values=values)
