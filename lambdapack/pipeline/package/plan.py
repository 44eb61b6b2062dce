"""Plans a build: the installs it needs, each named by its dependency key, and the packages made of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdapack.install.request import DependencyKey, InstallJob, dependency_key
from lambdapack.install.writers import AllowedWrite
from lambdapack.managers.interface import ImageFacts, InstallRun, InstallScripts, ManagerSettings, PackageManager
from lambdapack.managers.layout import sandbox_layout
from lambdapack.managers.lock import DependencySource
from lambdapack.model import Architecture, Target
from lambdapack.project.function import Function
from lambdapack.tree.entry import Tree


@dataclass(frozen=True, slots=True)
class InstallInputs:
    """What a package.json and its repository give to installs, read once for all targets."""

    manager: PackageManager
    source: DependencySource
    settings: ManagerSettings
    tree: Tree  # files that the install is given
    script_policy: str = "online"
    allow_writes: tuple[AllowedWrite, ...] = ()

    def scripts(self, architecture: Architecture) -> InstallScripts:
        """Return what an install for a CPU has to run, as far as the lock tells."""
        return self.manager.scripts(self.source, self.tree, architecture, self.settings)


@dataclass(frozen=True, slots=True)
class PackageJob:
    """One package to make: a function for a target."""

    function: Function
    target: Target
    install: InstallJob | None = None  # None: the node_modules that lies in the project is packed as it is


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """Everything that a build has to do."""

    installs: tuple[InstallJob, ...]  # each key once
    packages: tuple[PackageJob, ...]


InstalledPlace = tuple[str, Target]
"""An importer and a target: where one install belongs."""


def plan_builds(
    functions: Sequence[Function],
    inputs: Mapping[str, InstallInputs],
    images: Mapping[InstalledPlace, ImageFacts],
) -> BuildPlan:
    """Return the plan for all targets of all functions; functions that install the same share one job.

    `inputs` is by importer; a function whose importer has none is packed with the node_modules that lies there. Where
    `images` has no facts nothing is installed: no image can change that.
    """
    packages = tuple(
        PackageJob(function, target, _plan_install(function, target, inputs, images))
        for function in functions
        for target in function.targets
    )
    installs = {package.install.key.digest: package.install for package in packages if package.install}
    return BuildPlan(tuple(installs.values()), packages)


def _plan_install(
    function: Function,
    target: Target,
    inputs: Mapping[str, InstallInputs],
    images: Mapping[InstalledPlace, ImageFacts],
) -> InstallJob | None:
    importer = function.importer
    if importer not in inputs:
        return None
    return InstallJob(make_key(inputs[importer], target, images.get((importer, target))), target, importer)


def make_key(inputs: InstallInputs, target: Target, facts: ImageFacts | None) -> DependencyKey:
    """Return the dependency key of an install, from what is known before any container runs.

    Not in it: the strategy, which is chosen later and recorded with the result, and whatever only the fetched tree
    tells. verify compares the parts that the project gives by their names (pipeline/origin.py).
    """
    return dependency_key(key_contents(inputs, target, facts))


def key_contents(inputs: InstallInputs, target: Target, facts: ImageFacts | None) -> Mapping[str, bytes]:
    """Return the parts of the dependency key of an install, none of which is secret."""
    manager, settings = inputs.manager, inputs.settings
    parts = {"target": str(target), "scripts": inputs.script_policy, **settings.compiler_flags}
    if inputs.allow_writes:
        written = sorted((write.package, write.pattern) for write in inputs.allow_writes)
        parts["allow-writes"] = "\n".join(f"{package}:{pattern}" for package, pattern in written)
    if facts is not None:
        run = InstallRun(target.architecture, omitted=settings.omitted, layout=sandbox_layout(inputs.source))
        flags = manager.options(run, facts.manager_version)
        parts |= {"image": facts.digest, "node": facts.node, manager.name: facts.manager, "flags": flags}
    project = manager.key_parts(inputs.source, inputs.tree, settings.without_secrets)
    return {**project, **{name: value.encode() for name, value in parts.items()}}
