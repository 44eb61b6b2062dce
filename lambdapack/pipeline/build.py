"""Project to archive: pre-flight, install, judge, and only when every target passes, write."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.build.engine import Engine
from lambdapack.build.install import install
from lambdapack.build.order import Installed, Order
from lambdapack.build.strategy import work_of
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Architecture, Finding, Target
from lambdapack.pack.droppings import clean, prune
from lambdapack.pack.source import Source, source_tree
from lambdapack.pipeline.judging import facts_of, without
from lambdapack.pipeline.layers import Opened, opened_layers, scanned
from lambdapack.pipeline.loading import Proof, proved
from lambdapack.pipeline.measuring import Connect, tightened_by
from lambdapack.pipeline.opening import unzipped_bytes
from lambdapack.pipeline.remembering import remembering
from lambdapack.pipeline.scratch import scratch
from lambdapack.pipeline.sourcing import source_facts, source_findings
from lambdapack.pipeline.wanted import Built, Judged, Wanted
from lambdapack.pipeline.writing import check_places, written
from lambdapack.project.inputs import install_inputs
from lambdapack.project.key import DependencyKey, dependency_key, project_parts
from lambdapack.project.nouns import Project
from lambdapack.project.npmrc import NpmSettings, translate
from lambdapack.project.reader import load
from lambdapack.rules.check import arrange, check
from lambdapack.rules.facts import Compiled, Facts
from lambdapack.rules.lifecycle import lifecycle_findings
from lambdapack.rules.lockfile import preflight
from lambdapack.rules.prunable import prunable
from lambdapack.rules.verdict import Report, Subject
from lambdapack.runtimes.catalogue import shipped
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.compose import OverlayTree, Prefixed, readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.resolved import Resolved

MODULES = "node_modules"

LAYER_DIRECTORY = "nodejs"
"""Where a layer's node_modules is looked for: /opt/nodejs/node_modules (AWS developer guide, "Packaging layers")."""


def build(wanted: Wanted, connect: Connect, observer: Observer = SILENT) -> tuple[Built, ...]:
    """Install, judge and zip for every target; no archive is written unless all of them pass the gate.

    Findings of lockfile, source and runtime that do not pass it end it before any engine is asked, all together.
    """
    project = load(wanted.directory, wanted.handler)
    npm = translate(project.root, wanted.environ, _home(wanted.directory))
    source = None if wanted.layer else source_tree(project.directory, executable=wanted.executable)
    own = source_facts(source, wanted.handler) if source else None
    locked = {target: _lock_findings(wanted, project, npm, target) for target in wanted.outputs}
    early = [
        _unbuilt(wanted, target, (*findings, *_early_findings(wanted, project, own, target)))
        for target, findings in locked.items()
    ]
    if any(each.fails(wanted.gate) for each in early):
        return tuple(Built(each) for each in early)
    check_places(wanted)
    with scratch() as (directory, stack):
        layers = stack.enter_context(opened_layers(wanted.layers))
        one = _Build(wanted, project, npm, source, own, connect, directory, stack, observer, layers)
        judged = [one.judged(target, findings) for target, findings in locked.items()]
        if any(each.report.fails(wanted.gate) for each in judged):
            return tuple(Built(each.report, left_out=each.left_out, pruned=each.pruned) for each in judged)
        return tuple(written(wanted, project, each, observer) for each in judged)


def _home(otherwise: Path) -> Path:
    """Return where the user's .npmrc may be; CI containers have users without any home."""
    try:
        return Path.home()
    except RuntimeError:
        return otherwise


def _lock_findings(wanted: Wanted, project: Project, npm: NpmSettings, target: Target) -> tuple[Finding, ...]:
    if not wanted.install:
        return ()
    return arrange(preflight(project, target, (wanted.runtime or shipped(target)).npm, npm), wanted.policy)


def _unbuilt(wanted: Wanted, target: Target, findings: tuple[Finding, ...]) -> Report:
    subject = Subject("layer" if wanted.layer else "directory", str(wanted.directory))
    return Report(wanted.runtime or shipped(target), subject, (), arrange(findings, wanted.policy))


def _early_findings(wanted: Wanted, project: Project, own: Facts | None, target: Target) -> tuple[Finding, ...]:
    """Return what is known before the install, and is found again after it."""
    if not wanted.install:  # nothing to wait for
        return ()
    runtime = wanted.runtime or shipped(target)
    of_source = source_findings(own, project, runtime, wanted.policy, layered=bool(wanted.layers)) if own else ()
    return (*lifecycle_findings(runtime, wanted.policy.today), *of_source)


@dataclass(frozen=True, slots=True)
class _Build:
    """What every target of one build shares."""

    wanted: Wanted
    project: Project
    npm: NpmSettings
    source: Source | None  # None for a layer
    own: Facts | None  # of the source
    connect: Connect
    directory: Path
    stack: ExitStack
    observer: Observer
    layers: tuple[Opened, ...]

    def judged(self, target: Target, locked: tuple[Finding, ...]) -> Judged:
        """Install for a target and judge what would be packed."""
        wanted, runtime = self.wanted, self.wanted.runtime or shipped(target)
        if wanted.install:
            engine = self.connect(target.architecture)
            installed, key = self._install(target, engine)
            if wanted.runtime is None:
                bare = wanted.images(target, target.architecture).bare
                runtime = tightened_by(engine, bare, runtime, self.directory, wanted.cache, self.observer)
        else:
            installed, key = Installed(_ready(self.project), (MODULES,)), None
        source = self._shipped(self.source, installed) if self.source else None
        tree = self._package(source, clean(installed.tree).tree)
        compiled = tuple(Compiled(self._owner(each.package), each.flag, each.everywhere) for each in installed.tuned)
        ready = frozenset(source.tree.entries) if source else frozenset()
        facts = replace(self._facts(tree, target), compiled=compiled, ready=ready)
        report = self._check(tree, facts, runtime)
        pruned = tuple(each for each in prunable(report.judgements) if each.binary.path in tree.entries)
        pruned = pruned if wanted.prune else ()
        if pruned:
            tree = prune(tree, {each.binary.path for each in pruned})
            facts = without(facts, tree)
            report = self._check(tree, facts, runtime)
        report = replace(report, findings=arrange((*locked, *report.findings), wanted.policy))
        if wanted.load:
            report = self._proved(report, tree, facts.handler)
        return Judged(report, tree, facts, source.left_out if source else (), pruned, installed, key)

    def _owner(self, package: str) -> str:
        """The project's own scripts run under its name, and what they compile is no package's."""
        return "" if package == self.project.name else package

    def _package(self, source: Source | None, dependencies: Tree) -> Tree:
        """Return what ships. A directory's links are resolved before it is judged: copies count against the limits."""
        tree = OverlayTree(source.tree, dependencies) if source else Prefixed(dependencies, LAYER_DIRECTORY)
        return Resolved(tree, LAYER_ROOT if self.wanted.layer else TASK_ROOT) if self.wanted.into else tree

    def _facts(self, tree: Tree, target: Target) -> Facts:
        wanted, layers = self.wanted, [each.tree for each in self.layers]
        with remembering(wanted.store, "build", self.project.directory, target) as memory:
            found = scanned((tree, *layers), self.observer, memory)
        facts = facts_of(tree, found, layer=wanted.layer, handler=wanted.handler, layers=layers)
        secrets = self.own.secrets if self.own else ()
        return replace(facts, secrets=tuple(each for each in secrets if each.path in tree.entries))

    def _proved(self, report: Report, tree: Tree, handler: str | None) -> Report:
        target, layers = report.runtime.target, [each.tree for each in self.layers]
        image = self.wanted.images(target, target.architecture).bare
        proof = Proof(self.connect(target.architecture), image, readable(tree), handler, layers)
        return proved(report, proof, self.wanted.policy, self.observer)

    def _check(self, tree: Tree, facts: Facts, runtime: Runtime) -> Report:
        kind = "layer" if self.wanted.layer else "zip"
        subject = Subject(kind, str(self.wanted.directory), unzipped_bytes=unzipped_bytes(tree))
        subject = replace(subject, layers=tuple(each.told for each in self.layers))
        return check(subject, facts, runtime, self.wanted.policy)

    def _shipped(self, source: Source, installed: Installed) -> Source:
        """Return the function's own files without what the install made anew."""
        left_out = tuple(each for each in source.left_out if self.wanted.install or each[0] != MODULES)
        return replace(source, tree=prune(source.tree, installed.owned), left_out=left_out)

    def _install(self, target: Target, engine: Engine) -> tuple[Installed, DependencyKey]:
        wanted = self.wanted
        inputs = install_inputs(self.project, wanted.install_inputs)
        order = Order(
            project=self.project,
            target=target,
            inputs=inputs,
            work=work_of(self.project, inputs, target.architecture, ignore_scripts=self.npm.ignore_scripts),
            images={each: wanted.images(target, each) for each in Architecture},
            settings=self.npm,
            limits=wanted.limits,
            scripts=wanted.scripts,
            emulation=wanted.emulation,
            keep=wanted.keep,
        )
        installed = install(order, engine, self.directory / f"{target.architecture}.tar", self.observer)
        if installed.spool is not None:
            self.stack.callback(installed.spool.close)
        made = {name: value.encode() for name, value in installed.key_inputs}
        parts = {**project_parts(self.project, inputs, self.npm.without_secrets), **made}
        return installed, dependency_key(parts)


def _ready(project: Project) -> Tree:
    """Return the node_modules that lies in the project, as it is: made by npm, yarn, pnpm or whatever."""
    return DirectoryTree(project.directory, keep=lambda path, _directory: path.partition("/")[0] == MODULES)
