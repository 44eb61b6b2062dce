"""Renders what is live as text."""

from lambdapack.deploy.nouns import LATEST
from lambdapack.deploy.status import AliasStatus, FunctionStatus
from lambdapack.report.text import escape_controls

SHOWN_COMMIT_CHARACTERS = 12

DRIFT_WORDS = {True: "differs from the zip here", False: "same as the zip here", None: ""}


def render_status(status: FunctionStatus) -> str:
    """Return a function as a heading and one line for each alias."""
    latest = status.latest
    lines = [f"{status.name} ({latest.runtime or latest.package_type}/{latest.architecture})"]
    lines += [f"  {_render_alias(row, status)}" for row in status.aliases]
    state = "" if latest.is_settled else ", update in progress"
    state = f", update failed: {latest.failure_reason}" if latest.has_failed else state
    words = [f"{LATEST}: code {latest.code_digest[:12]}{state}", DRIFT_WORDS[status.latest_drift]]
    if not status.aliases:
        words.append("no alias")
    lines.append("  " + ", ".join(word for word in words if word))
    lines += [f"  managed by {owner.tool}: {owner.sign}" for owner in status.owners]
    return "".join(f"{escape_controls(line)}\n" for line in lines)


def _render_alias(row: AliasStatus, status: FunctionStatus) -> str:
    alias = row.alias
    words = [alias.version if alias.version == LATEST else f"version {alias.version}"]
    words += [f"{weight:.0%} of the traffic to version {version}" for version, weight in alias.weights]
    if row.version is None:
        words.append("which does not exist")
    if row.since:
        words.append(f"since {row.since}{f' by {row.moved_by}' if row.moved_by else ''}")
    elif row.memory.current:
        words.append(f"moved by something else: lambdapack pointed it at {row.memory.current}")
    if row.commit:
        words.append(f"commit {row.commit[:SHOWN_COMMIT_CHARACTERS]}")
    if row.memory.failed:
        words.append(f"failed their test: {', '.join(row.memory.failed)}")
    drift = DRIFT_WORDS[row.drift(status.code_digest)]
    return f"{alias.name}: " + ", ".join([*words, *([drift] if drift else [])])
