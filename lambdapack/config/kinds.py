"""Kinds of settings: how the text or value of each is read, and its JSON schema for editors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdapack.config.quantities import parse_count, parse_duration, parse_size
from lambdapack.install.writers import AllowedWrite, parse_allowed_write

NO_STORE = "off"
"""Where nothing is shared."""

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
    """A finding that the user suppresses."""

    code: str  # "LP201" or its name, "wrong-cpu"
    path: str  # glob over the finding's path; "" for all
    reason: str


def parse_text(value: object) -> str:
    """Return a string that is not empty."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("a non-empty string is expected")


def choice_parser(*allowed: str) -> Callable[[object], str]:
    """Return a parser that accepts only the given words."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value.strip().lower() in allowed:
            return value.strip().lower()
        raise ValueError(f"one of {', '.join(allowed)} is expected")

    return parse


def parse_boolean(value: object) -> bool:
    """Return true or false; variables may also be 1, 0, yes, no, on, off."""
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
    values = (value,) if isinstance(value, Path) else value
    if isinstance(values, list | tuple):
        return tuple(parse_path(path) for path in values)
    return tuple(parse_path(text) for text in parse_texts(values))


def parse_directory_or_off(value: object) -> Path | bool:
    """Return a directory, False for off, or True for the default directory."""
    try:
        return parse_boolean(value)
    except ValueError:
        return parse_path(value)


def parse_store_address(value: object) -> str:
    """Return a directory as an absolute path, or s3://BUCKET/PREFIX as it is written."""
    text = parse_text(value)
    if text.startswith("s3://"):
        if not text.removeprefix("s3://").strip("/"):
            raise ValueError("s3://BUCKET/PREFIX is expected")
        return text.rstrip("/")
    if "://" in text:
        raise ValueError("a directory or s3://BUCKET/PREFIX is expected")
    return str(Path(text).expanduser().absolute())


def parse_address_or_off(value: object) -> str:
    """Return an address of a store, "off" for none."""
    if value is False or (isinstance(value, str) and value.strip().lower() == NO_STORE):
        return NO_STORE
    return parse_store_address(value)


def parse_texts(value: object) -> tuple[str, ...]:
    """Return strings from an array; in a variable they are separated by commas or line ends."""
    if isinstance(value, str):
        return tuple(part.strip() for part in re.split(r"[,\n]", value) if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(text, str) and text.strip() for text in value):
        return tuple(value)
    raise ValueError("an array of strings is expected")


def parse_libraries(value: object) -> str | tuple[str, ...]:
    """Return "auto", "off", or the SONAMEs of libraries."""
    if value in {"auto", "off"}:
        return str(value)
    names = parse_texts(value)
    if not names or not all(re.search(r"\.so(?:\.|$)", name) and "/" not in name for name in names):
        raise ValueError('"auto", "off" or names such as "libcairo.so.2" are expected')
    return names


def parse_image(value: object) -> str:
    """Return an image name; only known placeholders may stand in braces."""
    name = parse_text(value)
    bare = re.sub(r"\{([a-z_]+)\}", lambda match: "" if match[1] in IMAGE_PLACEHOLDERS else match[0], name)
    unknown = re.search(r"\{[^}]*\}?|\}", bare)
    if unknown:
        raise ValueError(f"{unknown[0]} is not a placeholder: {{node}}, {{runtime}} or {{arch}} is expected")
    if re.search(r"\s", name):
        raise ValueError("an image name without spaces is expected")
    return name


def parse_engine_hosts(value: object) -> Mapping[str, str]:
    """Return architecture to engine address; in a variable it is "arm64=ssh://graviton,x86_64=..."."""
    hosts = _parse_pairs(value, ",")
    for architecture, address in hosts.items():
        if architecture not in ENGINE_ARCHITECTURES:
            raise ValueError(f"{architecture} is not an architecture: x86_64 or arm64 is expected")
        if not re.match(_ADDRESS_PATTERN, address):
            raise ValueError(f"{address} is not an engine address: one such as ssh://graviton is expected")
    return hosts


def parse_ignores(value: object) -> tuple[IgnoreSetting, ...]:
    """Return the findings to suppress, "CODE" or "CODE:path" to reason; in a variable separated by ";"."""
    return tuple(_parse_ignore(key, reason) for key, reason in _parse_pairs(value, ";").items())


def parse_reasons(value: object) -> Mapping[str, str]:
    """Return npm name to reason; in a variable separated by ";"."""
    return _parse_pairs(value, ";")


def parse_writes(value: object) -> tuple[AllowedWrite, ...]:
    """Return what scripts may write, "PACKAGE:path" to reason; in a variable separated by ";"."""
    return tuple(parse_allowed_write(key, reason) for key, reason in _parse_pairs(value, ";").items())


def _parse_ignore(key: str, reason: str) -> IgnoreSetting:
    code, _colon, path = key.partition(":")
    if not re.fullmatch(r"LP\d{3}|[a-z][a-z0-9]*(-[a-z0-9]+)*", code.strip()):
        raise ValueError(f"{code!r} is not a code or name: one such as LP201 or wrong-cpu:node_modules/x/* is expected")
    if not reason.strip():
        raise ValueError(f"{key} has no reason: a sentence that says why is expected")
    return IgnoreSetting(code.strip(), path.strip(), reason.strip())


def _parse_pairs(value: object, separator: str) -> Mapping[str, str]:
    if isinstance(value, str):
        value = [part for part in re.split(rf"[{separator}\n]", value) if part.strip()]
    if isinstance(value, list | tuple) and all(_is_text(text) for text in value):
        value = dict(text.partition("=")[::2] for text in value)
    if isinstance(value, Mapping) and all(_is_text(text) for pair in value.items() for text in pair):
        return {key.strip(): text.strip() for key, text in value.items()}
    raise ValueError('a table of strings, or "name=value", is expected')


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_ADDRESS_PATTERN = "(ssh|tcp|unix|npipe|http|https)://."
_STRINGS_SCHEMA = {"type": "array", "items": {"type": "string", "minLength": 1}}
_ONE_OR_MORE_SCHEMA = {"type": ["string", "array"], "minLength": 1, "items": {"type": "string", "minLength": 1}}
_TABLE_SCHEMA = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
_HOSTS_SCHEMA = {
    "type": "object",
    "properties": {
        architecture: {
            "description": f"the engine for {architecture}",
            "type": "string",
            "pattern": f"^{_ADDRESS_PATTERN}",
        }
        for architecture in ENGINE_ARCHITECTURES
    },
    "additionalProperties": False,
}
_SIZE_PATTERN = r"^\s*[0-9]{1,15}(\.[0-9]+)?\s*[bBkKmMgGtT]?([iI]?[bB])?\s*$"
_DURATION_PATTERN = r"^\s*([0-9]{1,9}(\.[0-9]+)?[sSmMhH])*[0-9]{1,9}(\.[0-9]+)?[sSmMhH]?\s*$"

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
LIBRARIES = SettingKind(
    parse_libraries, {"oneOf": [{"enum": ["auto", "off"]}, {**_STRINGS_SCHEMA, "items": {"pattern": r"\.so(\.|$)"}}]}
)
IGNORES = SettingKind(parse_ignores, _TABLE_SCHEMA)
REASONS = SettingKind(parse_reasons, _TABLE_SCHEMA)
NAMES = SettingKind(parse_texts, _ONE_OR_MORE_SCHEMA)
FILES = SettingKind(parse_paths, _ONE_OR_MORE_SCHEMA)
WRITES = SettingKind(parse_writes, _TABLE_SCHEMA)


ADDRESS = SettingKind(parse_store_address, {"type": "string", "minLength": 1})
ADDRESS_OR_OFF = SettingKind(parse_address_or_off, {"type": ["string", "boolean"]})


def one_of(*allowed: str) -> SettingKind:
    """Return the kind of a setting that accepts only the given words."""
    return SettingKind(choice_parser(*allowed), {"enum": list(allowed)})


def many_of(*allowed: str) -> SettingKind:
    """Return the kind of a setting that accepts several of the given words, separated by commas in a variable."""

    def parse(value: object) -> tuple[str, ...]:
        words = parse_texts(value)
        for word in words:
            if word not in allowed:
                raise ValueError(f"{word!r} is not one of {', '.join(allowed)}")
        return tuple(word for word in allowed if word in words)

    return SettingKind(parse, {"type": "array", "items": {"enum": list(allowed)}})
