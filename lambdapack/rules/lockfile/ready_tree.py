"""What `build --no-install` cannot pack, and how a package manager makes what it can. Reads no disk."""

import posixpath
import shlex
from collections.abc import Iterator

from lambdapack.managers.lock import DependencySource
from lambdapack.model import Finding
from lambdapack.project.repository import DEPENDENCY_SECTIONS, LOCKFILE_MANAGERS
from lambdapack.project.site import FunctionSite
from lambdapack.rules.lockfile.records import PLUG_N_PLAY
from lambdapack.rules.model.case import LockCase

UNKNOWN_HANDLER = "FILE.handler"
"""Stands in advice for a handler whose file is not there."""


def check_ready_tree(project: DependencySource, site: FunctionSite) -> Iterator[Finding]:
    """Yield why no node_modules is there that could be packed."""
    package = site.handler_package or project.manifest
    declares = any(package.document.get(section) for section in DEPENDENCY_SECTIONS)
    if site.plug_n_play and declares:
        message = f"{site.plug_n_play}: Yarn keeps the packages in zips of its own, and there is no node_modules"
        yield Finding(PLUG_N_PLAY, "package.json", message, evidence=(("found", site.plug_n_play),))


def target_options(case: LockCase) -> str:
    """Return the options that keep a command's target."""
    runtime = f" --runtime {case.runtime}" if case.runtime else ""
    return f"{runtime} --arch {case.architecture.aws}"


def ready_tree_advice(case: LockCase) -> str:
    """Return how the manager of a repository makes a ready tree, and the command that packs it."""
    project, site = case.project, case.site or FunctionSite()
    managers = {LOCKFILE_MANAGERS[name] for name in project.foreign_lockfiles}
    options = f"--no-install{target_options(case)}"
    if "pnpm" in managers or site.has_pnpm_members:
        deploy = (
            f"pnpm --filter {shlex.quote((site.handler_package or project.manifest).name)} deploy --prod --legacy OUT"
        )
        pack = f"lambdapack build OUT --handler {shlex.quote(_member_handler(case))} {options}"
        return f"pnpm installs it apart: `{deploy}`; then `{pack}` packs that."
    root = shlex.quote(str(project.repository.root))
    pack = f"`lambdapack build {root} --handler {shlex.quote(root_handler(case))} {options}`"
    if "yarn" in managers and site.is_yarn_berry:
        return f"Set `nodeLinker: node-modules` in .yarnrc.yml and run `yarn install`; then {pack} packs that."
    return f"Install with {' or '.join(sorted(managers)) or 'your package manager'}; then {pack} packs that."


def root_handler(case: LockCase) -> str:
    """Return the handler as seen from the repository's root: of a file that is there, where one is known."""
    site = case.site or FunctionSite(case.handler)
    unknown = posixpath.join(posixpath.dirname(case.handler), UNKNOWN_HANDLER)
    return posixpath.join(case.project.importer, site.handler or unknown)


def _member_handler(case: LockCase) -> str:
    """Return the handler as seen from its own package.json."""
    site = case.site or FunctionSite()
    handler = site.handler or posixpath.join(posixpath.dirname(case.handler), UNKNOWN_HANDLER)
    package = site.handler_package
    if package is None:
        return handler
    home = case.project.manifest.path.parent
    return posixpath.relpath(handler, package.path.parent.relative_to(home).as_posix())
