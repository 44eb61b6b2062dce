"""The input of the checks: the case of a package, the case of a lockfile, and how strict to be."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from lambdapack.model import DEFAULT_HANDLER, LAYER_ROOT, Architecture, Finding, Rule, Severity, is_in_node_modules

if TYPE_CHECKING:  # who only sets a policy, or checks a package without native files, does not wait for these
    from lambdapack.managers.interface import ManagerSettings
    from lambdapack.managers.lock import DependencySource
    from lambdapack.packages.modules import ResolvedModules
    from lambdapack.project.site import FunctionSite
    from lambdapack.rules.model.file_system import LambdaFileSystem
    from lambdapack.rules.model.installed import InstalledPackages
    from lambdapack.rules.model.package import PackageFacts
    from lambdapack.rules.model.report import BinaryJudgements, Subject
    from lambdapack.rules.selection.reach import Reach
    from lambdapack.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class IgnoredFinding:
    """A finding that the user suppresses, with the reason."""

    code: str
    reason: str
    path: str = "*"  # glob over the finding's path


@dataclass(frozen=True, slots=True)
class Policy:
    """How strict a check is, and on which day."""

    today: date
    handler_required: bool = False  # True for `build`; a bare directory or a layer gets a note
    handler_severity: Severity = Severity.NOTE  # where it is not required: WARNING for a zip, which is a whole function
    all_binaries: bool = False  # count the files that no loader would pick, too
    severities: Mapping[str, Severity] = field(default_factory=dict)  # by code or name
    ignores: tuple[IgnoredFinding, ...] = ()
    provided: Mapping[str, str] = field(default_factory=dict)  # npm names that something unseen brings, with the reason

    @property
    def may_be_no_function(self) -> bool:
        """Whether what is wrong with the handler is only a note: the package may be none of a function."""
        return not self.handler_required and self.handler_severity is Severity.NOTE


@dataclass(frozen=True)  # without slots, for the cached properties
class Case:
    """A package that is checked against one runtime. Derived values are made once, by the first check that asks."""

    subject: "Subject"
    facts: "PackageFacts"
    runtime: "Runtime"
    policy: Policy

    @cached_property
    def file_system(self) -> "LambdaFileSystem":
        """The files of function and layers at their paths in Lambda."""
        from lambdapack.rules.model.file_system import merge_layers  # noqa: PLC0415

        return merge_layers(self.facts)

    @cached_property
    def installed(self) -> "InstalledPackages":
        """Node's search for packages in those files."""
        from lambdapack.rules.model.installed import InstalledPackages  # noqa: PLC0415

        return InstalledPackages(self.file_system, self.runtime)

    @cached_property
    def modules(self) -> "ResolvedModules | None":
        """What the function loads, file by file; None where nothing begins. Read when asked for: trees must be open."""
        if self.facts.modules is None or not self.facts.modules.begins:
            return None
        from lambdapack.packages.node import runtime_node  # noqa: PLC0415

        return self.facts.modules.resolve(
            runtime_node(self.runtime, self.facts.modules.environment), self.runtime.target.architecture.node
        )

    @cached_property
    def reach(self) -> "Reach":
        """Which copy of a package is loaded, and which packages nothing reaches."""
        from lambdapack.rules.selection.reach import find_reach  # noqa: PLC0415

        return find_reach(self.file_system, self.installed, self.runtime)

    @cached_property
    def binaries(self) -> "BinaryJudgements":
        """The judgement of every native file, and the packages that lack one."""
        from lambdapack.rules.model.report import BinaryJudgements  # noqa: PLC0415

        if not self.file_system.binaries and not self.has_packages():
            return BinaryJudgements()
        from lambdapack.rules.binary.judgements import judge_binaries  # noqa: PLC0415

        return judge_binaries(self.facts, self.file_system, self.installed, self.reach.dead, self.runtime)

    def has_layers(self) -> bool:
        """Whether there are layers, or the package is one."""
        return self.facts.root == LAYER_ROOT or bool(self.facts.layers)

    def has_kept_sources(self) -> bool:
        """Tell whether a script wrote where the function has a file of its own."""
        return bool(self.facts.kept_sources)

    def has_native_parts(self) -> bool:
        """Whether there is a native file, a script that the kernel may refuse, or a package that may lack one."""
        return bool(self.file_system.binaries or self.facts.script_programs) or self.has_packages()

    def has_links(self) -> bool:
        """Whether there are layers, or symlinks, which may lead into one."""
        return self.has_layers() or bool(self.file_system.links)

    def has_libraries(self) -> bool:
        """Whether there is a native file, or a link, which may lead to one."""
        return bool(self.file_system.binaries or self.file_system.links)

    def has_bundled_libraries(self) -> bool:
        """Whether the build took system libraries along."""
        return bool(self.facts.bundled)

    def has_versions(self) -> bool:
        """Whether there are packages, or a project that the zip was built from."""
        return self.facts.origin is not None or self.has_packages()

    def has_packages(self) -> bool:
        """Whether a package is installed, or asked for: it may lack a native file."""
        manifests = self.file_system.manifests.values()
        return any(
            is_in_node_modules(manifest.directory) or manifest.dependencies or manifest.optional_dependencies
            for manifest in manifests
        )

    @cached_property
    def dev_packages(self) -> frozenset[str]:
        """Absolute directories of the packages that only development needs."""
        from lambdapack.rules.package.dependencies import find_dev_packages  # noqa: PLC0415

        return find_dev_packages(self.facts, self.file_system, self.installed)


@dataclass(frozen=True, slots=True)
class LockCase:
    """A project that is checked before its dependencies are installed."""

    project: "DependencySource"
    architecture: Architecture
    npm_version: str | None  # of the image; None: not known yet, so what depends on it is left out
    settings: "ManagerSettings"
    handler: str = DEFAULT_HANDLER
    site: "FunctionSite | None" = None  # what lies around the function; None: nobody looked
    runtime: str = ""  # id of the Lambda runtime; "" where advice names none

    def has_dependencies(self) -> bool:
        """Whether the lockfile or package.json has anything that would be installed."""
        from lambdapack.managers.lock import EdgeType  # noqa: PLC0415  # a case of a package has no lockfile

        packages = self.project.lock.packages.values() if self.project.lock else ()
        if self.site is not None and self.site.handler_package is not None:
            return True
        asked = any(self.project.manifest.document.get(edge_type.value) for edge_type in EdgeType)
        return asked or any(package.path or package.has_dependencies for package in packages)

    def has_unused_settings(self) -> bool:
        """Whether the package manager's settings have something that does not reach the container."""
        return bool(self.settings.refused or self.settings.dropped)


CaseT = TypeVar("CaseT")


@dataclass(frozen=True, slots=True)
class Check(Generic[CaseT]):
    """One function of the registry, and every rule that its findings may have."""

    rules: tuple[Rule, ...]
    run: Callable[[CaseT], Iterable[Finding]]
    needs: Callable[[CaseT], bool] | None = None  # what a case must have for a finding; None: anything may have one

    def findings(self, case: CaseT) -> Iterable[Finding]:
        """Return the findings; a check is not entered where its input is empty."""
        return self.run(case) if self.needs is None or self.needs(case) else ()
