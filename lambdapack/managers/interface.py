"""What every package manager does for a build, and the values it exchanges with an install. Protocols and data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lambdapack.engine.interface import Command, CommandResult, Limits, Sandbox
from lambdapack.errors.record import LambdapackError
from lambdapack.managers.layout import SandboxLayout
from lambdapack.managers.lock import DependencySource, Lock
from lambdapack.model import Architecture
from lambdapack.project.repository import Repository
from lambdapack.tree.entry import Tree

ManagerVersion = tuple[int, int, int]

SECRETS_DIRECTORY = "/run/lambdapack"
"""Where the sandbox keeps settings and certificates: a tmpfs."""

CACHE_DIRECTORY = "/var/cache/lambdapack"
"""Where the sandbox has the cache volume."""


def parse_manager_version(text: str) -> ManagerVersion:
    """Return a version for comparing; what is no number counts as 0."""
    numbers = [int(part) for part in re.findall(r"\d+", text.partition("-")[0])]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """A user's settings for the sandbox. `text`, `files` and `environment` are secret: never logged, never in a key."""

    text: bytes = field(default=b"", repr=False)  # the sandbox's own settings file
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)  # names in the secrets' directory, contents
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # proxies, NODE_EXTRA_CA_CERTS
    compiler_flags: Mapping[str, str] = field(default_factory=dict)  # CFLAGS, CXXFLAGS: no secret, part of the key
    has_credentials: bool = False
    dropped: tuple[str, ...] = ()  # keys that are not carried over and could change an install, sorted
    refused: tuple[str, ...] = ()  # "include=dev": settings that a build goes against
    omitted: tuple[str, ...] = ()  # kinds of dependencies that are left out besides "dev": "optional", "peer"
    undefined: tuple[str, ...] = ()  # variables that a carried key names and the host does not have
    without_secrets: str = ""  # canonical, for the dependency key
    registries: tuple[str, ...] = ()  # URLs that it names, the general one first
    legacy_peer_deps: bool = False
    ignore_scripts: bool = False
    allow_all_scripts: bool = False
    replaced_host: str = "npmjs"  # whose URLs in a lockfile go to the registry: npmjs, always, never, a host
    allow_scripts: tuple[str, ...] = ()  # names whose install scripts may run
    more_secret_words: tuple[str, ...] = field(default=(), repr=False)  # tokens of other files than `text`


@dataclass(frozen=True, slots=True)
class InstallScripts:
    """What an install has to run besides the package manager itself."""

    packages: tuple[str, ...] = ()  # "bcrypt@6.0.0": their install scripts
    root: tuple[str, ...] = ()  # the project's own "preinstall", "install", "postinstall", in their order
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
class ScriptedPackage:
    """A package of a fetched tree of which something has to run."""

    name: str  # "bcrypt@6.0.0"
    path: str  # in node_modules, below the root; a link's own place
    directory: str  # where its files are: `path`, or what the link leads to
    optional: bool = False  # the install goes on without it when it fails
    compiles: bool = True  # False: it says itself that its binding.gyp is not for an install


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image brings for an install: the same on every machine, so that it is remembered by its digest."""

    digest: str  # Image.digest
    node: str  # "22.23.3"
    manager: str  # version of the package manager: "10.9.9"
    headers: str  # prefix of node's own headers, "" when there are none: node-gyp then downloads them
    own_libraries: bool = False  # node starts only with the image's LD_LIBRARY_PATH

    @property
    def manager_version(self) -> ManagerVersion:
        """The package manager's version, for comparing."""
        return parse_manager_version(self.manager)


@dataclass(frozen=True, slots=True)
class PreparedSandbox:
    """A sandbox in which an install can begin."""

    facts: ImageFacts
    jobs: int  # processors of its machine


@dataclass(frozen=True, slots=True)
class InstallRun:
    """One run of the package manager, as a recipe and its step ask for it."""

    architecture: Architecture  # to install for
    scripts: InstallScripts = field(default_factory=InstallScripts)
    packages: tuple[ScriptedPackage, ...] = ()  # of the fetched tree, whose scripts run
    prepares: bool = False  # a fetch that lets what git brings run its own prepare script
    git_urls: tuple[str, ...] = ()  # of those packages, as the lock has them
    omitted: tuple[str, ...] = ()  # as in ManagerSettings
    flags: tuple[str, ...] = ()  # of the recipe
    environment: Mapping[str, str] = field(default_factory=dict)  # of the recipe and the user; no secret
    limits: Limits = field(default_factory=Limits)
    layout: SandboxLayout = field(default_factory=SandboxLayout)  # where the repository lies while all is fetched


@dataclass(frozen=True, slots=True)
class InstallCommand:
    """One command of a run."""

    command: Command
    script: str = ""  # the project's own script that it runs
    package: ScriptedPackage | None = None  # whose scripts it runs
    optional: str = ""  # the optional package that it is about: when it fails, `otherwise` runs and the install goes on
    otherwise: Command | None = None


@dataclass(frozen=True, slots=True)
class InstallCommands:
    """The commands of a run, in their order."""

    title: str  # "npm ci", "npm rebuild"
    commands: tuple[InstallCommand, ...]


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """How a command ended, and the facts that say what it means."""

    ended: CommandResult
    lines: tuple[str, ...]
    architecture: Architecture  # of the image
    emulated: bool = False
    manager_version: str = ""
    script: str = ""  # as in InstallCommand
    title: str = ""  # of the command: "pnpm install"


class PackageManager(Protocol):
    """Installs what a lock says. One folder each; registry.py has them all."""

    @property
    def name(self) -> str:
        """What it is called: "npm"; Repository.manager names it."""
        ...

    @property
    def lockfiles(self) -> tuple[str, ...]:
        """Names of its lockfiles, in the order in which it looks."""
        ...

    @property
    def settings_files(self) -> tuple[str, ...]:
        """Names of its settings files in a project."""
        ...

    @property
    def installed_lockfile(self) -> str:
        """Where it notes in a tree what it has installed there."""
        ...

    @property
    def cross_install_version(self) -> ManagerVersion:
        """The oldest version that can install for another CPU than its own."""
        ...

    @property
    def default_registry(self) -> str:
        """The registry where no settings name one."""
        ...

    def read(self, repository: Repository, importer: str) -> Lock | None:
        """Return the repository's lock as an install sees it today, None when there is none. LP003 when broken."""
        ...

    def parse(self, text: str, path: Path) -> Lock:
        """Return the lock that a text is; `path` is how messages name it. LP003 when it is broken."""
        ...

    def settings(self, root: Path, environ: Mapping[str, str], home: Path) -> ManagerSettings:
        """Return the user's settings for a project. LP006 for one that cannot hold in a sandbox."""
        ...

    def inputs(self, source: DependencySource, globs: Sequence[str] = ()) -> Tree:
        """Return the files that an install needs, and what the globs name. LP003 without a lock, or for a bad path."""
        ...

    def scripts(
        self, source: DependencySource, inputs: Tree, architecture: Architecture, settings: ManagerSettings
    ) -> InstallScripts:
        """Return what an install for a CPU has to run."""
        ...

    def key_parts(self, source: DependencySource, inputs: Tree, settings: str) -> Mapping[str, bytes]:
        """Return what the project gives to the dependency key; `settings` are those without secrets."""
        ...

    def options(self, run: InstallRun, version: ManagerVersion) -> str:
        """Return the part of a run's command line that decides the result, for the dependency key."""
        ...

    def look(self, sandbox: Sandbox) -> ImageFacts:
        """Return what an image brings. Only reads in its sandbox; LP103 when it has no package manager."""
        ...

    def prepare(self, sandbox: Sandbox, inputs: Tree, settings: ManagerSettings, *, secrets: bool) -> PreparedSandbox:
        """Put inputs and settings in place; without `secrets` only settings that package scripts may see. LP103."""
        ...

    def fetch_commands(self, run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
        """Return the commands that unpack every package and run nothing of them, unless the run says `prepares`."""
        ...

    def find_prepared(self, source: DependencySource, tree: Tree) -> tuple[ScriptedPackage, ...]:
        """Return the packages of a fetched tree that git brought, and that their own script has to make first."""
        ...

    def find_scripts(self, source: DependencySource, tree: Tree) -> tuple[ScriptedPackage, ...]:
        """Return the packages of a fetched tree of which something has to run, as their own files say."""
        ...

    def script_inputs(self, tree: Tree, packages: Sequence[ScriptedPackage]) -> Tree:
        """Return a fetched tree as the commands that run its scripts want it, without a secret in any manifest."""
        ...

    def script_commands(self, run: InstallRun, prepared: PreparedSandbox) -> InstallCommands:
        """Return the commands that run the scripts of the packages, and then the project's own, and fetch nothing."""
        ...

    def secret_words(self, settings: ManagerSettings) -> tuple[str, ...]:
        """Return the tokens and passwords that must not be seen in a log line."""
        ...

    def running_script(self, lines: Sequence[str]) -> str:
        """Return which script was running when these lines were the last, in words; "" for none."""
        ...

    def failure(self, run: CompletedRun, source: DependencySource) -> LambdapackError | None:
        """Return the failure that a run stands for, None when all is well."""
        ...
