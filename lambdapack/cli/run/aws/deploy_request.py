"""Turns the options and settings of `lambdapack deploy` into the desired state of functions."""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.commit import read_commit
from lambdapack.cli.input.functions import parse_alias
from lambdapack.cli.input.resources import AwsOptions
from lambdapack.cli.input.settings import utc_today
from lambdapack.cli.input.variables import read_function_variables
from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.deploy.nouns import DeploymentPackage, DesiredFunction, FunctionSettings, SmokeTest
from lambdapack.deploy.plan import DESCRIPTION_PREFIX
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.runtimes.runtime import newest_runtime, parse_architecture, parse_runtime

TRACING_MODES = {"active": "Active", "passthrough": "PassThrough"}
LOG_FORMATS = {"text": "Text", "json": "JSON"}
"""Our words to AWS's."""


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What is no setting of the project."""

    path: Path | None  # None: the zip that was built last, or the project
    place: AwsOptions
    dry_run: bool
    smoke_status: int | None
    project: Path | None
    create: bool
    role: str | None
    variables: tuple[str, ...]
    removed_variables: tuple[str, ...]
    layers: tuple[str, ...] | None
    removed_layers: tuple[str, ...]
    no_layers: bool
    allow_architecture: bool
    allow_runtime: bool
    keep_versions: int
    style: ListFormat
    verbose: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class ParsedOptions:
    """The options that have to be read first."""

    alias: str
    canary: float
    variables: tuple[tuple[str, str], ...] = field(repr=False)
    smoke: SmokeTest | None
    layers: tuple[str, ...] | None
    handler: str | None = None
    version_description: str = ""


def parse_deploy_options(options: DeployOptions, settings: Settings) -> ParsedOptions:
    """Return what can be read before AWS is asked; LP001 for what contradicts itself."""
    alias = parse_alias(settings.alias.value)
    if settings.canary.value and not alias:
        hint = "Name the alias with `--alias`."
        raise LambdapackError(USAGE, f"{settings.canary.origin} needs an alias", hint=hint)
    if options.smoke_status is not None and settings.smoke.value is None:
        raise LambdapackError(USAGE, "--smoke-status needs --smoke", hint="Pass an event with `--smoke FILE`.")
    if options.role and not options.role.startswith("arn:"):
        hint = "A role's ARN looks like arn:aws:iam::123456789012:role/NAME; `aws iam list-roles` lists yours."
        raise LambdapackError(USAGE, f"--role {options.role} is not an ARN", hint=hint)
    if options.no_layers and (options.layers or options.removed_layers):
        hint = "Pass --no-layers alone, or name the layers that stay."
        raise LambdapackError(USAGE, "--no-layers contradicts --layer and --remove-layer", hint=hint)
    variables = read_function_variables(settings.env_file.value, options.variables)
    both = sorted({name for name, _value in variables} & set(options.removed_variables))
    if both:
        hint = "Remove one of the two."
        raise LambdapackError(USAGE, f"{', '.join(both)} is set and removed at the same time", hint=hint)
    smoke = _read_smoke_event(settings.smoke.value, options.smoke_status) if settings.smoke.value else None
    layers = () if options.no_layers else options.layers
    return ParsedOptions(alias, _parse_canary(settings.canary.value or ""), variables, smoke, layers)


def _parse_canary(text: str) -> float:
    """Return a part from 0 to 1 of "10%" or "0.1"; 0 for ""; LP001 for anything else."""
    if not text:
        return 0.0
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)(%?)", text.strip())
    part = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < part < 1:
        hint = "Pass a share between 0 and 1: `--canary 10%` or `--canary 0.1`."
        raise LambdapackError(USAGE, f"--canary {text} is not a share of the traffic", hint=hint)
    return part


def _read_smoke_event(path: Path, status: int | None) -> SmokeTest:
    """Return the test event of a file; LP001 when it is no JSON document."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        hint = "Pass `--smoke FILE` with a JSON document."
        raise LambdapackError(USAGE, f"--smoke {path}: {why or error}", hint=hint) from error
    return SmokeTest(text.encode(), path.name, status)


def describe_version(package: DeploymentPackage, directory: Path) -> str:
    """Return the description of a new version: the commit that is checked out, and the package's digest."""
    commit = read_commit(directory if directory.is_dir() else directory.parent)
    return f"{DESCRIPTION_PREFIX}{f'commit {commit}, ' if commit else ''}code {package.code_digest}"


FUNCTION_SETTINGS = (
    "bucket", "tags", "description", "memory_size", "timeout", "ephemeral_storage", "tracing", "log_format",
)  # fmt: skip
"""Settings that each function may have for itself, while one package is built or read for all."""


def take_function_settings(settings: Settings, own: Settings) -> Settings:
    """Return the package's settings with what a function's own table says of the function."""
    return replace(settings, **{name: getattr(own, name) for name in FUNCTION_SETTINGS})


def make_desired_function(
    options: DeployOptions, function: str, package: DeploymentPackage, settings: Settings, parsed: ParsedOptions
) -> DesiredFunction:
    """Return the desired state of one function."""
    runtime, arch = settings.runtime, settings.arch
    runtime_name = runtime.value if runtime.origin != DEFAULT_ORIGIN else None
    new = FunctionSettings(runtime=newest_runtime(utc_today()), handler=settings.handler.value, role=options.role)
    return DesiredFunction(
        function=function,
        package=package,
        alias=parsed.alias,
        runtime=parse_runtime(runtime_name) if runtime_name else None,
        architecture=parse_architecture(arch.value) if arch.origin != DEFAULT_ORIGIN else None,
        settings=_requested_settings(options, settings, parsed),
        variables=parsed.variables,
        removed_variables=options.removed_variables,
        removed_layers=options.removed_layers,
        tags=tuple(settings.tags.value.items()),
        version_description=parsed.version_description,
        keep_versions=options.keep_versions,
        creation_settings=new if options.create else None,
        bucket=settings.bucket.value or "",
        smoke=parsed.smoke,
        canary=parsed.canary,
        allow_architecture=options.allow_architecture,
        allow_runtime=options.allow_runtime,
    )


def _requested_settings(options: DeployOptions, settings: Settings, parsed: ParsedOptions) -> FunctionSettings:
    """Return the settings that somebody named; the others stay as they are."""
    return FunctionSettings(
        handler=parsed.handler,
        role=options.role,
        timeout=settings.timeout.value,
        memory=settings.memory_size.value,
        layers=parsed.layers,
        description=settings.description.value,
        ephemeral_storage=settings.ephemeral_storage.value,
        tracing=TRACING_MODES.get(settings.tracing.value or ""),
        log_format=LOG_FORMATS.get(settings.log_format.value or ""),
    )
