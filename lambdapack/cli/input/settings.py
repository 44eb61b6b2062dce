"""Turns command-line flags into settings, targets, a policy and limits."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.config.settings import DEFAULT_ORIGIN, Settings
from lambdapack.config.sources import load_settings
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNREADABLE_TEMPLATE, USAGE
from lambdapack.events import Observer
from lambdapack.model import NODE_MODULES, Architecture, Severity, Target
from lambdapack.runtimes.runtime import (
    ARCHITECTURE_NAMES,
    Runtime,
    newest_runtime,
    parse_architecture,
    parse_target,
    runtime_architectures,
    runtime_ids,
    runtime_node_major,
)

if TYPE_CHECKING:
    from lambdapack.engine.interface import Limits
    from lambdapack.rules.model.case import Policy
    from lambdapack.rules.model.report import Report

ALL_ARCHITECTURES = "all"


def read_settings(directory: Path, flags: Mapping[str, object]) -> Settings:
    """Return the settings of a directory under these flags; LP006 and LP005 for what cannot be used."""
    arch = flags.get("arch")
    if isinstance(arch, str) and arch != ALL_ARCHITECTURES:
        flags = {**flags, "arch": parse_architecture(arch).aws}
    ignore = flags.get("ignore")
    if isinstance(ignore, list):
        flags = {**flags, "ignore": dict(_parse_ignore(text) for text in ignore)}
    majors = [runtime_node_major(text) for text in runtime_ids()]
    return load_settings(_settings_directory(directory), flags, os.environ, majors=majors)


def _settings_directory(path: Path) -> Path:
    """Return where the settings of a path are: of a bare node_modules, in the project that it belongs to."""
    if not path.is_dir():
        return Path.cwd()
    whole = path.resolve()
    return whole.parent if whole.name == NODE_MODULES else path


def _parse_ignore(text: str) -> tuple[str, str]:
    code, equals, reason = text.partition("=")
    if not equals or not reason.strip():
        hint = "Pass `--ignore LP203:node_modules/x/y.node='tested on Lambda'`."
        raise LambdapackError(USAGE, f"--ignore {text}: the reason is missing", hint=hint)
    return code, reason


def select_targets(settings: Settings, observer: Observer, *, builds: bool = True) -> tuple[Target, ...]:
    """Return the targets that the settings name; says so when the runtime is an assumption.

    LP015 for a template whose architecture cannot be read; a note of it, where nothing is built or verified.
    """
    _require_readable_architecture(settings, observer, builds=builds)
    unreadable = {unreadable_value.field: unreadable_value for unreadable_value in settings.template.unreadable}
    if settings.handler.origin == DEFAULT_ORIGIN and "handler" in unreadable:
        observer.note(f"{unreadable['handler']}; {settings.handler.value} is assumed (--handler)")
    runtime = settings.runtime.value
    if "runtime" in unreadable and settings.runtime.origin.startswith((DEFAULT_ORIGIN, "package.json engines")):
        observer.note(str(unreadable["runtime"]))
    if runtime is None:
        runtime = newest_runtime(utc_today())
        observer.note(f"no runtime is set: {runtime} is assumed (--runtime, or runtime = in lambdapack.toml)")
    arch = settings.arch.value
    if arch == ALL_ARCHITECTURES:
        name = parse_target(runtime, Architecture.X86_64.aws).runtime
        return tuple(Target(name, architecture) for architecture in runtime_architectures(name))
    return (parse_target(runtime, arch),)


def _require_readable_architecture(settings: Settings, observer: Observer, *, builds: bool) -> None:
    """Never take a CPU in silence that is no literal of the template. LP015 for one that cannot be read."""
    arch, declared = settings.arch, settings.template.architecture
    unreadable = next((value for value in settings.template.unreadable if value.field == "architecture"), None)
    if arch.origin == DEFAULT_ORIGIN and unreadable:
        if builds:
            raise LambdapackError(UNREADABLE_TEMPLATE, unreadable.detail)
        observer.note(f"{unreadable}; {arch.value} is assumed (--arch)")
    elif builds and declared and not declared.literal and arch.origin == declared.origin:
        observer.note(f"the architecture is {arch.value} ({arch.origin}); a deployment with other values needs --arch")


def other_cpu_hint(settings: Settings, reports: "Sequence[Report]", again: str) -> str:
    """Return what to say when nobody named an architecture and all that would be loaded is for the other one.

    `again` is the command without `--arch`. "" when there is nothing to say.
    """
    from lambdapack.binary.facts import Format  # noqa: PLC0415  # who has reports has it already

    used = [judgement.binary for report in reports for judgement in report.judgements if judgement.selected]
    machines = {machine for binary in used if binary.format is Format.ELF for machine in binary.machines}
    if settings.arch.origin != DEFAULT_ORIGIN or len(machines) != 1:
        return ""
    architecture = ARCHITECTURE_NAMES.get(machines.pop())
    if architecture is None or architecture.aws == settings.arch.value:
        return ""
    assumed = f"no architecture is set: {settings.arch.value} is assumed, but every binary in use is for {architecture}"
    fix = f"`{again} --arch {architecture}`, or arch = in lambdapack.toml"
    return f"{assumed}. If the function has that architecture: {fix}"


def apply_runtime_file(file: Path | None, flags: Mapping[str, object]) -> tuple[Runtime | None, Mapping[str, object]]:
    """Return the runtime of a file, which stands for --runtime and --arch, and the flags that fit it. LP006, LP001."""
    if file is None:
        return None, flags
    from lambdapack.runtimes.runtimefile import read_runtime  # noqa: PLC0415  # only who has such a file

    measured = read_runtime(file)
    target = measured.target
    for name, value in (("runtime", target.runtime), ("arch", target.architecture.aws)):
        if flags.get(name) not in (None, value):
            raise LambdapackError(USAGE, f"--{name} {flags[name]} contradicts {file}, which was measured for {value}")
    return measured, {**flags, "runtime": target.runtime, "arch": target.architecture.aws}


def make_policy(settings: Settings, *, handler_required: bool, all_binaries: bool = False) -> "Policy":
    """Return how strict a check is; LP001 for an ignored code that does not exist."""
    from lambdapack.rules.model.case import IgnoredFinding, Policy  # noqa: PLC0415  # not for what only asks AWS
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    known = {name for rule in RULES for name in (rule.code, rule.name)}
    for ignore_setting in settings.ignore.value:
        if ignore_setting.code not in known:
            raise LambdapackError(
                USAGE, f"no rule is named {ignore_setting.code!r}, so it cannot be ignored ({settings.ignore.origin})"
            )
    return Policy(
        today=utc_today(),
        handler_required=handler_required,
        all_binaries=all_binaries,
        provided=settings.provided.value,
        ignores=tuple(
            IgnoredFinding(ignore_setting.code, ignore_setting.reason, ignore_setting.path or "*")
            for ignore_setting in settings.ignore.value
        ),
    )


def make_limits(settings: Settings) -> "Limits":
    """Return the bounds of a sandbox."""
    from lambdapack.engine.interface import Limits  # noqa: PLC0415  # only who builds needs it

    return Limits(
        memory_bytes=settings.memory.value,
        processes=settings.processes.value,
        wall_seconds=settings.time_limit.value,
        silence_seconds=settings.silence_limit.value,
        log_bytes=settings.log_limit.value,
    )


def fail_on_severity(settings: Settings) -> Severity | None:
    """Return the severity from which a report fails, None for never."""
    word = settings.fail_on.value
    return None if word == "never" else Severity(word)


def utc_today() -> date:
    """Return the day in UTC, so that a verdict does not depend on the time zone."""
    return datetime.now(UTC).date()
