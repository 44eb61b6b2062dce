"""Defaults that the repository's template already states. Only literal values count; nothing is evaluated."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.project.semver import admitted_majors

if TYPE_CHECKING:
    from lambdapack.project.template_yaml import Function

SAM_NAMES = ("template.yaml", "template.yml", "sam.yaml", "sam.yml")
SERVERLESS_NAMES = ("serverless.yml", "serverless.yaml")
OUTPUT_DIRECTORY = ".lambdapack"
"""In the project; a project's own dist/ is never touched, and this one is never packed."""
FIELDS = ("runtime", "architecture", "handler")


@dataclass(frozen=True, slots=True)
class Declared:
    """A value and where it is written: "template.yaml:12"."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a template says of this directory's function. None: nothing literal, or not one answer."""

    runtime: Declared | None = None
    architecture: Declared | None = None
    handler: Declared | None = None
    notes: tuple[str, ...] = ()  # why something was not taken


def read_template(directory: Path) -> Declarations:
    """Return what the template beside package.json, or one above with this CodeUri, states literally."""
    notes: list[str] = []
    found = tuple(each for each in declared_here(directory, notes) if not each.layer)
    values = {field: _agreed(field, found, notes) for field in FIELDS}
    return Declarations(values["runtime"], values["architecture"], values["handler"], tuple(notes))


def declared_here(directory: Path, notes: list[str]) -> "tuple[Function, ...]":
    """Return the functions and layers of the template beside package.json or above whose code is this directory."""
    home = directory.resolve()
    return _beside(home, notes) or _above(home, notes)


def _beside(home: Path, notes: list[str]) -> "tuple[Function, ...]":
    for name in (*SAM_NAMES, *SERVERLESS_NAMES):
        if (home / name).is_file():
            found = _functions(home / name, notes)
            ours = tuple(each for each in found if _directory(home, each) == home)
            # One template may build several directories, each a project of its own.
            return ours or tuple(_below(each) for each in found if _belongs(_directory(home, each), home))
    return ()


def _above(home: Path, notes: list[str]) -> "tuple[Function, ...]":
    for parent in home.parents:
        for name in SAM_NAMES:
            if (parent / name).is_file():
                found = _functions(parent / name, notes)
                return tuple(each for each in found if _directory(parent, each) == home)
        if (parent / ".git").exists():
            break
    return ()


def _functions(path: Path, notes: list[str]) -> "tuple[Function, ...]":
    from lambdapack.project.template_yaml import functions  # noqa: PLC0415  # PyYAML costs 15 ms

    return functions(path, notes)


def _directory(base: Path, function: "Function") -> Path | None:
    if function.code is None:
        return None
    path = (base / function.code).resolve()
    # A ready zip of ours: its handler is relative to the project that it was built from.
    return path.parent.parent if path.suffix == ".zip" and path.parent.name == OUTPUT_DIRECTORY else path


def _belongs(directory: Path | None, home: Path) -> bool:
    return directory is not None and directory.is_relative_to(home) and not (directory / "package.json").is_file()


def _below(function: "Function") -> "Function":
    """Leave out the handler: it is relative to a CodeUri that is not this directory."""
    return replace(function, values={name: each for name, each in function.values.items() if name != "handler"})


def _agreed(field: str, found: "tuple[Function, ...]", notes: list[str]) -> Declared | None:
    stated = [each.values[field] for each in found if field in each.values]
    values = {value for value, _origin in stated}
    if len(values) == 1 and len(stated) == len(found):
        value, origin = stated[0]
        return Declared(value, origin)
    if len(values) > 1:
        listed = ", ".join(f"{value} ({origin})" for value, origin in sorted(stated))
        notes.append(f"the template has more than one {field}, so none is taken: {listed}")
    return None


def engines_runtime(manifest: Mapping[str, Any], majors: Collection[int]) -> Declared | None:
    """Return the runtime when `engines.node` admits exactly one of Lambda's Node.js majors."""
    engines = manifest.get("engines")
    spec = engines.get("node") if isinstance(engines, dict) else None
    admitted = admitted_majors(spec, majors) if isinstance(spec, str) and spec.strip() else None
    if admitted is None or len(admitted) != 1:
        return None
    return Declared(f"nodejs{admitted[0]}.x", f"package.json engines.node {' '.join(str(spec).split())}")
