"""The lockfile pre-flight: what would go wrong in the sandbox, said before one is opened. Never touches a disk."""

from lambdapack.model import Finding, Target
from lambdapack.project.nouns import Project
from lambdapack.project.npmrc import NpmSettings
from lambdapack.rules.lock_codes import LOCK_RULES
from lambdapack.rules.lock_platform import missing_platform_packages
from lambdapack.rules.lock_scripts import scripts_needing_dev, scripts_skipped
from lambdapack.rules.lock_source import unreachable_hosts, unreadable_lock, unusable_dependencies
from lambdapack.rules.lock_step import out_of_step

__all__ = ["LOCK_RULES", "preflight"]


def preflight(
    project: Project, target: Target, npm_version: str | None, npm: NpmSettings | None = None
) -> tuple[Finding, ...]:
    """Return what npm of that version would stumble over, or pass over in silence; worst first.

    Without a lockfile that can be used, that is the only finding. None for `npm_version`: not known yet, so what
    depends on it is left out.
    """
    settings = npm or NpmSettings()
    blocking = unreadable_lock(project)
    if blocking or project.lockfile is None:
        return blocking
    found = (
        *unusable_dependencies(project),
        *unreachable_hosts(project.lockfile, settings.replaced_host),
        *out_of_step(project, project.lockfile, legacy_peer_deps=settings.legacy_peer_deps),
        *missing_platform_packages(project.lockfile, target.architecture, npm_version),
        *scripts_skipped(project, target.architecture, npm_version, settings),
        *scripts_needing_dev(project, settings),
    )
    return tuple(sorted(found, key=lambda each: -each.weight.rank))
