"""What is asked of an install, and what it gives. Nouns only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdapack.build.compile_lines import Tuned
from lambdapack.build.engine import Image, Limits
from lambdapack.build.strategy import Strategy, Work
from lambdapack.model import Architecture, Target
from lambdapack.project.nouns import Project
from lambdapack.project.npmrc import NpmSettings
from lambdapack.tree.entry import Tree
from lambdapack.tree.spool import SpoolTree

CACHE_VOLUME = "lambdapack-npm"
"""Named volume that keeps npm's cache between builds. Only USER writes there; what npm reads it checks by integrity."""


@dataclass(frozen=True, slots=True)
class Images:
    """References of one architecture."""

    bare: str  # the runtime's own image
    build: str  # with a toolchain


@dataclass(frozen=True, slots=True)
class Order:
    """One install."""

    project: Project
    target: Target
    inputs: Tree  # what is put at /var/task: manifest without prepare, lockfile, file: targets, patches ...
    work: Work
    images: Mapping[Architecture, Images]
    settings: NpmSettings = field(default_factory=NpmSettings)
    limits: Limits = field(default_factory=Limits)
    scripts: str = "online"  # "offline": install scripts run without a network too, never beside credentials anyway
    emulation: str = "auto"  # "full": everything in the target's own image
    keep: bool = False  # leave the container for a look after the end
    cache: str = CACHE_VOLUME


@dataclass(frozen=True, slots=True)
class Installed:
    """The dependency tree and how it came to be. The tree can be read until `close`."""

    tree: Tree  # what the install made, as it lies below /var/task
    owned: tuple[str, ...]  # directories of which the source must ship nothing: the install made them anew
    image: Image | None = None  # None: nothing to install, no container was started
    strategy: Strategy | None = None
    node: str = ""
    npm: str = ""
    tuned: tuple[Tuned, ...] = ()  # for which CPUs the packages' compilers were told to compile
    absent: tuple[str, ...] = ()  # optional packages for this target that npm dropped
    log: tuple[str, ...] = ()  # npm's last lines
    key_inputs: tuple[tuple[str, str], ...] = ()  # what of the install belongs into the dependency key
    spool: SpoolTree | None = None  # what the tree reads from

    def close(self) -> None:
        """Let go of the spool file, so that it can be removed on Windows too."""
        if self.spool is not None:
            self.spool.close()
