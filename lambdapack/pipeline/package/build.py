"""Builds a project for its targets: preflight, install, verify; writes archives only when every target passes."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.errors.build import ENGINE_REFUSED, FROZEN, NO_EMULATOR, NO_IMAGE, WRONG_IMAGE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.request import InstallJob, InstallRequest, InstallResult, empty_result
from lambdapack.managers.interface import ManagerSettings, PackageManager
from lambdapack.managers.lock import DependencySource
from lambdapack.managers.registry import find_manager, read_dependency_source
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Finding, Target
from lambdapack.pack.cleanup import clean_tree
from lambdapack.pack.source import (
    GROWING_REASON,
    HOST_MODULES_REASON,
    ProjectSource,
    growing_files,
    read_ignore_rules,
    read_project_source,
)
from lambdapack.pipeline.open import OpenedLayer, open_layers, scan_trees, unzipped_bytes
from lambdapack.pipeline.package.dependencies import (
    ObtainedInstall,
    PlannedInstalls,
    freeze_engines,
    obtain_install,
    state_dependencies,
)
from lambdapack.pipeline.package.plan import BuildPlan, InstalledPlace, InstallInputs, PackageJob, plan_builds
from lambdapack.pipeline.package.ready_tree import ReadyTree, read_ready_tree
from lambdapack.pipeline.package.request import (
    LAYER_DIRECTORY,
    BoundedTree,
    BuildRequest,
    BuiltPackage,
    JudgedPackage,
    make_install_request,
)
from lambdapack.pipeline.package.shrink import find_prunable_files, strip_tree
from lambdapack.pipeline.package.write import check_output_paths, with_emptied_directories, write_packages
from lambdapack.pipeline.scratch import home_directory, scratch_directory
from lambdapack.pipeline.source import read_source_facts, source_findings
from lambdapack.pipeline.verify import add_declarations, binary_cache, module_cache, read_package_facts, restrict_facts
from lambdapack.project.function import Function, read_function
from lambdapack.project.repository import read_repository
from lambdapack.project.site import FunctionSite, read_site
from lambdapack.rules.check import apply_policy, check_lockfile, check_package, note_unproved
from lambdapack.rules.fixes import avoid_install_commands
from lambdapack.rules.function.lifecycle import lifecycle_findings
from lambdapack.rules.lockfile.ready_tree import check_ready_tree
from lambdapack.rules.model.package import CpuFlag, PackageFacts
from lambdapack.rules.model.report import PrunedFile, Report, Subject
from lambdapack.runtimes.runtime import Runtime, shipped_runtime
from lambdapack.tree.compose import DereferencedTree, OverlayTree, PrefixedTree, make_readable, prune_tree
from lambdapack.tree.entry import Tree

if TYPE_CHECKING:
    from lambdapack.pipeline.measure import Connect
    from lambdapack.pipeline.prove import ProofRequest

UNPROVED_FAILURES = (NO_IMAGE, WRONG_IMAGE, ENGINE_REFUSED, NO_EMULATOR, FROZEN)
"""Failures after which an unasked proof is left out: the package itself is there."""


def build_packages(request: BuildRequest, connect: "Connect", observer: Observer = SILENT) -> tuple[BuiltPackage, ...]:
    """Install, judge and zip for every target; no archive is written unless all of them pass the gate.

    Findings of lockfile, source and runtime that do not pass it end it before any engine is asked, all together.
    """
    project = _read_project(request)
    locked = {target: _lock_findings(request, project, target) for target in request.outputs}
    early = {
        target: _make_early_report(request, target, (*findings, *_early_findings(request, project, target)))
        for target, findings in locked.items()
    }
    if any(report.fails(request.gate) for report in early.values()):
        return tuple(BuiltPackage(report, PackageJob(project.function, target)) for target, report in early.items())
    check_output_paths(request)
    if request.system_packages and request.install:
        from lambdapack.pipeline.package.bundle import add_system_packages  # noqa: PLC0415  # few builds have some

        request = add_system_packages(request, connect, observer)
    with ExitStack() as stack:
        scratch = cache(lambda: stack.enter_context(scratch_directory()))  # for what is installed or measured
        layers = stack.enter_context(open_layers(request.layers))
        connect = cache(freeze_engines(connect) if request.reuse.frozen else connect)  # one engine for each CPU
        plan, requests = _plan_build(request, project, connect, observer)
        run = _BuildRun(request, project, requests, connect, scratch, stack, observer, layers)
        judged = [run.judge(job, locked[job.target]) for job in plan.packages]
        if any(package.report.fails(request.gate) for package in judged):
            return tuple(
                BuiltPackage(package.report, package.job, left_out=package.left_out, pruned=package.pruned)
                for package in judged
            )
        return write_packages(request, project.source, judged, observer)


@dataclass(frozen=True, slots=True)
class _Project:
    """What is read of a function and its repository before anything is installed."""

    function: Function
    manager: PackageManager
    source: DependencySource
    settings: ManagerSettings
    files: ProjectSource | None  # the function's own; None for a layer
    own: PackageFacts | None  # of those files
    site: FunctionSite


def _read_project(request: BuildRequest) -> _Project:
    repository = read_repository(request.directory, ready=not request.install)
    function = read_function(
        repository, request.directory, request.handler, tuple(request.outputs), request.layers, request.declared
    )
    manager = find_manager(repository)
    source = read_dependency_source(repository, function.importer)
    settings = manager.settings(repository.root, request.environ, home_directory(request.directory))
    if source.credential_urls:  # scripts can read package.json and the lockfile
        settings = replace(settings, has_credentials=True)
    files = None if request.layer else read_project_source(function.directory, executable=request.executable)
    own = read_source_facts(files, request.handler) if files else None
    site = read_site(repository, function.directory, request.handler)
    return _Project(function, manager, source, settings, files, own, site)


def _lock_findings(request: BuildRequest, project: _Project, target: Target) -> tuple[Finding, ...]:
    if not request.install:
        return apply_policy(check_ready_tree(project.source, project.site), request.policy)
    npm = (request.runtime or shipped_runtime(target)).npm
    findings = check_lockfile(project.source, target, npm, project.settings, request.handler, project.site)
    return apply_policy(findings, request.policy)


def _make_early_report(request: BuildRequest, target: Target, findings: tuple[Finding, ...]) -> Report:
    subject = Subject("layer" if request.layer else "directory", str(request.directory))
    return Report(request.runtime or shipped_runtime(target), subject, (), apply_policy(findings, request.policy))


def _early_findings(request: BuildRequest, project: _Project, target: Target) -> tuple[Finding, ...]:
    """Return what is known before the install, and is found again after it."""
    if not request.install:  # nothing to wait for
        return ()
    runtime, own, layered = request.runtime or shipped_runtime(target), project.own, bool(request.layers)
    of_source = source_findings(own, project.source, runtime, request.policy, layered=layered) if own else ()
    return (*lifecycle_findings(runtime, request.policy.today), *of_source)


def _plan_build(
    request: BuildRequest, project: _Project, connect: "Connect", observer: Observer
) -> tuple[BuildPlan, Mapping[InstalledPlace, InstallRequest]]:
    """Return the plan and what its installs need. Images are looked at, where they are not known; nothing is installed.

    Of the recipes of an install, those are left out whose image proves to be absent.
    """
    function = project.function
    if not request.install:
        return plan_builds((function,), {}, {}), {}
    tree = project.manager.inputs(project.source, request.install_inputs)
    policy = InstallInputs(project.manager, project.source, project.settings, tree, request.scripts)
    inputs = replace(policy, allow_writes=request.allow_writes)
    requests, images = {}, {}
    for target in function.targets:
        place, install = (function.importer, target), make_install_request(request, inputs, target)
        if not install.installs_nothing:
            from lambdapack.install.available import find_available_image  # noqa: PLC0415  # few builds install nothing
            from lambdapack.pipeline.measure import ImageFactsFiles  # noqa: PLC0415

            known = ImageFactsFiles(request.cache, project.manager.name)
            recipes, images[place] = find_available_image(install, connect(target.architecture), known, observer)
            install = replace(install, recipes=recipes)
        requests[place] = install
    plan = plan_builds((function,), {function.importer: inputs}, images)
    if request.store:
        state_dependencies(PlannedInstalls(plan, requests, inputs, images), request.store, request.reuse, observer)
    return plan, requests


@dataclass(frozen=True, slots=True)
class _BuildRun:
    """What every target of one build shares."""

    request: BuildRequest
    project: _Project
    requests: Mapping[InstalledPlace, InstallRequest]
    connect: "Connect"
    scratch: Callable[[], Path]
    stack: ExitStack
    observer: Observer
    layers: tuple[OpenedLayer, ...]
    installed: dict[str, ObtainedInstall] = field(default_factory=dict)  # by the key of their job

    def judge(self, job: PackageJob, locked: tuple[Finding, ...]) -> JudgedPackage:
        """Install for a job and judge what would be packed."""
        request, target = self.request, job.target
        installed, ready = self._obtain_dependencies(job)
        source = self._select_source(self.project.files, installed, ready) if self.project.files else None
        made = self._bound_made_files(installed, source)
        tree = self._package(source, made.tree)
        own_files = frozenset(source.tree.entries) if source else frozenset()
        facts = replace(self._read_facts(tree, target), own_files=own_files, kept_sources=made.kept)
        facts = self._add_log_facts(facts, installed)
        runtime = request.runtime or shipped_runtime(target)
        if any(package.inventory.binaries for package in (facts, *facts.layers)):
            runtime = self._tighten(runtime, job)
        report = self._check(tree, facts, runtime)
        tree, facts, report = (
            self._bundle_libraries(tree, facts, report) if report.judgements else (tree, facts, report)
        )
        pruned = self._prunable_files(report, tree)
        pruned += find_prunable_files(tree, request.prune_kinds, facts.modules, runtime) if request.prune_kinds else ()
        if pruned:
            tree = prune_tree(tree, with_emptied_directories(tree, {file.path for file in pruned}))
            facts = restrict_facts(facts, tree)
            report = self._check(tree, facts, runtime)
        report = replace(report, findings=apply_policy((*locked, *self._advise(job, report)), request.policy))
        report = self._prove(report, tree, facts.handler, installed)
        left_out = (*(source.excluded if source else ()), *made.excluded)
        stored = self.installed[job.install.key.digest].stored if job.install else None
        return JudgedPackage(report, job, tree, facts, left_out, pruned, installed, stored)

    @staticmethod
    def _advise(job: PackageJob, report: Report) -> tuple[Finding, ...]:
        findings = report.findings
        return avoid_install_commands(findings, report.runtime) if job.install and findings else findings

    def _bound_made_files(self, installed: InstallResult, source: ProjectSource | None) -> BoundedTree:
        """Return the dependencies without leftovers, and without what scripts wrote against the source's rules."""
        cleaned = clean_tree(installed.tree).tree if installed.tree.entries else installed.tree
        if not installed.authors:
            return BoundedTree(cleaned)
        from lambdapack.pipeline.package.made import bound_tree  # noqa: PLC0415  # only where scripts ran

        ignore = read_ignore_rules(self.project.function.directory)
        return bound_tree(cleaned, installed.authors, installed.owned, source.tree if source else None, ignore)

    def _bundle_libraries(self, tree: Tree, facts: PackageFacts, report: Report) -> tuple[Tree, PackageFacts, Report]:
        """Return the package with the libraries that its binaries need and the runtime lacks, judged again."""
        from lambdapack.pipeline.package.bundle import bundle_missing  # noqa: PLC0415  # only for native files

        bundle = bundle_missing(report, self.request, self.connect, self.scratch, self.observer)
        if bundle is None:
            return tree, facts, report
        self.stack.callback(bundle.close)
        tree, old = OverlayTree(tree, bundle.tree), facts
        facts = replace(
            self._read_facts(tree, report.runtime.target), own_files=old.own_files, bundled=bundle.libraries
        )
        facts = replace(facts, kept_sources=old.kept_sources, cpu_flags=old.cpu_flags, scripts_run=old.scripts_run)
        return tree, facts, self._check(tree, facts, report.runtime)

    def _prunable_files(self, report: Report, tree: Tree) -> tuple[PrunedFile, ...]:
        """Return the files that nobody would load and that are the function's own, no layer's."""
        if not self.request.prune or not (report.judgements or report.fallbacks):
            return ()
        from lambdapack.rules.selection.prune import prunable_files  # noqa: PLC0415  # only a build with binaries waits

        return tuple(file for file in prunable_files(report) if file.path in tree.entries)

    def _tighten(self, runtime: Runtime, job: PackageJob) -> Runtime:
        """Return the runtime as its own image has it, where an engine is there anyway and no runtime file is given."""
        request, target = self.request, job.target
        if job.install is None or request.runtime is not None:
            return runtime
        engine = self.connect(target.architecture)
        if not engine.kind.has_images:
            return runtime
        from lambdapack.pipeline.measure import tighten_by_image  # noqa: PLC0415  # only native files ask for it

        bare = request.images(target, target.architecture).bare
        return tighten_by_image(engine, bare, runtime, self.scratch(), request.cache, self.observer)

    def _add_log_facts(self, facts: PackageFacts, installed: InstallResult) -> PackageFacts:
        """Return the facts with what the install's log shows: whose scripts ran, and for which CPUs they compiled."""
        flags = (CpuFlag(self._owner(flag.package), flag.flag, flag.everywhere) for flag in installed.compiler_flags)
        return replace(facts, cpu_flags=tuple(flags), scripts_run=frozenset(installed.scripts_run))

    def _owner(self, package: str) -> str:
        """The project's own scripts run under its name, and what they compile is no package's."""
        return "" if package == self.project.function.name else package

    def _package(self, source: ProjectSource | None, dependencies: Tree) -> Tree:
        """Return what ships. A directory's links are resolved before it is judged: copies count against the limits."""
        tree: Tree = OverlayTree(source.tree, dependencies) if source else PrefixedTree(dependencies, LAYER_DIRECTORY)
        tree = DereferencedTree(tree, LAYER_ROOT if self.request.layer else TASK_ROOT) if self.request.into else tree
        return strip_tree(tree, self.observer) if self.request.strip else tree

    def _read_facts(self, tree: Tree, target: Target) -> PackageFacts:
        request, layers = self.request, [opened_layer.tree for opened_layer in self.layers]
        with binary_cache(request.store, "build", self.project.function.directory, target) as known:
            inventories = scan_trees((tree, *layers), self.observer, known)
        facts = read_package_facts(tree, inventories, layer=request.layer, handler=request.handler, layers=layers)
        facts = add_declarations(facts, request.declared)
        if self.project.files:
            facts = replace(facts, left_out=frozenset(path for path, _ in self.project.files.excluded))
        secrets = self.project.own.secrets if self.project.own else ()
        return replace(facts, secrets=tuple(secret for secret in secrets if secret.path in tree.entries))

    def _prove(self, report: Report, tree: Tree, handler: str | None, installed: InstallResult) -> Report:
        """Return the report with what loading adds; unasked, only where a container ran and nothing is emulated."""
        request = self.request
        if request.load == "never" or (request.load == "auto" and report.fails(request.gate)):
            return report
        if request.load == "always":
            return self._run_proof(report, self._proof(report, tree, handler))
        architecture, reason, fix = report.runtime.target.architecture, "", ""
        if installed.image is None:
            reason = "no container was started, so its import is not proved"
        elif not self.connect(architecture).kind.has_images:
            reason = "the local engine has no runtime image, so its import is not proved"
            fix = "Prove it where a container engine runs: `lambdapack verify --load ZIP`."
        elif self.connect(architecture).architecture is not architecture:
            reason = f"its import would be emulated here, so it is not proved on {architecture}"
        if reason:
            return note_unproved(report, reason, request.policy, fix)
        proof = self._proof(report, tree, handler)
        key = installed.job.key.digest if installed.job else ""
        try:
            proof = replace(proof, store=request.store, install=key)
            return self._run_proof(report, proof)
        except LambdapackError as error:
            if error.failure not in UNPROVED_FAILURES:
                raise
            return note_unproved(report, f"its import is not proved: {error.detail.splitlines()[0]}", request.policy)

    def _run_proof(self, report: Report, proof: "ProofRequest") -> Report:
        from lambdapack.pipeline.prove import prove_package  # noqa: PLC0415  # only a build that ran a container waits

        return prove_package(report, proof, self.request.policy, self.observer)

    def _proof(self, report: Report, tree: Tree, handler: str | None) -> "ProofRequest":
        from lambdapack.pipeline.prove import ProofRequest  # noqa: PLC0415  # as above

        target, layers = report.runtime.target, [opened_layer.tree for opened_layer in self.layers]
        declared = {name: value for name, value in self.project.function.environment.items() if value is not None}
        return ProofRequest(
            engine=self.connect(target.architecture),
            image=self.request.images(target, target.architecture).bare,
            code=make_readable(tree),
            handler=handler,
            layers=layers,
            variables={**declared, **self.request.variables},
        )

    def _check(self, tree: Tree, facts: PackageFacts, runtime: Runtime) -> Report:
        request, kind = self.request, "layer" if self.request.layer else "zip"
        subject = Subject(kind, str(request.directory), unzipped_bytes=unzipped_bytes(tree))
        subject = replace(subject, layers=tuple(opened_layer.summary for opened_layer in self.layers))
        with module_cache(request.store, "build", self.project.function.directory, runtime.target) as modules:
            if facts.modules is not None:
                facts.modules.cache = modules
            return check_package(subject, facts, runtime, request.policy)

    def _select_source(self, source: ProjectSource, installed: InstallResult, ready: ReadyTree | None) -> ProjectSource:
        """Return the function's own files without what the install made anew."""
        excluded = source.excluded
        if ready is not None:
            others = ((path, reason) for path, reason in excluded if reason != HOST_MODULES_REASON)
            excluded = tuple(sorted((*others, *ready.excluded)))
        growing = growing_files(self.project.function.directory, source.tree)  # the install took its time
        excluded += tuple((path, GROWING_REASON) for path in sorted(growing))
        return replace(source, tree=prune_tree(source.tree, {*installed.owned, *growing}), excluded=excluded)

    def _obtain_dependencies(self, job: PackageJob) -> tuple[InstallResult, ReadyTree | None]:
        """Install for a job, or read what lies in the project."""
        if job.install is not None:
            return self._install(job.install).result, None
        layers = [opened_layer.tree for opened_layer in self.layers]
        ready = read_ready_tree(job.function, layer=self.request.layer, layers=layers)
        return InstallResult(ready.tree, ready.modules), ready

    def _install(self, job: InstallJob) -> ObtainedInstall:
        """Return the result of a job, which runs once however many packages need it, into a spool file of its own."""
        digest = job.key.digest
        if digest not in self.installed:
            install = replace(self.requests[job.importer, job.target], job=job)
            nothing = install.installs_nothing
            obtained = ObtainedInstall(empty_result(install)) if nothing else self._obtain(install)
            self.stack.callback(obtained.result.close if nothing else obtained.close)
            self.installed[digest] = obtained
        return self.installed[digest]

    def _obtain(self, install: InstallRequest) -> ObtainedInstall:
        digest = install.job.key.digest if install.job else ""
        spool = self.scratch() / f"{digest.rpartition(':')[2]}.tar"
        engine = self.connect(install.target.architecture)
        return obtain_install(install, engine, spool, self.request.reuse, self.observer)
