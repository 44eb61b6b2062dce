"""npm as a PackageManager. What only a build needs is imported where it is used: `verify` reads lockfiles alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.managers.npm.lockfile import LOCKFILE_NAMES, parse_lock, read_lock
from lambdapack.managers.npm.versions import CROSS_INSTALL_NPM, DEFAULT_REGISTRY, INSTALLED_LOCKFILE

if TYPE_CHECKING:
    from lambdapack.engine.interface import Sandbox
    from lambdapack.errors.record import LambdapackError
    from lambdapack.managers.interface import (
        CompletedRun,
        ImageFacts,
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


class Npm:
    """npm 8 to 12: package-lock.json, .npmrc, `npm ci`."""

    name = "npm"
    lockfiles: tuple[str, ...] = LOCKFILE_NAMES
    settings_files: tuple[str, ...] = (".npmrc",)
    installed_lockfile = INSTALLED_LOCKFILE
    cross_install_version = CROSS_INSTALL_NPM
    default_registry = DEFAULT_REGISTRY

    def read(self, repository: "Repository", importer: str) -> "Lock | None":
        """Return package-lock.json or npm-shrinkwrap.json as npm sees it today. LP003 when it is broken."""
        return read_lock(repository, importer)

    def parse(self, text: str, path: Path) -> "Lock":
        """Return the lock that a text is. LP003 when it is broken."""
        return parse_lock(text, path)

    def settings(self, root: Path, environ: Mapping[str, str], home: Path) -> "ManagerSettings":
        """Return the project's .npmrc over the user's, under npm_config_* variables. LP006."""
        from lambdapack.managers.npm.npmrc import translate_npm_settings  # noqa: PLC0415

        return translate_npm_settings(root, environ, home)

    def inputs(self, source: "DependencySource", globs: Sequence[str] = ()) -> "Tree":
        """Return package.json, the lockfile, `file:` targets, patches, prisma and what the globs name. LP003."""
        from lambdapack.managers.npm.inputs import install_inputs  # noqa: PLC0415

        return install_inputs(source, globs)

    def scripts(
        self, source: "DependencySource", inputs: "Tree", architecture: "Architecture", settings: "ManagerSettings"
    ) -> "InstallScripts":
        """Return the install scripts that the lockfile tells of, and the project's own."""
        from lambdapack.managers.npm.inputs import find_install_scripts  # noqa: PLC0415

        return find_install_scripts(source, inputs, architecture, ignore_scripts=settings.ignore_scripts)

    def key_parts(self, source: "DependencySource", inputs: "Tree", settings: str) -> Mapping[str, bytes]:
        """Return manifest, lockfile, each input and .npmrc without secrets."""
        from lambdapack.managers.npm.key import project_parts  # noqa: PLC0415

        return project_parts(source, inputs, settings)

    def options(self, run: "InstallRun", version: "ManagerVersion") -> str:
        """Return the flags of `npm ci` for a run."""
        from lambdapack.managers.npm.commands import ci_command, option_text  # noqa: PLC0415

        return option_text(ci_command(run, version))

    def look(self, sandbox: "Sandbox") -> "ImageFacts":
        """Return what an image brings, from its own node. LP103 without npm."""
        from lambdapack.managers.npm.commands import look_at_sandbox  # noqa: PLC0415

        return look_at_sandbox(sandbox).facts

    def prepare(
        self, sandbox: "Sandbox", inputs: "Tree", settings: "ManagerSettings", *, secrets: bool
    ) -> "PreparedSandbox":
        """Put the project and its settings in place. LP103 without npm."""
        from lambdapack.managers.npm import commands  # noqa: PLC0415

        if secrets:
            return commands.prepare_sandbox(sandbox, inputs, commands.settings_with_secrets(settings))
        return commands.prepare_sandbox(sandbox, inputs, commands.settings_without_secrets(settings))

    def fetch_commands(self, run: "InstallRun", prepared: "PreparedSandbox") -> "InstallCommands":
        """Return `npm ci --ignore-scripts`."""
        from lambdapack.managers.npm.commands import fetch_commands  # noqa: PLC0415

        return fetch_commands(run, prepared)

    def find_scripts(self, source: "DependencySource", tree: "Tree") -> "tuple[ScriptedPackage, ...]":
        """Return the packages whose package.json has an install script, or whose binding.gyp npm would compile."""
        from lambdapack.managers.npm.scripts import find_package_scripts  # noqa: PLC0415

        return find_package_scripts(source, tree)

    def find_prepared(self, source: "DependencySource", tree: "Tree") -> "tuple[ScriptedPackage, ...]":
        """Return the packages from git whose package.json has a prepare script."""
        from lambdapack.managers.npm.scripts import find_prepare_scripts  # noqa: PLC0415

        return find_prepare_scripts(source, tree)

    def script_inputs(self, tree: "Tree", packages: "Sequence[ScriptedPackage]") -> "Tree":
        """Return the tree with a node_modules/.package-lock.json that tells npm what to run, and no user in a URL."""
        from lambdapack.managers.npm.commands import inputs_without_secrets  # noqa: PLC0415
        from lambdapack.managers.npm.scripts import mark_scripts  # noqa: PLC0415

        return inputs_without_secrets(mark_scripts(tree, packages))

    def script_commands(self, run: "InstallRun", prepared: "PreparedSandbox") -> "InstallCommands":
        """Return `npm rebuild` for the packages, and `npm run` for each of the project's own install scripts."""
        from lambdapack.managers.npm.commands import script_commands  # noqa: PLC0415

        return script_commands(run, prepared)

    def secret_words(self, settings: "ManagerSettings") -> tuple[str, ...]:
        """Return the tokens and passwords that must not be seen in a log line."""
        from lambdapack.managers.npm.commands import secret_words  # noqa: PLC0415

        return secret_words(settings)

    def running_script(self, lines: "Sequence[str]") -> str:
        """Return the script that npm announced last, as in "the install script of bcrypt@6.0.0"; "" for none."""
        from lambdapack.managers.npm.log import last_banner  # noqa: PLC0415

        package, event = last_banner(lines)
        return f"the {event} script of {package or 'this project'}" if event else ""

    def failure(self, run: "CompletedRun", source: "DependencySource") -> "LambdapackError | None":
        """Return what a failed run of npm means, or one that lost files although it exits with 0."""
        from lambdapack.managers.npm.runs import run_failure  # noqa: PLC0415

        return run_failure(run, source)
