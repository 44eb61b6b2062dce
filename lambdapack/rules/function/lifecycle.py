"""Whether AWS still supports the runtime on a given day."""

from collections.abc import Iterator
from datetime import date

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.model.case import Case
from lambdapack.runtimes.runtime import Runtime

RUNTIME_DEPRECATED = Rule(
    "LP307",
    "runtime-deprecated",
    "AWS has ended support for the runtime",
    "It gets no security patches any more; later AWS refuses to create and then to update functions with it.",
    "Move to a newer runtime: `lambdapack runtimes` lists them.",
    Severity.WARNING,
)
RUNTIME_BLOCKED = Rule(
    "LP308",
    "runtime-blocked",
    "AWS refuses updates of functions with the runtime",
    "UpdateFunctionCode and UpdateFunctionConfiguration fail, so nothing can be deployed.",
    "Move to a newer runtime: `lambdapack runtimes` lists them.",
    Severity.ERROR,
)


def check_lifecycle(case: Case) -> Iterator[Finding]:
    """Yield what the dates of the case's runtime mean on the policy's day."""
    return lifecycle_findings(case.runtime, case.policy.today)


def lifecycle_findings(runtime: Runtime, today: date) -> Iterator[Finding]:
    """Yield what the runtime's dates mean on a day; nothing when they are not known."""
    dates = runtime.lifecycle
    if dates is None:
        return
    name = runtime.target.runtime
    if dates.block_update and dates.block_update <= today:
        evidence = (("block_update", dates.block_update.isoformat()), ("source", dates.source))
        yield Finding(RUNTIME_BLOCKED, "", f"{name}: no updates since {dates.block_update}", evidence=evidence)
    elif dates.deprecated and dates.deprecated <= today:
        following = _describe_next_dates(dates.block_create, dates.block_update, today)
        message = f"{name} is deprecated since {dates.deprecated}{following}"
        evidence = (("deprecated", dates.deprecated.isoformat()), ("source", dates.source))
        yield Finding(RUNTIME_DEPRECATED, "", message, evidence=evidence)


def _describe_next_dates(create: date | None, update: date | None, today: date) -> str:
    parts = []
    if create:
        parts.append(f"no new functions {'since' if create <= today else 'from'} {create}")
    if update:
        parts.append(f"no updates from {update}")
    return f"; {', '.join(parts)}" if parts else ""
