"""The settings: the table that variables, the schema and `--help` derive from, and their values for one project."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from lambdapack.config.kinds import (
    ADDRESS,
    ADDRESS_OR_OFF,
    BOOLEAN,
    COUNT,
    DIRECTORY_OR_OFF,
    DURATION,
    ENGINE_HOSTS,
    FILES,
    IGNORES,
    IMAGE,
    LIBRARIES,
    NAMES,
    PATH,
    PATHS,
    REASONS,
    SIZE,
    TEXT,
    TEXTS,
    WRITES,
    IgnoreSetting,
    SettingKind,
    many_of,
    one_of,
)
from lambdapack.install.writers import AllowedWrite
from lambdapack.model import MIB
from lambdapack.project.declarations import TemplateDeclarations

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


ENGINES = ("auto", "docker", "podman", "local")

STRATEGY_NAMES = ("auto", "native", "cross-prebuilt", "cross-compiled", "emulated", "embedded")
"""`auto`, and the names in STRATEGIES of install/strategy, which a test holds together with these."""

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
    Option(
        "system-packages",
        TEXTS,
        (),
        "packages of the image's system that installs need, such as cairo-devel",
        "--system-package",
    ),
    Option(
        "bundle-libraries",
        LIBRARIES,
        "auto",
        "libraries that the package takes along: auto, off, or their names, such as libcairo.so.2",
    ),
    Option("engine.use", one_of(*ENGINES), "auto", "the container engine, or local, which needs none", "--engine"),
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
    Option("strategy", one_of(*STRATEGY_NAMES), "auto", "how to install for a CPU that the engine's machine is not"),
    Option("emulation", one_of("auto", "full"), "auto", "full is the old name of strategy = emulated"),
    Option(
        "load",
        one_of("auto", "always", "never"),
        "auto",
        "whether a build loads its result in the runtime image",
    ),
    Option("provenance", BOOLEAN, False, "write a SLSA provenance statement beside the zip"),
    Option("prune", many_of("types", "maps", "tests", "docs"), (), "kinds of files that no runtime needs"),
    Option("strip", BOOLEAN, False, "whether debug symbols of binaries are left out"),
    Option("max-size", SIZE, None, "largest size of the zip; a larger one is an error"),
    Option("sbom", PATH, None, "file for a bill of materials in CycloneDX JSON"),
    Option("store", ADDRESS, None, "shared store of dependency trees: a directory or s3://BUCKET/PREFIX"),
    Option("store-write", ADDRESS_OR_OFF, None, "where trees are shared instead, or off to only read"),
    Option("store-keys", PATHS, (), "public keys, of which one must have signed what is taken from the store"),
    Option("store-signing-key", PATH, None, "private key that signs what is shared"),
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
    system_packages: Setting[tuple[str, ...]]
    bundle_libraries: Setting[str | tuple[str, ...]]
    engine_use: Setting[str]
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
    strategy: Setting[str]
    emulation: Setting[str]
    load: Setting[str]
    provenance: Setting[bool]
    prune: Setting[tuple[str, ...]]
    strip: Setting[bool]
    max_size: Setting[int | None]  # bytes
    sbom: Setting[Path | None]
    store: Setting[str | None]
    store_write: Setting[str | None]  # "off": nowhere
    store_keys: Setting[tuple[Path, ...]]
    store_signing_key: Setting[Path | None]
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
