"""What an install is asked for and what it gives, down to an install of nothing. Starts nothing."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.engine.interface import CacheVolume, EngineKind, Image, Limits
from lambdapack.install.compile_lines import CompilerFlag
from lambdapack.install.recipe import Recipe
from lambdapack.install.writers import AllowedWrite
from lambdapack.managers.interface import ImageFacts, InstallScripts, ManagerSettings, PackageManager
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource
from lambdapack.model import NODE_MODULES, Architecture, Target
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

CACHE_VOLUME = "lambdapack-npm"
"""Named volume that keeps all projects' downloads between builds. Only what runs nothing of a package writes there.

npm checks the integrity of what it takes from there, where the lock has one.
"""

AUTOMATIC = "auto"
"""The strategy of a request that leaves the choice to STRATEGIES."""

PROJECT_MARK_DIGITS = 12
"""Hexadecimal digits of a digest, so that no two projects of a machine meet."""


@dataclass(frozen=True, slots=True)
class ImageReferences:
    """References of one architecture."""

    bare: str  # the runtime's own image
    build: str  # with a toolchain


@dataclass(frozen=True, slots=True)
class DependencyKey:
    """The key and what it is made of, so that two of them can be compared part by part."""

    digest: str  # "sha256:..."
    parts: Mapping[str, str]  # name -> "sha256:..." of that part


@dataclass(frozen=True, slots=True)
class InstallJob:
    """One install, named before it runs. Functions that share it are served by one result."""

    key: DependencyKey
    target: Target
    importer: str  # directory of the package.json below the repository's root; "." the root


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """Everything that an install needs."""

    manager: PackageManager
    source: DependencySource
    target: Target
    inputs: Tree  # what is put at /var/task: manifest without prepare, lockfile, file: targets, patches ...
    scripts: InstallScripts  # what has to run
    images: Callable[[Architecture], ImageReferences]  # of one architecture
    settings: ManagerSettings = field(default_factory=ManagerSettings)
    limits: Limits = field(default_factory=Limits)
    script_policy: str = "online"  # "offline": scripts run without a network, and never beside credentials anyway
    allow_writes: tuple[AllowedWrite, ...] = ()  # what scripts may make outside their own package
    strategy: str = AUTOMATIC  # the name of the only strategy that is tried, on an engine of another CPU
    tools: Path | None = None  # directory of what recipes ask to be fetched; None: nothing is fetched
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # the host's, for fetching that
    keep: bool = False  # leave the container for a look after the end
    cache: str = CACHE_VOLUME
    job: InstallJob | None = None  # what its result is filed under
    recipes: tuple[Recipe, ...] = ()  # to be tried in this order; none: what STRATEGIES give

    @property
    def installs_nothing(self) -> bool:
        """True when no package and no script of the project is there for it: no container is needed."""
        return not self.scripts.root and not (self.source.lock and self.source.lock.production)

    def project_volumes(self, volumes: tuple[CacheVolume, ...]) -> tuple[CacheVolume, ...]:
        """Return volumes of this project alone in place of shared ones: what scripts write, no other project reads."""
        root = str(self.source.repository.root.resolve())
        mark = hashlib.sha256(root.encode("utf-8", "surrogateescape")).hexdigest()[:PROJECT_MARK_DIGITS]
        return tuple(CacheVolume(f"{volume.name}-{mark}", volume.directory) for volume in volumes)

    def image(self, architecture: Architecture) -> str:
        """Return the reference of the image for a CPU: with a toolchain where anything runs, else the bare one."""
        references = self.images(architecture)
        return references.bare if self.scripts.nothing else references.build


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The dependency tree and how it came to be. The tree can be read until `close`."""

    tree: Tree  # what the install made, as it lies below /var/task
    owned: tuple[str, ...]  # directories of which the source must ship nothing: the install made them anew
    job: InstallJob | None = None  # None: nobody asked for it by a key, or it was made by another tool
    engine: EngineKind | None = None  # that ran it; None: none did
    image: Image | None = None  # None: nothing to install, no container was started
    compiler: str = ""  # what compiled, where scripts ran and that was not the image's own
    recipe: Recipe | None = None  # that was followed in the end
    facts: ImageFacts | None = None  # of the image
    scripts_run: tuple[str, ...] = ()  # npm names of the packages whose install scripts the log shows as run
    compiler_flags: tuple[CompilerFlag, ...] = ()  # for which CPUs the packages' compilers were told to compile
    authors: Mapping[str, str] = field(default_factory=dict)  # path of each file that no tarball brought: whose script
    absent: tuple[str, ...] = ()  # optional packages for this target that were left out
    log: tuple[str, ...] = ()  # the package manager's last lines
    spool: SpoolTree | None = None  # what the tree reads from

    def close(self) -> None:
        """Let go of the spool file, so that it can be removed on Windows too."""
        if self.spool is not None:
            self.spool.close()


def empty_result(request: InstallRequest) -> InstallResult:
    """Return the result of an install that has nothing to install: no container is started for it."""
    return InstallResult(MemoryTree({}), owned_directories(request.source), request.job)


def owned_directories(source: DependencySource) -> tuple[str, ...]:
    """Return node_modules and the targets of `file:` links inside the project, which are built in place."""
    lock = source.lock
    if lock is None or sandbox_layout(source).is_moved:
        return (NODE_MODULES,)
    targets = [package.local for package in lock.production if package.link]
    return tuple(dict.fromkeys([NODE_MODULES, *sorted(path for path in targets if path and not path.startswith(".."))]))


def dependency_key(parts: Mapping[str, bytes]) -> DependencyKey:
    """Return the key over named parts. The order does not count; names and lengths do."""
    digests = {name: _digest(parts[name]) for name in sorted(parts)}
    whole = json.dumps(digests, sort_keys=True, ensure_ascii=True).encode()
    return DependencyKey(_digest(whole), digests)


def differing_parts(parts: Mapping[str, bytes], remembered: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of parts whose content is not what a key remembers, or that it does not know, in order."""
    return tuple(name for name in sorted(parts) if remembered.get(name) != _digest(parts[name]))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
