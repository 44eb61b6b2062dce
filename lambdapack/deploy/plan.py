"""Plans the steps that bring a function to the desired state. Pure: no AWS call is made."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from lambdapack.deploy.nouns import (
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
"""Prefix of alias descriptions that lambdapack writes: they name the previous version. Others stay unchanged."""


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


Step = Upload | CreateFunction | UpdateCode | UpdateSettings | PublishVersion | InvokeVersion | PointAlias


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
    if is_up_to_date(desired, observed) or _is_canary_in_place(desired, observed):
        return Plan(desired, observed, target, (), observed.canary_version or observed.live_version, findings)
    steps: list[Step] = []
    latest = observed.latest
    if latest is None:
        steps += [*_upload_steps(desired, observed), CreateFunction(_new_function_settings(desired, target))]
    else:
        if latest.has_failed or not _has_desired_code(desired, latest, target.architecture):
            other = latest.architecture if latest.architecture is not target.architecture else None
            steps += [*_upload_steps(desired, observed), UpdateCode(latest.code_digest, other)]
        changes = _setting_changes(desired, latest)
        if changes:
            steps.append(UpdateSettings(_settings_to_send(desired, latest), changes))
    steps.append(PublishVersion())
    if desired.smoke:
        steps.append(InvokeVersion(desired.smoke))
    if desired.alias:
        steps.append(PointAlias(desired.alias, observed.alias, desired.canary if observed.alias else 0.0))
    return Plan(desired, observed, target, tuple(steps), None, findings)


def alias_description(alias: Alias | None, version: str, before: str) -> str:
    """Return the description of an alias that moves; one that lambdapack did not write is kept."""
    if alias and alias.description and not alias.description.startswith(DESCRIPTION_PREFIX):
        return alias.description
    return f"{DESCRIPTION_PREFIX}version {version}" + (f", before it {before}" if before and before != version else "")


def read_previous_version(alias: Alias) -> str:
    """Return the previous version of an alias from its description, "" when that names none."""
    words = alias.description.removeprefix(DESCRIPTION_PREFIX)
    current, comma, before = words.partition(", before it ")
    is_ours = alias.description.startswith(DESCRIPTION_PREFIX) and comma and current == f"version {alias.version}"
    return before if is_ours and before.isdigit() else ""


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


def _new_function_settings(desired: DesiredFunction, target: Target) -> FunctionSettings:
    named = {
        setting.name: value
        for setting in fields(FunctionSettings)
        if (value := getattr(desired.settings, setting.name)) is not None
    }
    variables = dict(desired.variables) or None
    return replace(
        desired.creation_settings or FunctionSettings(), **named, runtime=target.runtime, environment=variables
    )


def _settings_to_send(desired: DesiredFunction, latest: LambdaFunction) -> FunctionSettings:
    """Return the changed settings; lists and tables are complete, since AWS replaces them."""
    changed = {setting_change.name for setting_change in _setting_changes(desired, latest)}
    values = {name: value for name, value in _requested_settings(desired, latest).items() if name in changed}
    return replace(FunctionSettings(), **values)


def _setting_changes(desired: DesiredFunction, latest: LambdaFunction) -> tuple[SettingChange, ...]:
    have = _current_settings(latest)
    return tuple(
        SettingChange(name, _render_value(name, have[name]), _render_value(name, value))
        for name, value in _requested_settings(desired, latest).items()
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
    }


def _requested_settings(desired: DesiredFunction, latest: LambdaFunction) -> dict[str, Any]:
    """Return the settings that the user named."""
    named = {setting.name: getattr(desired.settings, setting.name) for setting in fields(FunctionSettings)}
    if desired.variables:
        named["environment"] = {**latest.environment, **dict(desired.variables)}
    if desired.allow_runtime and desired.runtime:
        named["runtime"] = desired.runtime
    return {name: value for name, value in named.items() if value is not None}


def _render_value(name: str, value: object) -> str:
    if name == "environment" and isinstance(value, dict):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value) or "none"
