"""What the options become: settings, targets, a policy."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.cli.progress import Bars
from lambdapack.config import Settings, load_settings
from lambdapack.config.settings import DEFAULT
from lambdapack.errors import USAGE, LambdapackError
from lambdapack.model import Architecture, Severity, Target
from lambdapack.runtimes.catalogue import (
    ARCHITECTURE_NAMES,
    architectures,
    identifiers,
    newest,
    node_major,
    parse_architecture,
    parse_target,
)
from lambdapack.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from lambdapack.build.engine import Limits
    from lambdapack.rules.facts import Policy
    from lambdapack.rules.verdict import Report

ALL = "all"
MODULES = "node_modules"


def settings_of(directory: Path, flags: Mapping[str, object]) -> Settings:
    """Return the settings of a directory under these flags; LP006 and LP005 for what cannot be used."""
    arch = flags.get("arch")
    if isinstance(arch, str) and arch != ALL:
        flags = {**flags, "arch": parse_architecture(arch).aws}
    ignore = flags.get("ignore")
    if isinstance(ignore, list):
        flags = {**flags, "ignore": dict(_pair(each) for each in ignore)}
    majors = [node_major(each) for each in identifiers()]
    return load_settings(_home(directory), flags, os.environ, majors=majors)


def _home(path: Path) -> Path:
    """Return where the settings of a path are: of a bare node_modules, in the project that it belongs to."""
    if not path.is_dir():
        return Path.cwd()
    whole = path.resolve()
    return whole.parent if whole.name == MODULES else path


def _pair(text: str) -> tuple[str, str]:
    code, equals, reason = text.partition("=")
    if not equals or not reason.strip():
        hint = "Write `--ignore LP203:node_modules/x/y.node='tested on Lambda'`."
        raise LambdapackError(USAGE, f"--ignore {text}: a reason is missing", hint=hint)
    return code, reason


def targets_of(settings: Settings, bars: Bars) -> tuple[Target, ...]:
    """Return the targets that the settings name; says so when the runtime is an assumption."""
    runtime = settings.runtime.value
    if runtime is None:
        runtime = newest(today())
        bars.note(f"no runtime is set: {runtime} is assumed (--runtime, or runtime = in lambdapack.toml)")
    arch = settings.arch.value
    if arch == ALL:
        name = parse_target(runtime, Architecture.X86_64.aws).runtime
        return tuple(Target(name, each) for each in architectures(name))
    return (parse_target(runtime, arch),)


def other_cpu(settings: Settings, reports: "Sequence[Report]", again: str) -> str:
    """Return what to say when nobody named an architecture and all that would be loaded is for the other one.

    `again` is the command without `--arch`. "" when there is nothing to say.
    """
    from lambdapack.binary.facts import Format  # noqa: PLC0415  # who has reports has it already

    used = [each.binary for report in reports for each in report.judgements if each.selected]
    machines = {machine for each in used if each.format is Format.ELF for machine in each.machines}
    if settings.arch.origin != DEFAULT or len(machines) != 1:
        return ""
    found = ARCHITECTURE_NAMES.get(machines.pop())
    if found is None or found.aws == settings.arch.value:
        return ""
    assumed = f"no architecture is set, so {settings.arch.value} was assumed, and every binary in use is for {found}"
    return f"{assumed}. If that is the function's: `{again} --arch {found}`, or arch = in lambdapack.toml"


def runtime_of(file: Path | None, flags: Mapping[str, object]) -> tuple[Runtime | None, Mapping[str, object]]:
    """Return the runtime of a file, which stands for --runtime and --arch, and the flags that fit it. LP006, LP001."""
    if file is None:
        return None, flags
    from lambdapack.runtimes.runtimefile import read_runtime  # noqa: PLC0415  # only who has such a file

    measured = read_runtime(file)
    target = measured.target
    for name, value in (("runtime", target.runtime), ("arch", target.architecture.aws)):
        if flags.get(name) not in (None, value):
            raise LambdapackError(USAGE, f"--{name} {flags[name]} is not what {file} was measured from: {value}")
    return measured, {**flags, "runtime": target.runtime, "arch": target.architecture.aws}


def policy_of(settings: Settings, *, handler_required: bool, all_binaries: bool = False) -> "Policy":
    """Return how strict a check is; LP001 for an ignored code that does not exist."""
    from lambdapack.rules.facts import Ignore, Policy  # noqa: PLC0415  # not for what only asks AWS
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    known = {name for rule in RULES for name in (rule.code, rule.name)}
    for each in settings.ignore.value:
        if each.code not in known:
            raise LambdapackError(USAGE, f"there is no finding {each.code!r} to ignore ({settings.ignore.origin})")
    return Policy(
        today=today(),
        handler_required=handler_required,
        all_binaries=all_binaries,
        ignores=tuple(Ignore(each.code, each.reason, each.path or "*") for each in settings.ignore.value),
    )


def limits_of(settings: Settings) -> "Limits":
    """Return the bounds of a sandbox."""
    from lambdapack.build.engine import Limits  # noqa: PLC0415  # only who builds needs it

    return Limits(
        memory_bytes=settings.memory.value,
        processes=settings.processes.value,
        wall_seconds=settings.time_limit.value,
        silence_seconds=settings.silence_limit.value,
    )


def fail_on(settings: Settings) -> Severity | None:
    """Return the severity from which a report fails, None for never."""
    word = settings.fail_on.value
    return None if word == "never" else Severity(word)


def today() -> date:
    """Return the day in UTC, so that a verdict does not depend on the time zone."""
    return datetime.now(UTC).date()
