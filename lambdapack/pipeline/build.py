"""Builds a project for its targets: preflight, install, verify; writes archives only when every target passes."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.engine.interface import Engine
from lambdapack.events import SILENT, Observer
from lambdapack.install.install import install_dependencies
from lambdapack.install.key import DependencyKey, dependency_key, project_parts
from lambdapack.install.request import InstallRequest, InstallResult
from lambdapack.install.strategy import find_install_scripts
from lambdapack.managers.npm.inputs import install_inputs
from lambdapack.managers.npm.npmrc import NpmSettings, translate_npm_settings
from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, Architecture, Finding, Target
from lambdapack.pack.cleanup import clean_tree, prune_tree
from lambdapack.pack.source import ProjectSource, read_project_source
from lambdapack.pipeline.measure import Connect, tighten_by_image
from lambdapack.pipeline.open import OpenedLayer, open_layers, scan_trees, unzipped_bytes
from lambdapack.pipeline.prove import ProofRequest, prove_package
from lambdapack.pipeline.request import BuildRequest, BuiltPackage, JudgedPackage
from lambdapack.pipeline.scratch import open_scratch
from lambdapack.pipeline.source import read_source_facts, source_findings
from lambdapack.pipeline.verify import binary_cache, read_package_facts, restrict_facts
from lambdapack.pipeline.write import check_output_paths, write_package
from lambdapack.project.project import Project
from lambdapack.project.reader import read_project
from lambdapack.rules.check import apply_policy, check_lockfile, check_package
from lambdapack.rules.function.lifecycle import lifecycle_findings
from lambdapack.rules.model.package import CpuFlag, PackageFacts
from lambdapack.rules.model.report import Report, Subject
from lambdapack.rules.selection.prune import prunable_binaries
from lambdapack.runtimes.runtime import Runtime, shipped_runtime
from lambdapack.tree.compose import DereferencedTree, OverlayTree, PrefixedTree, make_readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Tree

LAYER_DIRECTORY = "nodejs"
"""Where a layer's node_modules is looked for: /opt/nodejs/node_modules (AWS developer guide, "Packaging layers")."""


def build_packages(wanted: BuildRequest, connect: Connect, observer: Observer = SILENT) -> tuple[BuiltPackage, ...]:
    """Install, judge and zip for every target; no archive is written unless all of them pass the gate.

    Findings of lockfile, source and runtime that do not pass it end it before any engine is asked, all together.
    """
    project = read_project(wanted.directory, wanted.handler)
    npm = translate_npm_settings(project.root, wanted.environ, _home_directory(wanted.directory))
    source = None if wanted.layer else read_project_source(project.directory, executable=wanted.executable)
    own = read_source_facts(source, wanted.handler) if source else None
    locked = {target: _lock_findings(wanted, project, npm, target) for target in wanted.outputs}
    early = [
        _make_early_report(wanted, target, (*findings, *_early_findings(wanted, project, own, target)))
        for target, findings in locked.items()
    ]
    if any(each.fails(wanted.gate) for each in early):
        return tuple(BuiltPackage(each) for each in early)
    check_output_paths(wanted)
    with open_scratch() as (directory, stack):
        layers = stack.enter_context(open_layers(wanted.layers))
        one = _BuildRun(wanted, project, npm, source, own, connect, directory, stack, observer, layers)
        judged = [one.judged(target, findings) for target, findings in locked.items()]
        if any(judged_package.report.fails(wanted.gate) for judged_package in judged):
            return tuple(
                BuiltPackage(judged_package.report, left_out=judged_package.left_out, pruned=judged_package.pruned)
                for judged_package in judged
            )
        return tuple(write_package(wanted, project, judged_package, observer) for judged_package in judged)


def _home_directory(otherwise: Path) -> Path:
    """Return where the user's .npmrc may be; CI containers have users without any home."""
    try:
        return Path.home()
    except RuntimeError:
        return otherwise


def _lock_findings(wanted: BuildRequest, project: Project, npm: NpmSettings, target: Target) -> tuple[Finding, ...]:
    if not wanted.install:
        return ()
    return apply_policy(
        check_lockfile(project, target, (wanted.runtime or shipped_runtime(target)).npm, npm), wanted.policy
    )


def _make_early_report(wanted: BuildRequest, target: Target, findings: tuple[Finding, ...]) -> Report:
    subject = Subject("layer" if wanted.layer else "directory", str(wanted.directory))
    return Report(wanted.runtime or shipped_runtime(target), subject, (), apply_policy(findings, wanted.policy))


def _early_findings(
    wanted: BuildRequest, project: Project, own: PackageFacts | None, target: Target
) -> tuple[Finding, ...]:
    """Return what is known before the install, and is found again after it."""
    if not wanted.install:  # nothing to wait for
        return ()
    runtime = wanted.runtime or shipped_runtime(target)
    of_source = source_findings(own, project, runtime, wanted.policy, layered=bool(wanted.layers)) if own else ()
    return (*lifecycle_findings(runtime, wanted.policy.today), *of_source)


@dataclass(frozen=True, slots=True)
class _BuildRun:
    """What every target of one build shares."""

    wanted: BuildRequest
    project: Project
    npm: NpmSettings
    source: ProjectSource | None  # None for a layer
    own: PackageFacts | None  # of the source
    connect: Connect
    directory: Path
    stack: ExitStack
    observer: Observer
    layers: tuple[OpenedLayer, ...]

    def judged(self, target: Target, locked: tuple[Finding, ...]) -> JudgedPackage:
        """Install for a target and judge what would be packed."""
        wanted, runtime = self.wanted, self.wanted.runtime or shipped_runtime(target)
        if wanted.install:
            engine = self.connect(target.architecture)
            installed, key = self._install(target, engine)
            if wanted.runtime is None:
                bare = wanted.images(target, target.architecture).bare
                runtime = tighten_by_image(engine, bare, runtime, self.directory, wanted.cache, self.observer)
        else:
            installed, key = InstallResult(_existing_modules(self.project), (NODE_MODULES,)), None
        source = self._shipped(self.source, installed) if self.source else None
        tree = self._package(source, clean_tree(installed.tree).tree)
        compiled = tuple(
            CpuFlag(self._owner(compiler_flag.package), compiler_flag.flag, compiler_flag.everywhere)
            for compiler_flag in installed.tuned
        )
        ready = frozenset(source.tree.entries) if source else frozenset()
        facts = replace(self._facts(tree, target), cpu_flags=compiled, own_files=ready)
        report = self._check(tree, facts, runtime)
        pruned = tuple(
            judgement for judgement in prunable_binaries(report.judgements) if judgement.binary.path in tree.entries
        )
        pruned = pruned if wanted.prune else ()
        if pruned:
            tree = prune_tree(tree, {judgement.binary.path for judgement in pruned})
            facts = restrict_facts(facts, tree)
            report = self._check(tree, facts, runtime)
        report = replace(report, findings=apply_policy((*locked, *report.findings), wanted.policy))
        if wanted.load:
            report = self._proved(report, tree, facts.handler)
        return JudgedPackage(report, tree, facts, source.excluded if source else (), pruned, installed, key)

    def _owner(self, package: str) -> str:
        """The project's own scripts run under its name, and what they compile is no package's."""
        return "" if package == self.project.name else package

    def _package(self, source: ProjectSource | None, dependencies: Tree) -> Tree:
        """Return what ships. A directory's links are resolved before it is judged: copies count against the limits."""
        tree = OverlayTree(source.tree, dependencies) if source else PrefixedTree(dependencies, LAYER_DIRECTORY)
        return DereferencedTree(tree, LAYER_ROOT if self.wanted.layer else TASK_ROOT) if self.wanted.into else tree

    def _facts(self, tree: Tree, target: Target) -> PackageFacts:
        wanted, layers = self.wanted, [opened_layer.tree for opened_layer in self.layers]
        with binary_cache(wanted.store, "build", self.project.directory, target) as memory:
            found = scan_trees((tree, *layers), self.observer, memory)
        facts = read_package_facts(tree, found, layer=wanted.layer, handler=wanted.handler, layers=layers)
        secrets = self.own.secrets if self.own else ()
        return replace(facts, secrets=tuple(secret for secret in secrets if secret.path in tree.entries))

    def _proved(self, report: Report, tree: Tree, handler: str | None) -> Report:
        target, layers = report.runtime.target, [opened_layer.tree for opened_layer in self.layers]
        image = self.wanted.images(target, target.architecture).bare
        proof = ProofRequest(self.connect(target.architecture), image, make_readable(tree), handler, layers)
        return prove_package(report, proof, self.wanted.policy, self.observer)

    def _check(self, tree: Tree, facts: PackageFacts, runtime: Runtime) -> Report:
        kind = "layer" if self.wanted.layer else "zip"
        subject = Subject(kind, str(self.wanted.directory), unzipped_bytes=unzipped_bytes(tree))
        subject = replace(subject, layers=tuple(opened_layer.summary for opened_layer in self.layers))
        return check_package(subject, facts, runtime, self.wanted.policy)

    def _shipped(self, source: ProjectSource, installed: InstallResult) -> ProjectSource:
        """Return the function's own files without what the install made anew."""
        left_out = tuple(each for each in source.excluded if self.wanted.install or each[0] != NODE_MODULES)
        return replace(source, tree=prune_tree(source.tree, installed.owned), excluded=left_out)

    def _install(self, target: Target, engine: Engine) -> tuple[InstallResult, DependencyKey]:
        wanted = self.wanted
        inputs = install_inputs(self.project, wanted.install_inputs)
        order = InstallRequest(
            project=self.project,
            target=target,
            inputs=inputs,
            work=find_install_scripts(
                self.project, inputs, target.architecture, ignore_scripts=self.npm.ignore_scripts
            ),
            images={architecture: wanted.images(target, architecture) for architecture in Architecture},
            settings=self.npm,
            limits=wanted.limits,
            scripts=wanted.scripts,
            emulation=wanted.emulation,
            keep=wanted.keep,
        )
        installed = install_dependencies(order, engine, self.directory / f"{target.architecture}.tar", self.observer)
        if installed.spool is not None:
            self.stack.callback(installed.spool.close)
        made = {name: value.encode() for name, value in installed.key_inputs}
        parts = {**project_parts(self.project, inputs, self.npm.without_secrets), **made}
        return installed, dependency_key(parts)


def _existing_modules(project: Project) -> Tree:
    """Return the node_modules that lies in the project, as it is: made by npm, yarn, pnpm or whatever."""
    return DirectoryTree(project.directory, keep=lambda path, _directory: path.partition("/")[0] == NODE_MODULES)
