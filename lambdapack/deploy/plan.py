"""Plans the steps that bring a function to the desired state. Pure: no AWS call is made."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from lambdapack.deploy.nouns import (
    LATEST,
    Alias,
    DesiredFunction,
    FunctionSettings,
    LambdaFunction,
    Observed,
    S3Object,
    SmokeTest,
)
from lambdapack.model import Architecture, Finding, Target

MAX_DIRECT_ZIP_BYTES = 52_428_800
"""Bytes of a zip in a request: "Zipped size must be smaller than 52428800 bytes" (AWS, read 2026-11-20)."""

DESCRIPTION_PREFIX = "lambdapack: "
"""Prefix of what lambdapack writes into descriptions of layers and versions."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload the zip to a bucket."""

    destination: S3Object


@dataclass(frozen=True, slots=True)
class CreateFunction:
    """Create the function with the code."""

    settings: FunctionSettings


@dataclass(frozen=True, slots=True)
class UpdateCode:
    """Replace the code of $LATEST."""

    previous_digest: str  # code digest
    previous_architecture: Architecture | None  # the one before, when it changes


@dataclass(frozen=True, slots=True)
class SettingChange:
    """The change of one setting of $LATEST."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Change settings of $LATEST; others stay the same."""

    settings: FunctionSettings
    changes: tuple[SettingChange, ...]  # for people; of variables the names only


@dataclass(frozen=True, slots=True)
class PinAlias:
    """Publish what $LATEST has now and point the alias at it: an alias at $LATEST would serve untested code."""

    name: str


@dataclass(frozen=True, slots=True)
class TagFunction:
    """Set tags of the function; others stay."""

    tags: tuple[tuple[str, str], ...]  # those that differ
    changes: tuple[SettingChange, ...]


@dataclass(frozen=True, slots=True)
class PublishVersion:
    """Publish $LATEST as a version."""


@dataclass(frozen=True, slots=True)
class InvokeVersion:
    """Invoke the new version with the smoke test's event."""

    smoke: SmokeTest


@dataclass(frozen=True, slots=True)
class PointAlias:
    """Point the alias at the new version."""

    name: str
    previous: Alias | None  # None: it is made
    canary: float = 0.0


@dataclass(frozen=True, slots=True)
class AwaitProvisioned:
    """Wait until the alias's provisioned concurrency is ready on the new version."""

    name: str
    concurrency: int


@dataclass(frozen=True, slots=True)
class DeleteVersions:
    """Delete old versions that nothing uses."""

    versions: tuple[str, ...]


Step = (
    Upload
    | CreateFunction
    | PinAlias
    | UpdateCode
    | UpdateSettings
    | TagFunction
    | PublishVersion
    | InvokeVersion
    | PointAlias
    | AwaitProvisioned
    | DeleteVersions
)
CLOSING_STEPS = (PointAlias, AwaitProvisioned, DeleteVersions)
"""Steps that begin when the new versions of all functions are ready."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one function, in order; none when it is up to date."""

    desired: DesiredFunction
    observed: Observed
    target: Target
    steps: tuple[Step, ...]
    live_version: LambdaFunction | None  # the version that has what is wanted, when nothing is to do
    findings: tuple[Finding, ...] = field(default=())  # of the package and of the guards


def is_up_to_date(desired: DesiredFunction, observed: Observed) -> bool:
    """Tell whether the live version and $LATEST both have the desired code and settings."""
    latest, served = observed.latest, observed.live_version
    if latest is None or served is None or latest.has_failed or _setting_changes(desired, latest):
        return False
    if served.version == LATEST or served.has_failed:
        return False
    return (
        _has_desired_code(desired, latest)
        and _has_desired_code(desired, served)
        and served.settings_digest == latest.settings_digest
    )


def has_setting_changes(desired: DesiredFunction, latest: LambdaFunction) -> bool:
    """Tell whether a setting that the user named differs from the function's."""
    return bool(_setting_changes(desired, latest))


def is_sent_through_s3(desired: DesiredFunction) -> bool:
    """Tell whether the zip is uploaded to S3: it is too large for a request and there is a bucket."""
    return bool(desired.bucket) and desired.package.zip_bytes > MAX_DIRECT_ZIP_BYTES


def target_of(desired: DesiredFunction, latest: LambdaFunction | None) -> Target:
    """Return the target that the package will run on: the function's own, or the one it may change to."""
    if latest is None:
        runtime = desired.runtime or (desired.creation_settings.runtime if desired.creation_settings else None) or ""
        return Target(runtime, desired.architecture or desired.creation_architecture)
    runtime = desired.runtime if desired.runtime and desired.allow_runtime else latest.runtime
    architecture = desired.architecture if desired.allow_architecture else None
    return Target(runtime, architecture or latest.architecture)


def plan_function(
    desired: DesiredFunction, observed: Observed, target: Target, findings: tuple[Finding, ...] = ()
) -> Plan:
    """Return the plan that brings a function to the desired state."""
    tags = _tag_steps(desired, observed)
    deletions = (DeleteVersions(observed.old_versions),) if observed.old_versions else ()
    if is_up_to_date(desired, observed) or _is_canary_in_place(desired, observed):
        live = observed.canary_version or observed.live_version
        return Plan(desired, observed, target, (*tags, *deletions), live, findings)
    steps: list[Step] = []
    latest = observed.latest
    if latest is None:
        steps += [*_upload_steps(desired, observed), CreateFunction(new_function_settings(desired, target))]
    else:
        steps += _update_steps(desired, observed, latest, target)
    steps += [*tags, PublishVersion()]
    if desired.smoke:
        steps.append(InvokeVersion(desired.smoke))
    if desired.alias:
        steps.append(PointAlias(desired.alias, observed.alias, desired.canary if observed.alias else 0.0))
        if observed.provisioned:
            steps.append(AwaitProvisioned(desired.alias, observed.provisioned))
    return Plan(desired, observed, target, (*steps, *deletions), None, findings)


def _update_steps(
    desired: DesiredFunction, observed: Observed, latest: LambdaFunction, target: Target
) -> tuple[Step, ...]:
    """Return the steps that change $LATEST; an alias that serves it is moved to a version of it first."""
    steps: list[Step] = []
    if latest.has_failed or not _has_desired_code(desired, latest, target.architecture):
        other = latest.architecture if latest.architecture is not target.architecture else None
        steps.append(UpdateCode(latest.code_digest, other))
    changes = _setting_changes(desired, latest)
    if changes:
        steps.append(UpdateSettings(_settings_to_send(desired, latest), changes))
    uploads = _upload_steps(desired, observed) if any(isinstance(step, UpdateCode) for step in steps) else ()
    alias = observed.alias
    pins = (PinAlias(alias.name),) if steps and alias and alias.version == LATEST and not latest.has_failed else ()
    return (*uploads, *pins, *steps)


def _tag_steps(desired: DesiredFunction, observed: Observed) -> tuple[TagFunction, ...]:
    have = observed.tags or {}
    changed = tuple((key, value) for key, value in desired.tags if have.get(key) != value)
    if not changed or (observed.latest is None):  # a new function gets its tags when it is created
        return ()
    changes = tuple(SettingChange(key, have.get(key, "none"), value) for key, value in changed)
    return (TagFunction(changed, changes),)


def _has_desired_code(
    desired: DesiredFunction, function: LambdaFunction, architecture: Architecture | None = None
) -> bool:
    cpu = architecture or desired.architecture or function.architecture
    runtime = desired.runtime in {None, function.runtime} or desired.allow_runtime
    return runtime and function.code_digest == desired.package.code_digest and function.architecture is cpu


def _is_canary_in_place(desired: DesiredFunction, observed: Observed) -> bool:
    """Tell whether the desired code already gets the desired part of the traffic."""
    alias, shifted, latest = observed.alias, observed.canary_version, observed.latest
    if not (desired.canary and alias and shifted and latest) or latest.has_failed or _setting_changes(desired, latest):
        return False
    weights = alias.weights == ((shifted.version, desired.canary),)
    return (
        weights
        and _has_desired_code(desired, shifted)
        and _has_desired_code(desired, latest)
        and (shifted.settings_digest == latest.settings_digest)
    )


def _upload_steps(desired: DesiredFunction, observed: Observed) -> tuple[Upload, ...]:
    if observed.stored_zip or not is_sent_through_s3(desired):
        return ()
    package = desired.package
    return (Upload(S3Object(desired.bucket, package.object_key, package.zip_bytes, "", package.code_digest)),)


def new_function_settings(desired: DesiredFunction, target: Target) -> FunctionSettings:
    """Return all settings of a function that is created."""
    named = {
        setting.name: value
        for setting in fields(FunctionSettings)
        if (value := getattr(desired.settings, setting.name)) is not None
    }
    variables = dict(desired.variables) or None
    logging = {"LogFormat": desired.settings.log_format} if desired.settings.log_format else None
    new = desired.creation_settings or FunctionSettings()
    return replace(new, **named, runtime=target.runtime, environment=variables, logging=logging)


def creation_changes(settings: FunctionSettings, tags: tuple[tuple[str, str], ...]) -> tuple[SettingChange, ...]:
    """Return the settings that a new function gets, for people; of variables and tags the names only."""
    values = {setting.name: getattr(settings, setting.name) for setting in fields(FunctionSettings)}
    values = {name: value for name, value in values.items() if value is not None and name != "log_format"}
    rows = [SettingChange(name, "", _render_value(name, value)) for name, value in values.items()]
    return (*rows, *(SettingChange(f"tag {key}", "", value) for key, value in tags))


def _settings_to_send(desired: DesiredFunction, latest: LambdaFunction) -> FunctionSettings:
    """Return the changed settings; lists and tables are complete, since AWS replaces them."""
    changed = {setting_change.name for setting_change in _setting_changes(desired, latest)}
    values = {name: value for name, value in requested_settings(desired, latest).items() if name in changed}
    return replace(FunctionSettings(), **values)


def _setting_changes(desired: DesiredFunction, latest: LambdaFunction) -> tuple[SettingChange, ...]:
    have = _current_settings(latest)
    return tuple(
        SettingChange(name, *_render_change(name, have[name], value))
        for name, value in requested_settings(desired, latest).items()
        if value != have[name]
    )


def _current_settings(latest: LambdaFunction) -> dict[str, object]:
    return {
        "runtime": latest.runtime,
        "handler": latest.handler,
        "role": latest.role,
        "timeout": latest.timeout,
        "memory": latest.memory,
        "environment": dict(latest.environment),
        "layers": tuple(attached_layer.arn for attached_layer in latest.layers),
        "description": latest.description,
        "ephemeral_storage": latest.ephemeral_storage,
        "tracing": latest.tracing,
        "logging": dict(latest.logging),
    }


def requested_settings(desired: DesiredFunction, latest: LambdaFunction) -> dict[str, Any]:
    """Return the settings that the user named, complete as AWS takes them."""
    named = {setting.name: getattr(desired.settings, setting.name) for setting in fields(FunctionSettings)}
    log_format = named.pop("log_format")
    if log_format and log_format != latest.logging.get("LogFormat", "Text"):
        named["logging"] = _logging_settings(latest, log_format)
    if desired.variables or desired.removed_variables:
        variables = {**latest.environment, **dict(desired.variables)}
        named["environment"] = {
            name: value for name, value in variables.items() if name not in desired.removed_variables
        }
    if desired.removed_layers:
        attached = named["layers"] if named["layers"] is not None else tuple(layer.arn for layer in latest.layers)
        named["layers"] = tuple(arn for arn in attached if not _is_removed(arn, desired.removed_layers))
    if desired.allow_runtime and desired.runtime:
        named["runtime"] = desired.runtime
    return {name: value for name, value in named.items() if value is not None}


def _logging_settings(latest: LambdaFunction, log_format: str) -> dict[str, str]:
    """Return the whole LoggingConfig; log levels exist for JSON only (AWS Lambda API reference, "LoggingConfig")."""
    kept = {name: value for name, value in latest.logging.items() if log_format == "JSON" or "LogLevel" not in name}
    return {**kept, "LogFormat": log_format}


def _is_removed(arn: str, removed: tuple[str, ...]) -> bool:
    bare = arn.rpartition(":")[0]
    return bool({arn, bare, bare.rpartition(":")[2]} & set(removed))


def _render_change(name: str, before: object, after: object) -> tuple[str, str]:
    """Return the value before and after; of variables only the names that differ."""
    if name != "environment" or not isinstance(before, dict) or not isinstance(after, dict):
        return _render_value(name, before), _render_value(name, after)
    gone = [f"-{key}" for key in sorted(before) if key not in after]
    new = [f"+{key}" for key in sorted(after) if key not in before]
    other = [f"~{key}" for key in sorted(after) if key in before and before[key] != after[key]]
    return _render_value(name, before), " ".join((*new, *other, *gone))


def _render_value(name: str, value: object) -> str:
    if name == "environment" and isinstance(value, dict):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {text}" for key, text in sorted(value.items())) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value) or "none"
