"""What has to change so that a function is as wanted. Pure: from what is wanted and what was observed to steps."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from lambdapack.deploy.nouns import Alias, Function, Settings, Stored
from lambdapack.deploy.wanted import Observed, Smoke, Wanted
from lambdapack.model import Architecture, Finding, Target

DIRECT_MOST = 52_428_800
"""Bytes of a zip in a request: "Zipped size must be smaller than 52428800 bytes" (AWS, read 2026-11-20)."""

MEMORY_PREFIX = "lambdapack: "
"""Begins an alias's description that is ours: which version was there before. Others are left alone."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Put the zip into a bucket."""

    stored: Stored


@dataclass(frozen=True, slots=True)
class Create:
    """Make the function, with the code."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class UpdateCode:
    """Exchange the code of $LATEST."""

    before: str  # code digest
    architecture: Architecture | None  # the one before, when it changes


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of $LATEST."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Change settings of $LATEST, and leave the others."""

    settings: Settings
    changes: tuple[Change, ...]  # for people; of variables the names only


@dataclass(frozen=True, slots=True)
class Publish:
    """Freeze $LATEST as a version."""


@dataclass(frozen=True, slots=True)
class Invoke:
    """Send the new version the test event."""

    smoke: Smoke


@dataclass(frozen=True, slots=True)
class Point:
    """Make the alias serve the new version."""

    name: str
    before: Alias | None  # None: it is made
    canary: float = 0.0


Step = Upload | Create | UpdateCode | UpdateSettings | Publish | Invoke | Point


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one function, in order; none when it is as wanted."""

    wanted: Wanted
    observed: Observed
    target: Target
    steps: tuple[Step, ...]
    serving: Function | None  # the version that has what is wanted, when nothing is to do
    findings: tuple[Finding, ...] = field(default=())  # of the package and of the guards


def serves(wanted: Wanted, seen: Observed) -> bool:
    """Tell whether what the alias points at (or what was published) is what is wanted, and $LATEST is no other."""
    latest, served = seen.latest, seen.served
    if latest is None or served is None or latest.failed or _changes(wanted, latest):
        return False
    return _is_wanted(wanted, latest) and _is_wanted(wanted, served) and served.settings == latest.settings


def asks(wanted: Wanted, latest: Function) -> bool:
    """Tell whether a setting that the user named is another than the function's."""
    return bool(_changes(wanted, latest))


def through_bucket(wanted: Wanted) -> bool:
    """Tell whether the zip has to go by way of S3, and may."""
    return bool(wanted.bucket) and wanted.package.zip_bytes > DIRECT_MOST


def target_of(wanted: Wanted, latest: Function | None) -> Target:
    """Return what the package will run on: what the function is, and what it is allowed to become."""
    if latest is None:
        runtime = wanted.runtime or (wanted.new.runtime if wanted.new else None) or ""
        return Target(runtime, wanted.architecture or wanted.new_architecture)
    runtime = wanted.runtime if wanted.runtime and wanted.allow_runtime else latest.runtime
    architecture = wanted.architecture if wanted.allow_architecture else None
    return Target(runtime, architecture or latest.architecture)


def plan(wanted: Wanted, seen: Observed, target: Target, findings: tuple[Finding, ...] = ()) -> Plan:
    """Return the plan that makes a function as wanted."""
    if serves(wanted, seen) or _shifted_already(wanted, seen):
        return Plan(wanted, seen, target, (), seen.shifted or seen.served, findings)
    steps: list[Step] = []
    latest = seen.latest
    if latest is None:
        steps += [*_upload(wanted, seen), Create(_new(wanted, target))]
    else:
        if latest.failed or not _is_wanted(wanted, latest, target.architecture):
            other = latest.architecture if latest.architecture is not target.architecture else None
            steps += [*_upload(wanted, seen), UpdateCode(latest.code_digest, other)]
        changes = _changes(wanted, latest)
        if changes:
            steps.append(UpdateSettings(_settings(wanted, latest), changes))
    steps.append(Publish())
    if wanted.smoke:
        steps.append(Invoke(wanted.smoke))
    if wanted.alias:
        steps.append(Point(wanted.alias, seen.alias, wanted.canary if seen.alias else 0.0))
    return Plan(wanted, seen, target, tuple(steps), None, findings)


def described(alias: Alias | None, version: str, before: str) -> str:
    """Return the description of an alias that moves: ours, unless somebody wrote another."""
    if alias and alias.description and not alias.description.startswith(MEMORY_PREFIX):
        return alias.description
    return f"{MEMORY_PREFIX}version {version}" + (f", before it {before}" if before and before != version else "")


def remembered(alias: Alias) -> str:
    """Return the version that an alias pointed at before, as its description says; "" when it does not."""
    words = alias.description.removeprefix(MEMORY_PREFIX)
    here, comma, before = words.partition(", before it ")
    ours = alias.description.startswith(MEMORY_PREFIX) and comma and here == f"version {alias.version}"
    return before if ours and before.isdigit() else ""


def _is_wanted(wanted: Wanted, function: Function, architecture: Architecture | None = None) -> bool:
    cpu = architecture or wanted.architecture or function.architecture
    runtime = wanted.runtime in {None, function.runtime} or wanted.allow_runtime
    return runtime and function.code_digest == wanted.package.code_digest and function.architecture is cpu


def _shifted_already(wanted: Wanted, seen: Observed) -> bool:
    """Tell whether the part of the traffic that is wanted goes to what is wanted already."""
    alias, shifted, latest = seen.alias, seen.shifted, seen.latest
    if not (wanted.canary and alias and shifted and latest) or latest.failed or _changes(wanted, latest):
        return False
    weights = alias.weights == ((shifted.version, wanted.canary),)
    return (
        weights and _is_wanted(wanted, shifted) and _is_wanted(wanted, latest) and (shifted.settings == latest.settings)
    )


def _upload(wanted: Wanted, seen: Observed) -> tuple[Upload, ...]:
    if seen.stored or not through_bucket(wanted):
        return ()
    package = wanted.package
    return (Upload(Stored(wanted.bucket, package.key, package.zip_bytes, "", package.code_digest)),)


def _new(wanted: Wanted, target: Target) -> Settings:
    given = {
        each.name: value for each in fields(Settings) if (value := getattr(wanted.settings, each.name)) is not None
    }
    variables = dict(wanted.variables) or None
    return replace(wanted.new or Settings(), **given, runtime=target.runtime, environment=variables)


def _settings(wanted: Wanted, latest: Function) -> Settings:
    """Return the settings to send: all of a list or table, since AWS replaces it."""
    changed = {each.name for each in _changes(wanted, latest)}
    values = {name: value for name, value in _asked(wanted, latest).items() if name in changed}
    return replace(Settings(), **values)


def _changes(wanted: Wanted, latest: Function) -> tuple[Change, ...]:
    have = _had(latest)
    return tuple(
        Change(name, _shown(name, have[name]), _shown(name, value))
        for name, value in _asked(wanted, latest).items()
        if value != have[name]
    )


def _had(latest: Function) -> dict[str, object]:
    return {
        "runtime": latest.runtime,
        "handler": latest.handler,
        "role": latest.role,
        "timeout": latest.timeout,
        "memory": latest.memory,
        "environment": dict(latest.environment),
        "layers": tuple(each.arn for each in latest.layers),
        "description": latest.description,
    }


def _asked(wanted: Wanted, latest: Function) -> dict[str, Any]:
    """Return the settings that the user named."""
    given = {each.name: getattr(wanted.settings, each.name) for each in fields(Settings)}
    if wanted.variables:
        given["environment"] = {**latest.environment, **dict(wanted.variables)}
    if wanted.allow_runtime and wanted.runtime:
        given["runtime"] = wanted.runtime
    return {name: value for name, value in given.items() if value is not None}


def _shown(name: str, value: object) -> str:
    if name == "environment" and isinstance(value, dict):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value) or "none"
