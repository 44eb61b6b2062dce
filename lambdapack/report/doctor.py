"""Renders the results of `lambdapack doctor` as text."""

from dataclasses import dataclass
from enum import Enum

from lambdapack.report.text import align_columns, format_count, wrap_paragraph


class HealthState(Enum):
    """How a thing that a build needs, or may need, is."""

    OK = "ok"
    NOTE = "note"  # not there, and nobody needs it yet
    WARNING = "warning"  # some builds will not work
    ERROR = "error"  # no build will


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at."""

    name: str  # "engine", "emulation arm64"
    state: HealthState
    said: str
    fix: str = ""  # one sentence with the command, "" when nothing is to be done


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """A setting and who said it."""

    name: str
    value: str
    origin: str  # "--arch", "LAMBDAPACK_ARCH", "lambdapack.toml:3", "default"


@dataclass(frozen=True, slots=True)
class Checkup:
    """All that was looked at, in the order in which a build meets it."""

    checks: tuple[HealthCheck, ...]
    settings: tuple[SettingOrigin, ...]

    @property
    def ready(self) -> bool:
        """False when a build could not work."""
        return all(health_check.state is not HealthState.ERROR for health_check in self.checks)


def render_checkup(checkup: Checkup, *, verbose: bool = False) -> str:
    """Return a paragraph for each thing, then the settings that somebody made (`verbose`: all), then one line."""
    settings = [setting for setting in checkup.settings if verbose or setting.origin != "default"]
    parts = ["\n".join(map(_render_check, checkup.checks)) + "\n"]
    if settings:
        parts.append(
            "settings:\n"
            + align_columns([(f"  {setting.name}", setting.value, f"({setting.origin})") for setting in settings])
        )
    return "\n".join([*parts, _render_verdict(checkup)])


def _render_check(check: HealthCheck) -> str:
    lead = f"{check.state.value:<9}"
    lines = [wrap_paragraph(lead, f"{check.name}: {check.said}")]
    if check.fix:
        lines.append(wrap_paragraph(f"{'':9}= fix: ", check.fix))
    return "\n".join(lines)


def _render_verdict(checkup: Checkup) -> str:
    errors = sum(health_check.state is HealthState.ERROR for health_check in checkup.checks)
    warnings = sum(health_check.state is HealthState.WARNING for health_check in checkup.checks)
    if errors:
        return f"not ready: {format_count(errors, 'error')}\n"
    return f"ready, with {format_count(warnings, 'warning')}\n" if warnings else "ready\n"
