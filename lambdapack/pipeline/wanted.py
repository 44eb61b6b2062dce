"""What a build is asked for, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdapack.build.engine import Limits
from lambdapack.build.images import expand
from lambdapack.build.order import Images, Installed
from lambdapack.memory.store import Store
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.archive import Archive
from lambdapack.project.key import DependencyKey
from lambdapack.rules.facts import Facts, Policy
from lambdapack.rules.verdict import Judgement, Report
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class Wanted:
    """One build, for one or more targets."""

    directory: Path
    outputs: Mapping[Target, Path]  # in the order in which they are to be built
    policy: Policy
    image: str  # template of the bare runtime image; build/images.py expands it
    build_image: str  # template of the image with a toolchain
    handler: str
    environ: Mapping[str, str] = field(repr=False)
    cache: Path | None  # where measured runtimes are remembered; None: nowhere
    store: Store | None = None  # where facts of binaries are remembered; None: nowhere
    runtime: Runtime | None = None  # of a runtime file, which judges alone; None: shipped data and the image
    layer: bool = False
    layers: tuple[Path, ...] = ()  # of the function, in its order: judged with it, never packed
    install: bool = True  # False: pack the node_modules that lies there, made by whatever tool
    executable: tuple[str, ...] = ()
    install_inputs: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    scripts: str = "online"
    emulation: str = "auto"
    load: bool = False  # prove the package in the bare image before it is written
    prune: bool = True  # leave out binaries made for other systems
    keep: bool = False
    into: Path | None = None  # a directory for the package, its links resolved, in place of a zip; for one target
    gate: Severity = Severity.ERROR  # findings from here on: no archive

    def images(self, target: Target, architecture: Architecture) -> Images:
        """Return the references of a target's runtime for one CPU."""
        there = replace(target, architecture=architecture)
        return Images(bare=expand(self.image, there), build=expand(self.build_image, there))


@dataclass(frozen=True, slots=True)
class Built:
    """What came of one target. Neither archive nor directory: the report says why."""

    report: Report
    archive: Archive | None = None
    directory: Path | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    pruned: tuple[Judgement, ...] = ()  # binaries for other systems that do not ship


@dataclass(frozen=True, slots=True)
class Judged:
    """A package that waits for the other targets before it is written."""

    report: Report
    tree: Tree
    facts: Facts
    left_out: tuple[tuple[str, str], ...]
    pruned: tuple[Judgement, ...]
    installed: Installed
    key: DependencyKey | None
