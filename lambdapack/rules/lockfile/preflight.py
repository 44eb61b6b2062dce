"""Runs all checks of the lockfile pre-flight. Never reads a disk."""

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.lock import DependencySource
from lambdapack.model import Finding, Target
from lambdapack.project.function import DEFAULT_HANDLER
from lambdapack.rules.lockfile.platform import locked_platform_findings
from lambdapack.rules.lockfile.scripts import dev_command_findings, skipped_script_findings
from lambdapack.rules.lockfile.source import loopback_findings, unusable_dependency_findings, unusable_lock_findings
from lambdapack.rules.lockfile.step import lock_step_findings


def preflight_findings(
    project: DependencySource,
    target: Target,
    npm_version: str | None,
    npm: ManagerSettings | None = None,
    handler: str = DEFAULT_HANDLER,
) -> tuple[Finding, ...]:
    """Return what npm of that version would stumble over, or pass over in silence; worst first.

    Without a lockfile that can be used, that is the only finding. None for `npm_version`: not known yet, so what
    depends on it is left out.
    """
    settings = npm or ManagerSettings()
    blocking = unusable_lock_findings(project, handler)
    if blocking or project.lock is None:
        return blocking
    found = (
        *unusable_dependency_findings(project),
        *loopback_findings(project.lock, settings.replaced_host),
        *lock_step_findings(project, project.lock, legacy_peer_deps=settings.legacy_peer_deps),
        *locked_platform_findings(project.lock, target.architecture, npm_version),
        *skipped_script_findings(project, target.architecture, npm_version, settings),
        *dev_command_findings(project, settings),
    )
    return tuple(sorted(found, key=lambda finding: -finding.weight.rank))
