"""The table of settings; parsing, environment variables, schema and help derive from its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from lambdapack.config.kinds import (
    BOOLEAN,
    COUNT,
    DIRECTORY_OR_OFF,
    DURATION,
    ENGINE_HOSTS,
    IGNORES,
    IMAGE,
    PATH,
    PATHS,
    SIZE,
    TEXT,
    TEXTS,
    IgnoreSetting,
    SettingKind,
    one_of,
)
from lambdapack.model import MIB

T_co = TypeVar("T_co", covariant=True)

DEFAULT_ORIGIN = "default"
VARIABLE_PREFIX = "LAMBDAPACK_"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """A value and who said it: "--arch", "LAMBDAPACK_ARCH", "lambdapack.toml:3", "template.yaml:12", "default"."""

    value: T_co
    origin: str = DEFAULT_ORIGIN


@dataclass(frozen=True, slots=True)
class Option:
    """One row: a setting under each of its names."""

    name: str  # in lambdapack.toml and package.json; "engine.hosts" is hosts in the table engine
    kind: SettingKind
    default: object
    help: str  # one clause, lower case, no full stop
    called: str = ""  # the flag, where it is not called as the setting

    @property
    def variable(self) -> str:
        """The environment variable."""
        return VARIABLE_PREFIX + self.field.upper()

    @property
    def field(self) -> str:
        """The attribute of Settings, and the flag's parameter name."""
        return self.name.replace("-", "_").replace(".", "_")

    @property
    def flag(self) -> str:
        """The command-line flag, where a command has one."""
        return self.called or "--" + self.name.replace(".", "-").replace("_", "-")


OPTIONS: tuple[Option, ...] = (
    Option("runtime", TEXT, None, "the Lambda runtime, such as nodejs22.x"),
    Option("arch", one_of("x86_64", "arm64", "all"), "x86_64", "the architecture; all builds one archive for each"),
    Option("handler", TEXT, "index.handler", "file.export of the function"),
    Option("output", PATH, None, "the archive, or with `all` the directory for archives"),
    Option("image", IMAGE, None, "runtime image, a template of {node}, {runtime} and {arch}"),
    Option("build-image", IMAGE, None, "image with a toolchain, the same kind of template"),
    Option("layer", BOOLEAN, False, "make a layer of the dependencies instead of a function"),
    Option("layers", PATHS, (), "the function's layers in its order, zips or directories", "--layer, --with-layer"),
    Option("executable", TEXTS, (), "globs of source files that must be executable"),
    Option("install-inputs", TEXTS, (), "globs of files that install scripts read"),
    Option("engine.hosts", ENGINE_HOSTS, {}, "address of the container engine for an architecture"),
    Option("memory", SIZE, 4096 * MIB, "memory of the build's container"),
    Option("time-limit", DURATION, 1800.0, "how long one command of the build may take"),
    Option("silence-limit", DURATION, 600.0, "how long it may print nothing"),
    Option("processes", COUNT, 2048, "processes and threads of the build's container"),
    Option("ignore", IGNORES, (), "findings to live with: CODE or CODE:path, and the reason"),
    Option("fail-on", one_of("error", "warning", "note", "never"), "error", "the severity from which a finding fails"),
    Option("scripts", one_of("online", "offline"), "online", "whether install scripts have a network"),
    Option("emulation", one_of("auto", "full"), "auto", "whether to emulate no more than needed, or all"),
    Option("cache", DIRECTORY_OR_OFF, True, "where results are remembered between runs: a directory, or off"),
)
"""Limits are those of engine/interface.py's Limits."""


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
    processes: Setting[int]
    ignore: Setting[tuple[IgnoreSetting, ...]]
    fail_on: Setting[str]
    scripts: Setting[str]
    emulation: Setting[str]
    cache: Setting[Path | bool]
    notes: tuple[str, ...] = ()  # what was read and not taken, for people
