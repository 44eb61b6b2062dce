"""The request for a build and its result: a package before and after it is written. Data, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lambdapack.engine.images import expand_image_name
from lambdapack.engine.interface import Limits
from lambdapack.install.request import ImageReferences, InstallRequest, InstallResult
from lambdapack.install.writers import AllowedWrite
from lambdapack.model import Architecture, Severity, Target
from lambdapack.pack.zip import Archive
from lambdapack.pipeline.package.dependencies import ReusePolicy
from lambdapack.pipeline.package.plan import InstallInputs, PackageJob
from lambdapack.project.declarations import TemplateDeclarations
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import PrunedFile, Report
from lambdapack.runtimes.runtime import Runtime
from lambdapack.store.records import Store
from lambdapack.store.trees import StoredInstall
from lambdapack.tree.entry import Tree

LAYER_DIRECTORY = "nodejs"
"""Where a layer's node_modules is looked for: /opt/nodejs/node_modules (AWS developer guide, "Packaging layers")."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build, for one or more targets."""

    directory: Path
    outputs: Mapping[Target, Path]  # in the order in which they are to be built
    policy: Policy
    image: str  # template of the bare runtime image; engine/images.py expands it
    build_image: str  # template of the image with a toolchain
    handler: str
    environ: Mapping[str, str] = field(repr=False)
    cache: Path | None  # where measured runtimes are remembered; None: nowhere
    store: Store | None = None  # where facts of binaries are remembered; None: nowhere
    runtime: Runtime | None = None  # of a runtime file, which judges alone; None: shipped data and the image
    declared: TemplateDeclarations = field(default_factory=TemplateDeclarations)  # of the function, by its template
    layer: bool = False
    layers: tuple[Path, ...] = ()  # of the function, in its order: judged with it, never packed
    install: bool = True  # False: pack the node_modules that lies there, made by whatever tool
    executable: tuple[str, ...] = ()
    install_inputs: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()  # of the image's system, for installs
    system_images: Mapping[Architecture, str] = field(default_factory=dict)  # with those packages, by CPU
    bundle: str | tuple[str, ...] = "off"  # libraries that the package takes along: "auto", "off", or SONAMEs
    limits: Limits = field(default_factory=Limits)
    scripts: str = "online"
    allow_writes: tuple[AllowedWrite, ...] = ()  # what package scripts may make outside their own directory
    strategy: str = "auto"  # the name of the only strategy that is tried, on an engine of another CPU
    tools: Path | None = None  # where what is fetched for a build is kept; None: nothing is fetched
    load: str = "auto"  # whether the package is proved in the bare image before it is written: "always", "never"
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # the function's own, for that proof
    provenance: bool = False  # write a statement of what the zip is made from beside it
    prune: bool = True  # leave out binaries made for other systems
    prune_kinds: tuple[str, ...] = ()  # of pack.pruning.PRUNE_KINDS: files of packages that no runtime needs
    strip: bool = False  # leave out debug symbols
    max_size: int | None = None  # bytes of the zip; larger ones are an error
    sbom: Path | None = None  # where a bill of materials is written
    keep: bool = False
    reuse: ReusePolicy = field(default_factory=ReusePolicy)  # of earlier builds' dependencies
    into: Path | None = None  # a directory for the package, its links resolved, in place of a zip; for one target
    gate: Severity = Severity.ERROR  # findings from here on: no archive

    def images(self, target: Target, architecture: Architecture) -> ImageReferences:
        """Return the references of a target's runtime for one CPU."""
        there = replace(target, architecture=architecture)
        return ImageReferences(
            bare=expand_image_name(self.image, there),
            build=self.system_images.get(architecture) or expand_image_name(self.build_image, there),
        )


@dataclass(frozen=True, slots=True)
class BoundedTree:
    """A dependency tree that can be laid over a source."""

    tree: Tree
    excluded: tuple[tuple[str, str], ...] = ()  # made by scripts, and not to ship
    kept: tuple[tuple[str, str], ...] = ()  # files of the source that a script wrote anew, and whose script


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """What came of one target. Neither archive nor directory: the report says why."""

    report: Report
    job: PackageJob
    archive: Archive | None = None
    directory: Path | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    pruned: tuple[PrunedFile, ...] = ()  # files for other systems that do not ship


@dataclass(frozen=True, slots=True)
class JudgedPackage:
    """A package that waits for the other targets before it is written."""

    report: Report
    job: PackageJob
    tree: Tree
    facts: PackageFacts
    left_out: tuple[tuple[str, str], ...]
    pruned: tuple[PrunedFile, ...]
    install: InstallResult
    stored: StoredInstall | None = None  # its dependencies, compressed


def make_install_request(request: BuildRequest, inputs: InstallInputs, target: Target) -> InstallRequest:
    """Return the request for the install of a build's inputs for one target."""
    return InstallRequest(
        manager=inputs.manager,
        source=inputs.source,
        target=target,
        inputs=inputs.tree,
        scripts=inputs.scripts(target.architecture),
        images=partial(request.images, target),
        settings=inputs.settings,
        limits=request.limits,
        script_policy=request.scripts,
        allow_writes=request.allow_writes,
        strategy=request.strategy,
        tools=request.tools,
        environ=request.environ,
        keep=request.keep,
        cache=f"lambdapack-{inputs.manager.name}",
    )
