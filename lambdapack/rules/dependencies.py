"""Whether what package.json depends on came along. Never looks into a file."""

import posixpath
from collections.abc import Iterator

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.facts import Facts, Policy
from lambdapack.rules.platforms import Installed
from lambdapack.rules.space import Space

DEPENDENCY_MISSING = Rule(
    "LP311",
    "dependency-missing",
    "a dependency of package.json is not in the package",
    "node says: Error: Cannot find module. npm hoists a workspace member's dependencies to the root's node_modules.",
    "Install them beside package.json first (`npm ci --omit=dev`), or let `lambdapack build` do it; a member of a "
    "workspace is built from its root: `lambdapack build ROOT --handler MEMBER/index.handler`.",
    Severity.ERROR,
)

IN_THE_RUNTIME = ("@aws-sdk/", "@smithy/")
"""Packages that the runtimes from nodejs18.x on bring themselves (AWS docs lambda-nodejs, read 2026-11)."""

SHOWN = 5


def dependency_findings(facts: Facts, space: Space, installed: Installed, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for all that is absent: an error for a build, a note where a bundler may have taken it in."""
    manifest = facts.manifests.get("")
    if manifest is None:
        return
    absent = sorted(
        name
        for name in manifest.dependencies - manifest.optional_dependencies
        if not name.startswith(IN_THE_RUNTIME) and not _there(facts, space, installed, name)
    )
    if absent:
        more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        nor = " and no layer has it" if facts.layers else ""
        message = f"node_modules has no {', '.join(absent[:SHOWN])}{more}{nor}"
        severity = None if policy.handler_required else Severity.NOTE
        yield Finding(DEPENDENCY_MISSING, "package.json", message, severity=severity, evidence=(("absent", absent),))


def _there(facts: Facts, space: Space, installed: Installed, name: str) -> bool:
    """A link counts as it is (what it points to is another rule's), and a package without its package.json too."""
    for modules in installed.searched(facts.root):
        place = posixpath.join(modules, name)
        if place in space.links or space.is_directory(place):
            return True
    return False
