"""Loads settings by precedence: flags, variables, lambdapack.toml, package.json, template, defaults."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdapack.config.settings import DEFAULT_ORIGIN, OPTIONS, VARIABLE_PREFIX, Option, Setting, Settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.project.declarations import DeclaredValue, TemplateDeclarations
from lambdapack.project.document import parse_object, read_text
from lambdapack.project.template import read_template, runtime_from_engines

TOML_NAME = "lambdapack.toml"
SETTING_TABLES = frozenset(option.name.partition(".")[0] for option in OPTIONS if "." in option.name)


@dataclass(frozen=True, slots=True)
class _RawValue:
    """A value as written in its source, not yet parsed."""

    value: object
    origin: str
    base: Path | None = None  # what a relative path is relative to; None: the working directory


def load_settings(
    directory: Path, flags: Mapping[str, object], environ: Mapping[str, str], *, majors: Collection[int] = ()
) -> Settings:
    """Return every setting with its origin. LP006 for an unknown key or a value of the wrong type.

    `flags` is by field name or flag, None for one that was not given. `majors` are the Node.js majors that Lambda has,
    for `engines.node`; without them it is ignored.
    """
    home = directory.resolve()
    manifest = _read_package_json(home)
    notes = list(_unknown_variable_notes(environ))
    declared = read_template(home, environ)
    notes += declared.notes
    layers = [
        _read_flags(flags),
        _read_variables(environ),
        _read_toml(home / TOML_NAME),
        _read_package_table(home, manifest),
        _template_values(declared, manifest, majors),
    ]
    chosen = {option.field: _choose_setting(option, layers) for option in OPTIONS}
    chosen["strategy"], alias = _apply_alias(chosen["strategy"], chosen["emulation"])
    # The table and the fields are the same list: tests/unit/config/test_config.py holds them together.
    return Settings(**chosen, notes=(*notes, *alias), template=declared)


def _choose_setting(option: Option, layers: list[dict[str, _RawValue]]) -> Setting[Any]:
    raw = next((layer[option.name] for layer in layers if option.name in layer), None)
    return Setting(option.default) if raw is None else _parse_setting(option, raw)


def _parse_setting(option: Option, raw: _RawValue) -> Setting[Any]:
    try:
        value = option.kind.parse(raw.value)
    except ValueError as error:
        text = repr(raw.value) if len(repr(raw.value)) <= 80 else f"{repr(raw.value)[:77]}..."
        detail = f"{option.name} ({raw.origin}) is {text}: {error}"
        raise LambdapackError(BAD_CONFIG, detail, hint=f"Correct {option.name} in {raw.origin}.") from error
    if isinstance(value, Path) and raw.base is not None:
        value = raw.base / value
    if isinstance(value, tuple) and raw.base is not None:
        value = tuple(raw.base / path if isinstance(path, Path) else path for path in value)
    return Setting(value, raw.origin)


def _apply_alias(strategy: Setting[Any], emulation: Setting[Any]) -> tuple[Setting[Any], tuple[str, ...]]:
    """Return the strategy under its old name, `emulation = "full"`, and a note that names the new one."""
    if emulation.origin == DEFAULT_ORIGIN:
        return strategy, ()
    note = f"emulation ({emulation.origin}) is the old name: use strategy = emulated, or --strategy emulated"
    if emulation.value == "full" and strategy.origin == DEFAULT_ORIGIN:
        return Setting("emulated", emulation.origin), (note,)
    return strategy, (note,)


def _read_flags(flags: Mapping[str, object]) -> dict[str, _RawValue]:
    by_field = {option.field: option for option in OPTIONS}
    values = {}
    for name, value in flags.items():
        option = by_field.get(name.removeprefix("--").replace("-", "_"))
        if option and value is not None and value not in ((), []):
            values[option.name] = _RawValue(value, option.flag)
    return values


def _read_variables(environ: Mapping[str, str]) -> dict[str, _RawValue]:
    # An empty variable is how CI systems say "not set".
    return {
        option.name: _RawValue(environ[option.variable], option.variable)
        for option in OPTIONS
        if environ.get(option.variable, "").strip()
    }


def _unknown_variable_notes(environ: Mapping[str, str]) -> Iterator[str]:
    known = {option.variable.removeprefix(VARIABLE_PREFIX) for option in OPTIONS}
    for name in sorted(environ):
        bare = name.removeprefix(VARIABLE_PREFIX)
        near = _nearest_name(bare, known) if name.startswith(VARIABLE_PREFIX) and bare not in known else None
        if near:
            yield f"unknown variable {name}; did you mean {VARIABLE_PREFIX}{near}?"


def _read_toml(path: Path) -> dict[str, _RawValue]:
    if not path.is_file():
        return {}
    import tomllib  # noqa: PLC0415  # 3 ms that most projects need not pay

    text = read_text(path)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(BAD_CONFIG, f"{path}{_toml_error_place(error)}: {error}") from error
    return _read_table(table, lambda name: f"{path.name}:{_toml_line(text, name)}", path.parent)


def _toml_error_place(error: Exception) -> str:
    match = re.search(r"at line (\d+), column (\d+)", str(error))
    return f":{match[1]}:{match[2]}" if match else ""


def _toml_line(text: str, name: str) -> int:
    """Return the line of a key, or that of its table."""
    table, _dot, key = name.rpartition(".")
    patterns = [
        rf'^\s*["\']?{re.escape(key)}["\']?\s*[=.]',
        rf"^\s*\[+\s*{re.escape(name)}\s*\]",
        rf"^\s*\[?\s*{re.escape(table or key)}\b",
    ]
    match = next((match for pattern in patterns if (match := re.search(pattern, text, re.MULTILINE))), None)
    return text.count("\n", 0, match.end()) + 1 if match else 1


def _read_package_table(home: Path, manifest: Mapping[str, Any]) -> dict[str, _RawValue]:
    table = manifest.get("lambdapack", {})
    if not isinstance(table, dict):
        raise LambdapackError(BAD_CONFIG, f'{home / "package.json"}: "lambdapack" is not an object')
    return _read_table(table, lambda name: f'package.json "lambdapack".{name}', home)


def _read_table(table: Mapping[str, Any], origin: Any, base: Path) -> dict[str, _RawValue]:
    known = {option.name for option in OPTIONS}
    flat = dict(_flatten_table(table))
    for name in flat:
        if name not in known:
            near = _nearest_name(name, known)
            meant = f"; did you mean {near}?" if near else ""
            hint = f"Write {near} instead." if near else f"Remove it; the settings are: {', '.join(sorted(known))}."
            raise LambdapackError(BAD_CONFIG, f"{origin(name)}: unknown setting {name}{meant}", hint=hint)
    return {name: _RawValue(value, origin(name), base) for name, value in flat.items()}


def _flatten_table(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if name in SETTING_TABLES and isinstance(value, dict):
            yield from ((f"{name}.{key}", nested) for key, nested in value.items())
        elif not name.startswith("$"):  # "$schema" is for editors
            yield name, value


def _nearest_name(name: str, known: Collection[str]) -> str | None:
    import difflib  # noqa: PLC0415  # only for a mistake

    spelled = name if name.isupper() else name.replace("_", "-").lower()
    return next(iter(difflib.get_close_matches(spelled, sorted(known), n=1, cutoff=0.75)), None)


def _read_package_json(home: Path) -> Mapping[str, Any]:
    path = home / "package.json"
    return parse_object(read_text(path), path) if path.is_file() else {}


def _template_values(
    declared: TemplateDeclarations, manifest: Mapping[str, Any], majors: Collection[int]
) -> dict[str, _RawValue]:
    declared_values: dict[str, DeclaredValue | None] = {
        "runtime": declared.runtime or runtime_from_engines(manifest, majors),
        "arch": declared.architecture,
        "handler": declared.handler,
    }
    return {
        name: _RawValue(declared_value.value, declared_value.origin)
        for name, declared_value in declared_values.items()
        if declared_value
    }
