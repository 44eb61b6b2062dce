"""Kinds of settings: a parser and a JSON schema each. Parsers raise ValueError that ends in "expected"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIZE_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
"""As `docker run --memory` reads them: powers of 1024."""

TIME_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

IMAGE_PLACEHOLDERS = frozenset({"node", "runtime", "arch"})
"""`{node}` is "22", `{runtime}` "nodejs22.x", `{arch}` "x86_64" or "arm64"."""

ENGINE_ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True, slots=True)
class SettingKind:
    """A type of setting: how its value is read and what JSON schema describes it in lambdapack.toml."""

    parse: Callable[[object], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IgnoreSetting:
    """A finding that the user decided to live with."""

    code: str  # "LP201" or its name, "wrong-cpu"
    path: str  # glob over the finding's path; "" for all
    reason: str


def parse_text(value: object) -> str:
    """Return a string that is not empty."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("a text that is not empty is expected")


def choice_parser(*allowed: str) -> Callable[[object], str]:
    """Return a parser for one of some words."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value.strip().lower() in allowed:
            return value.strip().lower()
        raise ValueError(f"one of {', '.join(allowed)} is expected")

    return parse


def parse_boolean(value: object) -> bool:
    """Return true or false; variables also say 1, 0, yes, no, on, off."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false is expected")


def parse_path(value: object) -> Path:
    """Return a path as written; the reader of the file makes it relative to that file."""
    if isinstance(value, Path):
        return value
    return Path(parse_text(value)).expanduser()


def parse_paths(value: object) -> tuple[Path, ...]:
    """Return paths as written; in a variable they are separated by commas or line ends."""
    given = (value,) if isinstance(value, Path) else value
    if isinstance(given, list | tuple):
        return tuple(parse_path(each) for each in given)
    return tuple(parse_path(text) for text in parse_texts(given))


def parse_directory_or_off(value: object) -> Path | bool:
    """Return a directory, or whether there is one at all: true is the usual place."""
    try:
        return parse_boolean(value)
    except ValueError:
        return parse_path(value)


def parse_texts(value: object) -> tuple[str, ...]:
    """Return strings from an array; in a variable they are separated by commas or line ends."""
    if isinstance(value, str):
        return tuple(part.strip() for part in re.split(r"[,\n]", value) if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(each, str) and each.strip() for each in value):
        return tuple(value)
    raise ValueError("an array of texts is expected")


def parse_size(value: object) -> int:
    """Return bytes: a number, or "512m", "4g", "4GiB"."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    words = value.strip().lower() if isinstance(value, str) else ""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", words)
    bytes_ = int(float(found[1]) * SIZE_UNITS[found[2]]) if found else 0
    if bytes_ <= 0:
        raise ValueError('a size such as "512m" or "4g" is expected')
    return bytes_


def parse_duration(value: object) -> float:
    """Return seconds: a number, or "90s", "30m", "1h30m"."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"(\d{1,9}(?:\.\d+)?[smh]?)+", value.strip().lower()):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", value.strip().lower())
        seconds = sum(float(number) * TIME_UNITS[unit] for number, unit in parts)
        if seconds > 0 and (len(parts) == 1 or all(unit for _number, unit in parts)):
            return seconds
    raise ValueError('a time such as 600 (seconds), "90s" or "30m" is expected')


def parse_count(value: object) -> int:
    """Return a whole number from 1."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("a whole number from 1 is expected")


def parse_image(value: object) -> str:
    """Return an image name; what stands in braces must be a placeholder that we fill in."""
    name = parse_text(value)
    bare = re.sub(r"\{([a-z_]+)\}", lambda found: "" if found[1] in IMAGE_PLACEHOLDERS else found[0], name)
    unknown = re.search(r"\{[^}]*\}?|\}", bare)
    if unknown:
        raise ValueError(f"{unknown[0]} is no placeholder: {{node}}, {{runtime}} or {{arch}} is expected")
    if re.search(r"\s", name):
        raise ValueError("an image name without blanks is expected")
    return name


def parse_engine_hosts(value: object) -> Mapping[str, str]:
    """Return architecture to engine address; in a variable it is "arm64=ssh://graviton,x86_64=..."."""
    found = _parse_pairs(value, ",")
    for architecture, address in found.items():
        if architecture not in ENGINE_ARCHITECTURES:
            raise ValueError(f"{architecture} is no architecture: x86_64 or arm64 is expected")
        if not re.match(_ADDRESS_PATTERN, address):
            raise ValueError(f"{address} is no engine address: one such as ssh://graviton is expected")
    return found


def parse_ignores(value: object) -> tuple[IgnoreSetting, ...]:
    """Return what to ignore, from "CODE" or "CODE:path" to reason; in a variable separated by ";"."""
    return tuple(_parse_ignore(key, reason) for key, reason in _parse_pairs(value, ";").items())


def _parse_ignore(key: str, reason: str) -> IgnoreSetting:
    code, _colon, place = key.partition(":")
    if not re.fullmatch(r"LP\d{3}|[a-z][a-z0-9]*(-[a-z0-9]+)*", code.strip()):
        raise ValueError(f"{code!r} is no code or name: one such as LP201 or wrong-cpu:node_modules/x/* is expected")
    if not reason.strip():
        raise ValueError(f"{key} has no reason: a sentence why it may be ignored is expected")
    return IgnoreSetting(code.strip(), place.strip(), reason.strip())


def _parse_pairs(value: object, separator: str) -> Mapping[str, str]:
    if isinstance(value, str):
        value = [part for part in re.split(rf"[{separator}\n]", value) if part.strip()]
    if isinstance(value, list | tuple) and all(_is_text(each) for each in value):
        value = dict(each.partition("=")[::2] for each in value)
    if isinstance(value, Mapping) and all(_is_text(each) for pair in value.items() for each in pair):
        return {key.strip(): each.strip() for key, each in value.items()}
    raise ValueError('a table of texts, or "name=text", is expected')


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_ADDRESS_PATTERN = "(ssh|tcp|unix|npipe|http|https)://."
_STRINGS_SCHEMA = {"type": "array", "items": {"type": "string", "minLength": 1}}
_TABLE_SCHEMA = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
_HOSTS_SCHEMA = {
    "type": "object",
    "properties": {
        each: {"description": f"the engine for {each}", "type": "string", "pattern": f"^{_ADDRESS_PATTERN}"}
        for each in ENGINE_ARCHITECTURES
    },
    "additionalProperties": False,
}
_SIZE_PATTERN = r"^\s*[0-9]{1,15}(\.[0-9]+)?\s*[bBkKmMgGtT]?([iI]?[bB])?\s*$"
_DURATION_PATTERN = r"^\s*([0-9]{1,9}(\.[0-9]+)?[sSmMhH]?)+\s*$"

TEXT = SettingKind(parse_text, {"type": "string", "minLength": 1})
BOOLEAN = SettingKind(parse_boolean, {"type": "boolean"})
PATH = SettingKind(parse_path, {"type": "string", "minLength": 1})
PATHS = SettingKind(parse_paths, _STRINGS_SCHEMA)
DIRECTORY_OR_OFF = SettingKind(parse_directory_or_off, {"type": ["string", "boolean"]})
TEXTS = SettingKind(parse_texts, _STRINGS_SCHEMA)
SIZE = SettingKind(parse_size, {"type": ["string", "integer"], "minimum": 1, "pattern": _SIZE_PATTERN})
DURATION = SettingKind(
    parse_duration, {"type": ["string", "number"], "exclusiveMinimum": 0, "pattern": _DURATION_PATTERN}
)
COUNT = SettingKind(parse_count, {"type": "integer", "minimum": 1})
IMAGE = SettingKind(parse_image, {"type": "string", "minLength": 1})
ENGINE_HOSTS = SettingKind(parse_engine_hosts, _HOSTS_SCHEMA)
IGNORES = SettingKind(parse_ignores, _TABLE_SCHEMA)


def one_of(*allowed: str) -> SettingKind:
    """Return the kind of setting that is one of some words."""
    return SettingKind(choice_parser(*allowed), {"enum": list(allowed)})
