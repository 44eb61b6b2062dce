"""The settings: parsers and JSON schemas of their kinds, and the table that variables, schema and help derive from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from lambdapack.install.writers import AllowedWrite
from lambdapack.model import MIB
from lambdapack.project.declarations import TemplateDeclarations

SIZE_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
"""As `docker run --memory` reads them: powers of 1024."""

TIME_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

IMAGE_PLACEHOLDERS = frozenset({"node", "runtime", "arch"})
"""`{node}` is "22", `{runtime}` "nodejs22.x", `{arch}` "x86_64" or "arm64"."""

ENGINE_ARCHITECTURES = ("x86_64", "arm64")

MAX_WRITE_WILDCARDS = 8
"""Asterisks of a pattern in allow-writes; matching one against a path takes longer with each."""


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


def parse_texts(value: object) -> tuple[str, ...]:
    """Return strings from an array; in a variable they are separated by commas or line ends."""
    if isinstance(value, str):
        return tuple(part.strip() for part in re.split(r"[,\n]", value) if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(text, str) and text.strip() for text in value):
        return tuple(value)
    raise ValueError("an array of strings is expected")


def parse_size(value: object) -> int:
    """Return bytes: a number, or "512m", "4g", "4GiB"."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    words = value.strip().lower() if isinstance(value, str) else ""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", words)
    bytes_ = int(float(match[1]) * SIZE_UNITS[match[2]]) if match else 0
    if bytes_ <= 0:
        raise ValueError('a size such as "512m" or "4g" is expected')
    return bytes_


DURATION_FORM = r"(?:\d{1,9}(?:\.\d+)?[smh])*\d{1,9}(?:\.\d+)?[smh]?"
"""Every number but the last has its unit: a text is read in one way only, so that no text takes long."""


def parse_duration(value: object) -> float:
    """Return seconds: a number, or "90s", "30m", "1h30m"."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    if isinstance(value, str) and re.fullmatch(DURATION_FORM, value.strip().lower()):
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
    return tuple(_parse_write(key, reason) for key, reason in _parse_pairs(value, ";").items())


def _parse_write(key: str, reason: str) -> AllowedWrite:
    package, _colon, pattern = (part.strip() for part in key.partition(":"))
    if not package or not pattern or pattern.startswith(("!", "#")):
        raise ValueError(f"{key!r} is not PACKAGE:PATH: one such as @prisma/client:node_modules/.prisma/** is expected")
    if pattern.count("*") > MAX_WRITE_WILDCARDS:
        raise ValueError(f"{key!r} has more than {MAX_WRITE_WILDCARDS} wildcards")
    if not reason:
        raise ValueError(f"{key} has no reason: a sentence that says why is expected")
    return AllowedWrite(package, pattern, reason)


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
IGNORES = SettingKind(parse_ignores, _TABLE_SCHEMA)
REASONS = SettingKind(parse_reasons, _TABLE_SCHEMA)
NAMES = SettingKind(parse_texts, _ONE_OR_MORE_SCHEMA)
FILES = SettingKind(parse_paths, _ONE_OR_MORE_SCHEMA)
WRITES = SettingKind(parse_writes, _TABLE_SCHEMA)


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


T_co = TypeVar("T_co", covariant=True)

DEFAULT_ORIGIN = "default"
VARIABLE_PREFIX = "LAMBDAPACK_"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """A value and its origin: "--arch", "LAMBDAPACK_ARCH", "lambdapack.toml:3", "template.yaml:12", "default"."""

    value: T_co
    origin: str = DEFAULT_ORIGIN


@dataclass(frozen=True, slots=True)
class Option:
    """One setting under each of its names."""

    name: str  # in lambdapack.toml and package.json; "engine.hosts" is hosts in the table engine
    kind: SettingKind
    default: object
    help: str  # one clause, lower case, no full stop
    flag_name: str = ""  # the flag, where it is not called as the setting

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return VARIABLE_PREFIX + self.field.upper()

    @property
    def field(self) -> str:
        """The attribute of Settings, and the flag's parameter name."""
        return self.name.replace("-", "_").replace(".", "_")

    @property
    def flag(self) -> str:
        """The command-line flag, for commands that have one."""
        return self.flag_name or "--" + self.name.replace(".", "-").replace("_", "-")


OPTIONS: tuple[Option, ...] = (
    Option("runtime", TEXT, None, "the Lambda runtime, such as nodejs22.x"),
    Option("arch", one_of("x86_64", "arm64", "all"), "x86_64", "the architecture; all builds one archive for each"),
    Option("handler", TEXT, "index.handler", "file.export of the function"),
    Option("output", PATH, None, "path of the archive; a directory with --arch all"),
    Option("image", IMAGE, None, "runtime image; {node}, {runtime} and {arch} are filled in"),
    Option("build-image", IMAGE, None, "image with a compiler toolchain; takes the same placeholders"),
    Option("layer", BOOLEAN, False, "build a layer from the dependencies instead of a function"),
    Option("layers", PATHS, (), "the function's layers in their order: zips or directories", "--layer, --with-layer"),
    Option("executable", TEXTS, (), "globs of source files that must be executable"),
    Option("install-inputs", TEXTS, (), "globs of files that install scripts read"),
    Option("engine.hosts", ENGINE_HOSTS, {}, "address of the container engine for an architecture"),
    Option("memory", SIZE, 4096 * MIB, "memory limit of the build container"),
    Option("time-limit", DURATION, 1800.0, "time limit of one command of the build"),
    Option("silence-limit", DURATION, 600.0, "time that a command may print nothing and leave the CPU idle"),
    Option("log-limit", SIZE, 64 * MIB, "size of what a command of the build may print"),
    Option("processes", COUNT, 2048, "limit of processes and threads in the build container"),
    Option("ignore", IGNORES, (), "findings to suppress: CODE or CODE:path, with the reason"),
    Option("provided", REASONS, {}, "packages that something unseen brings, such as a layer, with the reason"),
    Option(
        "fail-on", one_of("error", "warning", "note", "never"), "error", "the lowest severity that fails the command"
    ),
    Option("scripts", one_of("online", "offline"), "online", "whether install scripts may use the network"),
    Option(
        "allow-writes",
        WRITES,
        (),
        "what install scripts may write outside their package: PACKAGE:PATH, with the reason",
    ),
    Option(
        "emulation", one_of("auto", "full"), "auto", "whether to emulate only what needs the target CPU, or everything"
    ),
    Option(
        "load",
        one_of("auto", "always", "never"),
        "auto",
        "whether a build loads its result in the runtime image",
    ),
    Option("prune", many_of("types", "maps", "tests", "docs"), (), "kinds of files that no runtime needs"),
    Option("strip", BOOLEAN, False, "whether debug symbols of binaries are left out"),
    Option("max-size", SIZE, None, "largest size of the zip; a larger one is an error"),
    Option("sbom", PATH, None, "file for a bill of materials in CycloneDX JSON"),
    Option("compress", one_of("fast", "default", "best"), "default", "how hard the zip is compressed"),
    Option("cache", DIRECTORY_OR_OFF, True, "cache directory, or off"),
    Option("function", NAMES, (), "the function's name or ARN in AWS, or several"),
    Option("alias", TEXT, None, "alias to point to the new version"),
    Option("bucket", TEXT, None, "S3 bucket for zips over 50 MB"),
    Option("region", TEXT, None, "AWS region"),
    Option("profile", TEXT, None, "AWS profile"),
    Option("smoke", PATH, None, "file with the event that the new version must answer before the alias moves"),
    Option("canary", TEXT, None, "share of the alias's traffic for the new version, such as 10%"),
    Option("tags", REASONS, {}, "tags of the function; others stay", "--tag"),
    Option("description", TEXT, None, "the function's description"),
    Option("env-file", FILES, (), "files with the function's variables, NAME=VALUE a line; other variables stay"),
    Option("memory-size", COUNT, None, "the function's memory in MB"),
    Option("timeout", COUNT, None, "the function's timeout in seconds"),
    Option("ephemeral-storage", COUNT, None, "size of the function's /tmp in MB"),
    Option("tracing", one_of("active", "passthrough"), None, "the function's X-Ray tracing"),
    Option("log-format", one_of("text", "json"), None, "the function's log format"),
)
"""All settings. The defaults of the limits are those of Limits in engine/interface.py."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one project. The fields are the rows of OPTIONS, in their order."""

    runtime: Setting[str | None]
    arch: Setting[str]
    handler: Setting[str]
    output: Setting[Path | None]
    image: Setting[str | None]
    build_image: Setting[str | None]
    layer: Setting[bool]
    layers: Setting[tuple[Path, ...]]
    executable: Setting[tuple[str, ...]]
    install_inputs: Setting[tuple[str, ...]]
    engine_hosts: Setting[Mapping[str, str]]
    memory: Setting[int]  # bytes
    time_limit: Setting[float]  # seconds
    silence_limit: Setting[float]  # seconds
    log_limit: Setting[int]  # bytes
    processes: Setting[int]
    ignore: Setting[tuple[IgnoreSetting, ...]]
    provided: Setting[Mapping[str, str]]
    fail_on: Setting[str]
    scripts: Setting[str]
    allow_writes: Setting[tuple[AllowedWrite, ...]]
    emulation: Setting[str]
    load: Setting[str]
    prune: Setting[tuple[str, ...]]
    strip: Setting[bool]
    max_size: Setting[int | None]  # bytes
    sbom: Setting[Path | None]
    compress: Setting[str]
    cache: Setting[Path | bool]
    function: Setting[tuple[str, ...]]
    alias: Setting[str | None]
    bucket: Setting[str | None]
    region: Setting[str | None]
    profile: Setting[str | None]
    smoke: Setting[Path | None]
    canary: Setting[str | None]
    tags: Setting[Mapping[str, str]]
    description: Setting[str | None]
    env_file: Setting[tuple[Path, ...]]
    memory_size: Setting[int | None]  # MB
    timeout: Setting[int | None]  # seconds
    ephemeral_storage: Setting[int | None]  # MB
    tracing: Setting[str | None]
    log_format: Setting[str | None]
    notes: tuple[str, ...] = ()  # what was read and not taken, for people
    template: TemplateDeclarations = field(default_factory=TemplateDeclarations)  # with what is no setting
