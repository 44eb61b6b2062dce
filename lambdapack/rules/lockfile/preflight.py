"""Runs all checks of the lockfile pre-flight. Never reads a disk."""

from lambdapack.managers.npm.npmrc import NpmSettings
from lambdapack.model import Finding, Target
from lambdapack.project.project import Project
from lambdapack.rules.lockfile.platform import locked_platform_findings
from lambdapack.rules.lockfile.scripts import dev_command_findings, skipped_script_findings
from lambdapack.rules.lockfile.source import loopback_findings, unusable_dependency_findings, unusable_lock_findings
from lambdapack.rules.lockfile.step import lock_step_findings


def preflight_findings(
    project: Project, target: Target, npm_version: str | None, npm: NpmSettings | None = None
) -> tuple[Finding, ...]:
    """Return what npm of that version would stumble over, or pass over in silence; worst first.

    Without a lockfile that can be used, that is the only finding. None for `npm_version`: not known yet, so what
    depends on it is left out.
    """
    settings = npm or NpmSettings()
    blocking = unusable_lock_findings(project)
    if blocking or project.lockfile is None:
        return blocking
    found = (
        *unusable_dependency_findings(project),
        *loopback_findings(project.lockfile, settings.replaced_host),
        *lock_step_findings(project, project.lockfile, legacy_peer_deps=settings.legacy_peer_deps),
        *locked_platform_findings(project.lockfile, target.architecture, npm_version),
        *skipped_script_findings(project, target.architecture, npm_version, settings),
        *dev_command_findings(project, settings),
    )
    return tuple(sorted(found, key=lambda finding: -finding.weight.rank))
