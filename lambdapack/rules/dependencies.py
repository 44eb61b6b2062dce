"""Whether what package.json depends on came along. Never looks into a file."""

from collections.abc import Iterator

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.facts import Facts, Policy

DEPENDENCY_MISSING = Rule(
    "LP311",
    "dependency-missing",
    "a dependency of package.json is not in the package",
    "node says: Error: Cannot find module. npm hoists a workspace member's dependencies to the root's node_modules.",
    "Install them beside package.json first (`npm ci --omit=dev`), or let `lambdapack build` do it.",
    Severity.ERROR,
)

IN_THE_RUNTIME = ("@aws-sdk/", "@smithy/")
"""Packages that the runtimes from nodejs18.x on bring themselves (AWS docs lambda-nodejs, read 2026-11)."""

SHOWN = 5


def dependency_findings(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for all that is absent: an error for a build, a note where a bundler may have taken it in."""
    manifest = facts.manifests.get("")
    if manifest is None:
        return
    there = {path for each in (facts, *facts.layers) for path in _installed(each)}
    absent = sorted(
        name
        for name in manifest.dependencies - manifest.optional_dependencies
        if name not in there and not name.startswith(IN_THE_RUNTIME)
    )
    if absent:
        more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        message = f"node_modules has no {', '.join(absent[:SHOWN])}{more}"
        severity = None if policy.handler_required else Severity.NOTE
        yield Finding(DEPENDENCY_MISSING, "package.json", message, severity=severity, evidence=(("absent", absent),))


def _installed(facts: Facts) -> Iterator[str]:
    """Yield the names below every node_modules that the function sees first: its own, or a layer's."""
    for path in facts.entries:
        before, mark, after = path.partition("node_modules/")
        if mark and (before in {"", "nodejs/"} or before.startswith("nodejs/node")):
            parts = after.split("/")
            yield "/".join(parts[:2]) if parts[0].startswith("@") else parts[0]
