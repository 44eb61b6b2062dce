"""Strategies to install dependencies for a CPU, best first. Pure: never starts anything."""

from dataclasses import dataclass

from lambdapack.model import Architecture
from lambdapack.project.project import Project
from lambdapack.project.reader import packages_with_install_scripts, root_scripts
from lambdapack.tree.entry import Tree

NpmVersion = tuple[int, int, int]

CROSS_INSTALL_NPM: NpmVersion = (10, 1, 0)
"""The oldest npm since which every one takes --os and --cpu (9.9 does, 10.0 does not): its CHANGELOG, read 2026-11."""

LIBC_NPM: NpmVersion = (10, 3, 0)
"""The oldest npm that takes --libc: CHANGELOG of npm, read 2026-11."""


@dataclass(frozen=True, slots=True)
class InstallScripts:
    """What an install has to run besides npm itself."""

    packages: tuple[str, ...] = ()  # "bcrypt@6.0.0": their install scripts
    root: tuple[str, ...] = ()  # the project's own "preinstall", "install", "postinstall", in npm's order
    git: tuple[str, ...] = ()  # packages that git fetches

    @property
    def nothing(self) -> bool:
        """True when unpacking tarballs is all there is to do."""
        return not (self.packages or self.root or self.git)

    @property
    def reason(self) -> str:
        """One clause, naming the first that asks for it."""
        for names, one, many in (
            (self.packages, "{} runs an install script", "{} run install scripts"),
            (self.root, "this project's {} script runs", "this project's {} scripts run"),
            (self.git, "git fetches {}", "git fetches {}"),
        ):
            if len(names) > 1:
                return many.format(f"{names[0]} and {len(names) - 1} more")
            if names:
                return one.format(names[0])
        return "no package runs an install script"


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to install. `version` grows whenever its result can differ, so that old results are not reused."""

    name: str  # "native", "cross-prebuilt", "emulated"
    version: int
    why: str  # one sentence for the user
    architecture: Architecture  # of the image in which npm runs
    work: InstallScripts
    emulated: bool = False
    oldest_npm: NpmVersion = (0, 0, 0)

    @property
    def toolchain(self) -> bool:
        """True when the image must have a compiler, and git; the bare runtime image has neither."""
        return not self.work.nothing

    @property
    def scripts(self) -> bool:
        """True when npm itself runs install scripts.

        Without it npm is told --ignore-scripts: it would run node-gyp for a stray binding.gyp that the lockfile does
        not tell of (better-sqlite3 13; docs/lab.md#6-npm).
        """
        return bool(self.work.packages or self.work.git)


def find_install_scripts(
    project: Project, inputs: Tree, architecture: Architecture, *, ignore_scripts: bool = False
) -> InstallScripts:
    """Return what has to run to install `project` for a CPU; `ignore_scripts` is the user's own npm setting."""
    production = project.lockfile.production if project.lockfile else ()
    git = tuple(package.name for package in production if package.resolved.startswith(("git+", "git:")))
    if ignore_scripts or project.lockfile is None:
        return InstallScripts(git=git)
    packages = tuple(
        f"{package.name}@{package.version}" for package in packages_with_install_scripts(project.lockfile, architecture)
    )
    scripts = root_scripts(project, inputs)
    if "install" in scripts and not _has_script(project, "install"):
        # The root's own binding.gyp: npm compiles it only where it runs the packages' scripts too.
        packages = (*packages, project.name or "this project")
    return InstallScripts(packages, tuple(scripts), git)


def _has_script(project: Project, event: str) -> bool:
    scripts = project.manifest.get("scripts")
    return isinstance(scripts, dict) and event in scripts


def candidate_strategies(
    work: InstallScripts, target: Architecture, engine: Architecture, emulation: str = "auto"
) -> tuple[Strategy, ...]:
    """Return the ways to install for `target` on an engine of that CPU, best first.

    `emulation` is the setting: "auto", as little as the lockfile allows; "full", everything in the target's own image.
    """
    if target is engine:
        return (Strategy("native", 1, f"this engine's CPU is {target}", target, work),)
    emulated = _emulated_strategy(work, target, engine, asked=emulation == "full")
    return (_cross_strategy(work, target, engine), emulated) if work.nothing and emulation != "full" else (emulated,)


def _cross_strategy(work: InstallScripts, target: Architecture, engine: Architecture) -> Strategy:
    why = f"{work.reason}, so npm runs on this engine's {engine} and chooses packages for {target}: no emulation"
    return Strategy("cross-prebuilt", 1, why, engine, work, oldest_npm=CROSS_INSTALL_NPM)


def _emulated_strategy(work: InstallScripts, target: Architecture, engine: Architecture, *, asked: bool) -> Strategy:
    cause = "full emulation was asked for" if asked else work.reason
    return Strategy(
        "emulated", 1, f"{cause}, so the {target} image runs emulated on {engine}", target, work, emulated=True
    )
