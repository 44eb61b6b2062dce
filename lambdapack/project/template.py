"""Finds the SAM, CloudFormation and Serverless templates of a directory, and what they say of its function."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdapack.project.declarations import DeclaredValue, TemplateDeclarations, TemplateResource, UnreadableValue
from lambdapack.project.exclusions import OUTPUT_DIRECTORY

SAM_NAMES = ("template.yaml", "template.yml", "template.json", "sam.yaml", "sam.yml")
SERVERLESS_NAMES = ("serverless.yml", "serverless.yaml", "serverless.json")
SERVERLESS_PROGRAMS = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
MAX_PROGRAM_BYTES = 1024 * 1024
TEMPLATE_FIELDS = ("runtime", "architecture", "handler")
DEFAULT_TEMPLATE_ARCHITECTURE = "x86_64"
"""Of a function that states none (docs, "Lambda instruction set architectures", read 2026-11)."""


def read_template(directory: Path, environ: Mapping[str, str] | None = None) -> TemplateDeclarations:
    """Return what the template beside package.json, or one above with this directory's code, says.

    `environ` are the variables that a serverless.yml may refer to. Where no function is of this directory, its layers
    count.
    """
    notes: list[str] = []
    resources = find_resources(directory, notes, environ)
    functions = tuple(resource for resource in resources if not resource.layer) or resources
    unreadable = list(_unreadable_programs(directory.resolve())) if not resources else []
    values = {field: _agreed_value(field, functions, notes, unreadable) for field in TEMPLATE_FIELDS}
    return TemplateDeclarations(
        runtime=values["runtime"],
        architecture=values["architecture"],
        handler=values["handler"],
        notes=tuple(notes),
        unreadable=tuple(unreadable),
        layers=tuple(dict.fromkeys(layer for resource in functions for layer in resource.layers)),
        environment=_merge_environments(functions),
    )


def find_resources(
    directory: Path, notes: list[str], environ: Mapping[str, str] | None = None
) -> tuple[TemplateResource, ...]:
    """Return the functions and layers of the template beside package.json or above whose code is this directory."""
    home = directory.resolve()
    homeless = list[TemplateResource]()
    for parent in (home, *home.parents):
        for name in (*SAM_NAMES, *SERVERLESS_NAMES):
            if (parent / name).is_file():
                resources = load_resources(parent / name, notes, environ or {})
                matching = tuple(_resources_of(home, parent, resources))
                if matching:
                    return matching
                homeless += [resource for resource in resources if "code" in resource.unreadable]
        if (parent / ".git").exists():
            break
    notes += [str(resource.unreadable["code"]) for resource in homeless]
    return ()


def _resources_of(home: Path, base: Path, resources: Sequence[TemplateResource]) -> Iterator[TemplateResource]:
    """Yield the resources whose code is a directory; failing that, those whose code lies in it or around it."""
    directories = {resource.name: _code_directory(base, resource) for resource in resources}
    same = [resource for resource in resources if directories[resource.name] == home]
    if same:
        yield from same
        return
    for resource in resources:
        directory = directories[resource.name]
        if directory is None:
            continue
        # One template may build several directories, each a project of its own.
        if _is_project_of(directory, home):
            yield _with_handler(resource, None)
        elif (handler := _handler_within(home, directory, resource)) is not None:
            yield _with_handler(resource, handler)


def _code_directory(base: Path, resource: TemplateResource) -> Path | None:
    if resource.code is None:
        return None
    path = (base / resource.code).resolve()
    # A ready zip of ours: its handler is relative to the project that it was built from.
    return path.parent.parent if path.suffix == ".zip" and path.parent.name == OUTPUT_DIRECTORY else path


def _is_project_of(directory: Path, home: Path) -> bool:
    """Tell whether a directory belongs to the project above it: no package.json lies between them."""
    if not directory.is_relative_to(home):
        return False
    between = [path for path in (directory, *directory.parents) if path != home and path.is_relative_to(home)]
    return not any(os.path.isfile(path / "package.json") for path in between)  # noqa: PTH113  # a name may be too long


def _handler_within(home: Path, directory: Path, resource: TemplateResource) -> str | None:
    """Return the handler relative to a project that lies in the code: `functions/a/app.handler` in functions/a."""
    handler = resource.values.get("handler")
    if resource.layer or handler is None or home == directory or not home.is_relative_to(directory):
        return None
    file = (directory / handler.value).resolve()
    if not file.is_relative_to(home) or not _is_project_of(file.parent, home):
        return None
    return file.relative_to(home).as_posix()


def _with_handler(resource: TemplateResource, handler: str | None) -> TemplateResource:
    """Return a resource with another handler. None: without, as it is relative to a CodeUri that is elsewhere."""
    values = {name: value for name, value in resource.values.items() if name != "handler"}
    if handler is not None:
        values["handler"] = replace(resource.values["handler"], value=handler)
    return replace(resource, values=values)


def _agreed_value(
    field: str, resources: Sequence[TemplateResource], notes: list[str], unreadable: list[UnreadableValue]
) -> DeclaredValue | None:
    """Return the one value of a field. What cannot be read is added to `unreadable`, what differs to the notes."""
    unread = [resource.unreadable[field] for resource in resources if field in resource.unreadable]
    stated = [resource.values[field] for resource in resources if field in resource.values]
    if unread:
        unreadable += dict.fromkeys(unread)
        return None
    if field == "architecture" and stated:
        stated += [
            DeclaredValue(DEFAULT_TEMPLATE_ARCHITECTURE, f"{resource.template}: {resource.name} states none")
            for resource in resources
            if field not in resource.values and not resource.layer
        ]
    values = {value.value for value in stated}
    if len(values) == 1 and len(stated) == len(resources):
        return stated[0]
    if len(values) > 1:
        listed = ", ".join(f"{value.value} ({value.origin})" for value in sorted(stated, key=_value_order))
        if field == "architecture":
            unreadable.append(UnreadableValue(field, resources[0].template, f"its functions differ: {listed}"))
        else:
            notes.append(f"the template has more than one {field}, so none is taken: {listed}")
    return None


def _value_order(value: DeclaredValue) -> tuple[str, str]:
    return value.value, value.origin


def _merge_environments(resources: Sequence[TemplateResource]) -> dict[str, str | None]:
    """Return the variables of all functions; None for one whose value differs between them."""
    environment: dict[str, str | None] = {}
    for resource in resources:
        for name, value in resource.environment.items():
            environment[name] = value if environment.get(name, value) == value else None
    return environment


def _unreadable_programs(home: Path) -> Iterator[UnreadableValue]:
    """Yield the architecture of a serverless.ts that names arm64: which functions have it, only running it says."""
    for parent in (home, *home.parents):
        for name in SERVERLESS_PROGRAMS:
            text = _read_program(parent / name)
            concerned = parent == home or home.relative_to(parent).as_posix() in text
            if "arm64" in text and concerned:
                line = text.count("\n", 0, text.index("arm64")) + 1
                yield UnreadableValue("architecture", f"{name}:{line}", f"{name} is a program")
                return
        if (parent / ".git").exists():
            return


def _read_program(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() and path.stat().st_size < MAX_PROGRAM_BYTES else ""
    except OSError:
        return ""


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


def find_templates(root: Path) -> tuple[Path, ...]:
    """Return the SAM, CloudFormation and Serverless templates of a directory."""
    return tuple(root / name for name in (*SAM_NAMES, *SERVERLESS_NAMES) if (root / name).is_file())


def load_resources(path: Path, notes: list[str], environ: Mapping[str, str]) -> tuple[TemplateResource, ...]:
    """Import yaml (15 ms) only where a template is there."""
    from lambdapack.project.template_resources import read_resources  # noqa: PLC0415

    return read_resources(path, notes, environ)
