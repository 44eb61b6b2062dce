"""Install scripts that npm skips, and the project's own that need a devDependency. Never runs one."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lambdapack.managers.lock import DependencySource, LockedPackage, packages_with_install_scripts
from lambdapack.model import Finding
from lambdapack.project.document import REPOSITORY_TOOLS
from lambdapack.project.semver import parse_version
from lambdapack.rules.lockfile.records import SCRIPT_NEEDS_DEV, SCRIPTS_SKIPPED
from lambdapack.rules.model.case import LockCase

if TYPE_CHECKING:
    from lambdapack.managers.interface import ManagerSettings

SKIPS_SCRIPTS_SINCE = 12
"""npm that runs only the dependency scripts which allowScripts names (12.0 changelog; tried with 12.2.0)."""

COMMAND_RUNNERS = frozenset({"npx", "npm", "exec", "--", "--no-install", "--no", "--yes", "-y", "cross-env", "env"})
"""Words before the command that is really called."""


def check_skipped_scripts(case: LockCase) -> Iterator[Finding]:
    """Yield the packages whose install script npm 12 and later leave out by default."""
    project, npm = case.project, case.settings
    version = parse_version(case.npm_version) if case.npm_version else None
    if project.manager != "npm" or version is None or version[0] < SKIPS_SCRIPTS_SINCE:
        return
    if npm.ignore_scripts or npm.allow_all_scripts:
        return
    policy = _script_policy(project, npm)
    for package in packages_with_install_scripts(project.lock, case.architecture) if project.lock else ():
        if not package.in_bundle and not any(_covers_package(key, package) for key in policy):
            yield _skipped_script_finding(package, project, str(case.npm_version))


def _script_policy(project: DependencySource, npm: "ManagerSettings") -> Mapping[str, bool]:
    """Return what counts: package.json's allowScripts when it has entries, else .npmrc's (npm/rfcs#868)."""
    written = project.manifest.document.get("allowScripts")
    if isinstance(written, dict) and written:
        return {key: value for key, value in written.items() if isinstance(value, bool)}
    return dict.fromkeys(npm.allow_scripts, True)


def _covers_package(key: str, package: LockedPackage) -> bool:
    """Tell whether an allowScripts key speaks of a package; npm ignores keys with ranges and tags."""
    if package.local is not None:
        return key.removeprefix("file:").removeprefix("./") == package.local and key != package.local
    name, _at, versions = key[1:].partition("@")
    if key[:1] + name != package.name:
        return False
    return versions in {"", "*"} or package.version in [part.strip() for part in versions.split("||")]


def _skipped_script_finding(package: LockedPackage, project: DependencySource, npm_version: str) -> Finding:
    key = package.name if package.local is None else f"file:{package.local}"
    return Finding(
        SCRIPTS_SKIPPED,
        project.lock.path.name if project.lock else "",
        f"npm {npm_version} will not run the install script of {package.name} {package.version}".rstrip(),
        package=package.name,
        line=package.line,
        fix=f"Run `npm pkg set 'allowScripts[{key}]=true' --json` and commit package.json.",
        evidence=(("npm", npm_version), ("key", key)),
    )


def check_dev_commands(case: LockCase) -> Iterator[Finding]:
    """Yield the root's install scripts that call a command which only a devDependency brings."""
    project = case.project
    if case.settings.ignore_scripts:
        return
    tools = _dev_commands(project)
    for name, command in project.manifest.install_scripts().items():
        for word in _called_commands(command):
            if word in tools:
                yield _dev_command_finding(project, name, command, word, tools[word])


def _dev_commands(project: DependencySource) -> Mapping[str, str]:
    packages = project.lock.packages.values() if project.lock else ()
    # Only what lies directly in node_modules puts its commands into node_modules/.bin.
    direct = [
        package
        for package in packages
        if package.path.startswith("node_modules/") and package.path.count("node_modules") == 1
    ]
    ours = {command for package in direct if not package.dev for command in package.commands}
    return {
        command: package.name
        for package in direct
        if package.dev
        for command in package.commands
        if command not in ours
    }


def _called_commands(command: str) -> Iterator[str]:
    """Yield the first word of each part of a shell line; a part with `||` behind it may fail and is left out."""
    for part in re.split(r"&&|;", command):
        if "||" not in part:
            words = [word for word in part.split() if word not in COMMAND_RUNNERS and not re.match(r"\w+=", word)]
            if words:
                yield posixpath.basename(words[0]) if "node_modules/.bin/" in words[0] else words[0]


def _dev_command_finding(project: DependencySource, script: str, command: str, tool: str, package: str) -> Finding:
    guard = f", or guard the script: `npm pkg set scripts.{script}='{command} || true'`"
    harmless = set(_called_commands(command)) <= REPOSITORY_TOOLS and "'" not in command
    return Finding(
        SCRIPT_NEEDS_DEV,
        "package.json",
        f'"{script}": "{command}" calls {tool} of {package}, which is a devDependency',
        package=package,
        line=project.manifest.lines.get(f"scripts.{script}"),
        fix=f"Run `npm install --save-prod {package}`{guard if harmless else ''}.",
        evidence=(("script", script), ("command", command), ("tool", tool)),
    )
