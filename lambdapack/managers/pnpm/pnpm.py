"""pnpm as a PackageManager: its own program fetches, npm's `rebuild` runs the scripts in the tree that was moved."""

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.managers.npm.npm import Npm
from lambdapack.managers.pnpm.lockfile import LOCKFILE_NAME, parse_lock, read_lock

if TYPE_CHECKING:
    from lambdapack.errors.record import LambdapackError
    from lambdapack.managers.interface import (
        CompletedRun,
        InstallCommands,
        InstallRun,
        InstallScripts,
        ManagerSettings,
        ManagerVersion,
        PreparedSandbox,
        ScriptedPackage,
    )
    from lambdapack.managers.lock import DependencySource, Lock
    from lambdapack.model import Architecture
    from lambdapack.project.repository import Repository
    from lambdapack.tree.entry import Tree


class Pnpm(Npm):
    """pnpm 8 to 10: pnpm-lock.yaml, pnpm-workspace.yaml, .npmrc, `pnpm install --frozen-lockfile --prod`."""

    name = "pnpm"
    lockfiles = (LOCKFILE_NAME,)
    settings_files = (".npmrc", "pnpm-workspace.yaml")
    installed_lockfile = "node_modules/.pnpm/lock.yaml"
    cross_install_version = (0, 0, 0)

    def read(self, repository: "Repository", importer: str) -> "Lock | None":
        """Return pnpm-lock.yaml for an importer. LP003 when it is broken."""
        return read_lock(repository, importer)

    def parse(self, text: str, path: Path) -> "Lock":
        """Return the lock that a text is. LP003 when it is broken."""
        return parse_lock(text, path)

    def settings(self, root: Path, environ: Mapping[str, str], home: Path) -> "ManagerSettings":
        """Return .npmrc as npm's, and pnpm's own keys as taken: they go in with the inputs."""
        from lambdapack.managers.pnpm.inputs import without_own_keys  # noqa: PLC0415

        return without_own_keys(super().settings(root, environ, home))

    def inputs(self, source: "DependencySource", globs: Sequence[str] = ()) -> "Tree":
        """Return the lock, every package.json, pnpm's settings, patches, and the local packages that ship. LP003."""
        from lambdapack.managers.pnpm.inputs import pnpm_inputs  # noqa: PLC0415

        return pnpm_inputs(source, globs)

    def scripts(
        self, source: "DependencySource", inputs: "Tree", architecture: "Architecture", settings: "ManagerSettings"
    ) -> "InstallScripts":
        """Return what an old lock tells of; pnpm 9 notes no script, so that the fetched tree tells."""
        from lambdapack.managers.npm.inputs import find_install_scripts  # noqa: PLC0415

        return find_install_scripts(source, inputs, architecture, ignore_scripts=settings.ignore_scripts)

    def options(self, run: "InstallRun", version: "ManagerVersion") -> str:  # noqa: ARG002  # the image's npm fetches nothing
        """Return the flags of `pnpm install`."""
        from lambdapack.managers.npm.commands import option_text  # noqa: PLC0415
        from lambdapack.managers.pnpm.commands import install_command  # noqa: PLC0415

        return option_text(install_command(run))

    def fetch_commands(self, run: "InstallRun", prepared: "PreparedSandbox") -> "InstallCommands":
        """Return what installs pnpm itself, and `pnpm install --frozen-lockfile --prod --ignore-scripts`."""
        from lambdapack.managers.pnpm.commands import fetch_commands  # noqa: PLC0415

        return fetch_commands(run, prepared)

    def find_scripts(self, source: "DependencySource", tree: "Tree") -> "tuple[ScriptedPackage, ...]":
        """Return the packages with something to run that the repository allows, as pnpm 10 asks for."""
        from lambdapack.managers.pnpm.inputs import is_build_allowed  # noqa: PLC0415

        return tuple(
            package for package in super().find_scripts(source, tree) if is_build_allowed(source, package.name)
        )

    def failure(self, run: "CompletedRun", source: "DependencySource") -> "LambdapackError | None":
        """Return what pnpm's own error codes mean; the scripts' failures are npm's."""
        from lambdapack.managers.run_failures import manager_failure  # noqa: PLC0415

        return manager_failure(run, self.name) or super().failure(run, source)


def read_pnpm_table(repository: "Repository") -> Mapping[str, Any]:
    """Return pnpm's settings: `pnpm` of the root's package.json under those of pnpm-workspace.yaml."""
    from lambdapack.project.document import parse_object, parse_yaml, read_text  # noqa: PLC0415

    root = repository.root
    manifest = root / "package.json"
    table = parse_object(read_text(manifest), manifest).get("pnpm") if manifest.is_file() else {}
    workspace = root / "pnpm-workspace.yaml"
    written = parse_yaml(read_text(workspace), workspace) if workspace.is_file() else {}
    return {**(table if isinstance(table, dict) else {}), **written}


def place(directory: str, name: str) -> str:
    """Return a path in the sandbox."""
    return posixpath.normpath(posixpath.join(directory, name))
