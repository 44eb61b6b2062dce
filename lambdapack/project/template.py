"""Defaults that a SAM or Serverless template states literally. Never evaluates, never resolves a YAML tag."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.project.exclusions import OUTPUT_DIRECTORY

if TYPE_CHECKING:
    from lambdapack.project.template_resources import TemplateResource

SAM_NAMES = ("template.yaml", "template.yml", "sam.yaml", "sam.yml")
SERVERLESS_NAMES = ("serverless.yml", "serverless.yaml")
TEMPLATE_FIELDS = ("runtime", "architecture", "handler")


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """A value and where it is written: "template.yaml:12"."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class TemplateDeclarations:
    """What a template says of this directory's function. None: nothing literal, or not one answer."""

    runtime: DeclaredValue | None = None
    architecture: DeclaredValue | None = None
    handler: DeclaredValue | None = None
    notes: tuple[str, ...] = ()  # why something was not taken


def read_template(directory: Path) -> TemplateDeclarations:
    """Return what the template beside package.json, or one above with this CodeUri, states literally."""
    notes: list[str] = []
    resources = tuple(resource for resource in find_resources(directory, notes) if not resource.layer)
    values = {field: _agreed_value(field, resources, notes) for field in TEMPLATE_FIELDS}
    return TemplateDeclarations(values["runtime"], values["architecture"], values["handler"], tuple(notes))


def find_resources(directory: Path, notes: list[str]) -> "tuple[TemplateResource, ...]":
    """Return the functions and layers of the template beside package.json or above whose code is this directory."""
    home = directory.resolve()
    return _resources_beside(home, notes) or _resources_above(home, notes)


def _resources_beside(home: Path, notes: list[str]) -> "tuple[TemplateResource, ...]":
    for name in (*SAM_NAMES, *SERVERLESS_NAMES):
        if (home / name).is_file():
            resources = _load_resources(home / name, notes)
            ours = tuple(resource for resource in resources if _code_directory(home, resource) == home)
            # One template may build several directories, each a project of its own.
            return ours or tuple(
                _without_handler(resource)
                for resource in resources
                if _is_part_of(_code_directory(home, resource), home)
            )
    return ()


def _resources_above(home: Path, notes: list[str]) -> "tuple[TemplateResource, ...]":
    for parent in home.parents:
        for name in SAM_NAMES:
            if (parent / name).is_file():
                resources = _load_resources(parent / name, notes)
                return tuple(resource for resource in resources if _code_directory(parent, resource) == home)
        if (parent / ".git").exists():
            break
    return ()


def _code_directory(base: Path, resource: "TemplateResource") -> Path | None:
    if resource.code is None:
        return None
    path = (base / resource.code).resolve()
    # A ready zip of ours: its handler is relative to the project that it was built from.
    return path.parent.parent if path.suffix == ".zip" and path.parent.name == OUTPUT_DIRECTORY else path


def _is_part_of(directory: Path | None, home: Path) -> bool:
    return directory is not None and directory.is_relative_to(home) and not (directory / "package.json").is_file()


def _without_handler(resource: "TemplateResource") -> "TemplateResource":
    """Leave out the handler: it is relative to a CodeUri that is not this directory."""
    return replace(resource, values={name: value for name, value in resource.values.items() if name != "handler"})


def _agreed_value(field: str, resources: "tuple[TemplateResource, ...]", notes: list[str]) -> DeclaredValue | None:
    stated = [resource.values[field] for resource in resources if field in resource.values]
    values = {value for value, _origin in stated}
    if len(values) == 1 and len(stated) == len(resources):
        value, origin = stated[0]
        return DeclaredValue(value, origin)
    if len(values) > 1:
        listed = ", ".join(f"{value} ({origin})" for value, origin in sorted(stated))
        notes.append(f"the template has more than one {field}, so none is taken: {listed}")
    return None


def runtime_from_engines(manifest: Mapping[str, Any], majors: Collection[int]) -> DeclaredValue | None:
    """Return the runtime when `engines.node` admits exactly one of Lambda's Node.js majors."""
    engines = manifest.get("engines")
    spec = engines.get("node") if isinstance(engines, dict) else None
    if not isinstance(spec, str) or not spec.strip():
        return None
    from lambdapack.project.semver import admitted_majors  # noqa: PLC0415  # many projects state no engines

    admitted = admitted_majors(spec, majors)
    if admitted is None or len(admitted) != 1:
        return None
    return DeclaredValue(f"nodejs{admitted[0]}.x", f"package.json engines.node {' '.join(str(spec).split())}")


def _load_resources(path: Path, notes: list[str]) -> "tuple[TemplateResource, ...]":
    """Import yaml (15 ms) only where a template is there."""
    from lambdapack.project.template_resources import read_resources  # noqa: PLC0415

    return read_resources(path, notes)
