"""yarn as a PackageManager: its own program fetches, npm's `rebuild` runs the scripts in the tree that was moved."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.managers.npm.npm import Npm
from lambdapack.managers.yarn.lockfile import LOCKFILE_NAME, parse_lock, read_lock

if TYPE_CHECKING:
    from lambdapack.errors.record import LambdapackError
    from lambdapack.managers.interface import (
        CompletedRun,
        InstallCommands,
        InstallRun,
        ManagerSettings,
        ManagerVersion,
        PreparedSandbox,
        ScriptedPackage,
    )
    from lambdapack.managers.lock import DependencySource, Lock
    from lambdapack.project.repository import Repository
    from lambdapack.tree.entry import Tree


class Yarn(Npm):
    """yarn 1 with `--frozen-lockfile --production`, yarn 3 and 4 with `workspaces focus --production`."""

    name = "yarn"
    lockfiles = (LOCKFILE_NAME,)
    settings_files = (".npmrc", ".yarnrc", ".yarnrc.yml")
    installed_lockfile = "node_modules/.yarn-integrity"
    cross_install_version = (0, 0, 0)

    def read(self, repository: "Repository", importer: str) -> "Lock | None":
        """Return yarn.lock for a package of the repository. LP003 when it is broken."""
        return read_lock(repository, importer)

    def parse(self, text: str, path: Path) -> "Lock":
        """Return the lock that a text is. LP003 when it is broken."""
        return parse_lock(text, path)

    def settings(self, root: Path, environ: Mapping[str, str], home: Path) -> "ManagerSettings":
        """Return .npmrc as npm's, and .yarnrc.yml translated beside it. LP006."""
        from lambdapack.managers.yarn.settings import add_yarn_settings  # noqa: PLC0415

        return add_yarn_settings(super().settings(root, environ, home), root, environ, home)

    def inputs(self, source: "DependencySource", globs: Sequence[str] = ()) -> "Tree":
        """Return the lock, every package.json, yarn's settings, patches, and the local packages that ship. LP003."""
        from lambdapack.managers.yarn.inputs import yarn_inputs  # noqa: PLC0415

        return yarn_inputs(source, globs)

    def options(self, run: "InstallRun", version: "ManagerVersion") -> str:  # noqa: ARG002  # the image's npm fetches nothing
        """Return the flags of yarn's command."""
        from lambdapack.managers.npm.commands import option_text  # noqa: PLC0415
        from lambdapack.managers.yarn.commands import install_command  # noqa: PLC0415

        return option_text(install_command(run))

    def fetch_commands(self, run: "InstallRun", prepared: "PreparedSandbox") -> "InstallCommands":
        """Return what installs yarn itself, and its own command for production dependencies."""
        from lambdapack.managers.yarn.commands import fetch_commands  # noqa: PLC0415

        return fetch_commands(run, prepared)

    def find_scripts(self, source: "DependencySource", tree: "Tree") -> "tuple[ScriptedPackage, ...]":
        """Return the packages with something to run that yarn would run."""
        from lambdapack.managers.yarn.inputs import is_build_allowed  # noqa: PLC0415

        return tuple(
            package for package in super().find_scripts(source, tree) if is_build_allowed(source, package.name)
        )

    def failure(self, run: "CompletedRun", source: "DependencySource") -> "LambdapackError | None":
        """Return what yarn's own messages mean; the scripts' failures are npm's."""
        from lambdapack.managers.run_failures import manager_failure  # noqa: PLC0415

        return manager_failure(run, self.name) or super().failure(run, source)
