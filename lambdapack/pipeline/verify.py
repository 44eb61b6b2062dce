"""Collects what the rules check from a package and its layers, and returns the report for each runtime."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdapack.binary.facts import Inventory
from lambdapack.binary.scan import NO_CONTENT_CACHE, ContentCache
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, Severity
from lambdapack.pack.digest import code_digest, content_digest
from lambdapack.pack.source import ProjectSource
from lambdapack.packages.manifests import read_manifests
from lambdapack.packages.modules import NODE_VARIABLES, FunctionModules
from lambdapack.packages.programs.scripts import find_script_programs
from lambdapack.packages.tree_locks import read_tree_locks
from lambdapack.pipeline.open import (
    OpenedPackage,
    find_unstarted_programs,
    open_layers,
    open_package,
    read_layer_facts,
    scan_trees,
    unpacked_tree,
    unzipped_bytes,
)
from lambdapack.project.declarations import TemplateDeclarations
from lambdapack.rules.check import check_package
from lambdapack.rules.function.handler import find_handler_file
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageFacts, PackageOrigin, Secret
from lambdapack.rules.model.report import Report, Subject
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.parse import MAX_SCRIPT_BYTES, Script
from lambdapack.store.binary_facts import BinaryCache
from lambdapack.store.module_graphs import ModuleCache
from lambdapack.store.records import Store
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file


@contextmanager
def binary_cache(store: Store | None, *place: object) -> Iterator[ContentCache]:
    """Enclose a scan with the cache of its facts; `place` names the tree. Without a store, nothing is cached."""
    if store is None:
        yield NO_CONTENT_CACHE
        return
    memory = BinaryCache(store, "\n".join(map(str, place)), time.time_ns())
    yield memory
    memory.save()


@contextmanager
def module_cache(store: Store | None, *place: object) -> Iterator[ModuleCache | None]:
    """Enclose a check with the cache of what scripts load; `place` names the tree. Without a store, there is none."""
    cache = None if store is None else ModuleCache(store, "\n".join(map(str, place)))
    yield cache
    if cache is not None:
        cache.save()


def read_package_facts(
    tree: Tree,
    inventories: Sequence[Inventory],
    *,
    layer: bool,
    handler: str | None,
    source: ProjectSource | None = None,
    layers: Sequence[Tree] = (),
) -> PackageFacts:
    """Read from a tree and its layers, whose inventories are target, what else a check wants.

    Secrets are searched for in the function's own files alone, imports only where a layer may have the packages.
    """
    inventory, *others = inventories
    root = LAYER_ROOT if layer else TASK_ROOT
    placed = (*((LAYER_ROOT, tree) for tree in layers), (root, tree))
    manifests = read_manifests(tree)
    return PackageFacts(
        entries=tree.entries,
        inventory=inventory,
        manifests=manifests,
        root=root,
        handler=None if layer else handler,
        secrets=_find_source_secrets(source.tree) if source else (),
        script=None if layer or handler is None else read_handler_script(tree, handler),
        locks=read_tree_locks(tree),
        unnamed_programs=find_unstarted_programs(tree, inventory, manifests),
        left_out=frozenset(path for path, _ in source.excluded) if source else frozenset(),
        modules=FunctionModules(placed, None if layer else handler),
        script_programs=find_script_programs(tree),
        layers=tuple(map(read_layer_facts, layers, others)),
    )


def _handler_place(tree: Tree, handler: str) -> str | None:
    """Return the absolute path of the handler's file, None when it is not in the tree."""
    own = {f"{TASK_ROOT}/{path}" for path in tree.entries if not path.startswith(f"{NODE_MODULES}/")}
    place = find_handler_file(handler, own)
    return place[0] if place else None


def read_handler_script(tree: Tree, handler: str) -> Script | None:
    """Return the handler's parsed file, None when it is missing or cannot be parsed; a link is not followed."""
    path = (_handler_place(tree, handler) or "").removeprefix(f"{TASK_ROOT}/")
    entry = tree.entries.get(path)
    if entry is None or entry.kind is not EntryKind.FILE or entry.size > MAX_SCRIPT_BYTES:
        return None
    from lambdapack.script.read import read_script  # noqa: PLC0415  # the parser is loaded where there is a handler

    return read_script(path, read_file(tree, path))


def _find_source_secrets(tree: Tree) -> tuple[Secret, ...]:
    from lambdapack.pack.secrets import find_secrets  # noqa: PLC0415  # 15 patterns that a directory need not pay for

    return tuple(Secret(found_secret.path, found_secret.kind, found_secret.line) for found_secret in find_secrets(tree))


def _is_source(entry: Entry) -> bool:
    """Tell the function's own files from its dependencies', whose test keys are public."""
    return NODE_MODULES not in entry.path.split("/")


def restrict_facts(facts: PackageFacts, tree: Tree) -> PackageFacts:
    """Return the facts of a tree that lost entries, without reading it again."""
    left = tuple(binary for binary in facts.inventory.binaries if binary.path in tree.entries)
    return replace(facts, entries=tree.entries, inventory=Inventory(left))


Prover = Callable[[Report, Tree, str | None, Sequence[Tree]], Report]
"""Adds the findings of a load test to a report. Takes the tree, the handler (None without one) and the layers."""


@dataclass(frozen=True, slots=True)
class CloudIdentity:
    """What a zip is in AWS; a report names that, and not the downloaded file."""

    kind: str  # "function", "layer"; "" for an object in a bucket, whose kind its files tell
    name: str  # ARN of the version, or s3://BUCKET/KEY
    layers: tuple[str, ...] = ()  # ARNs, in the order of the target's


@dataclass(frozen=True, slots=True)
class VerificationTarget:
    """What is to be verified: a function with its layers, or a layer."""

    path: Path
    handler: str
    layers: tuple[Path, ...] = ()  # in the function's order; a layer that is verified itself comes after them
    origin: PackageOrigin | None = None  # the project that a zip was built from, as it is today
    identity: CloudIdentity | None = None  # what it is in AWS, when it was fetched from there
    declared: TemplateDeclarations = field(default_factory=TemplateDeclarations)  # of a directory, by its template


@dataclass(frozen=True, slots=True)
class Verification:
    """A report and what it was made from, while the package is open."""

    report: Report
    facts: PackageFacts
    tree: Tree
    layers: tuple[Tree, ...]
    policy: Policy  # with what follows from the kind of package

    def against(self, runtime: Runtime) -> Report:
        """Return the report for another runtime."""
        return check_package(self.report.subject, self.facts, runtime, self.policy)


@contextmanager
def open_verification(
    target: VerificationTarget,
    runtime: Runtime,
    policy: Policy,
    observer: Observer = SILENT,
    store: Store | None = None,
) -> Iterator[Verification]:
    """Verify a directory or zip with its layers, read in place; LP007 when one is empty."""
    path = target.path
    with open_package(path) as opened, open_layers(_other_layers(target)) as layers:
        package = _apply_known_kind(opened, target.identity)
        trees = tuple(layer.tree for layer in layers)
        handler = None if _has_only_dependencies(package) else target.handler
        with binary_cache(store, *_cache_key(target)) as memory:
            inventories = scan_trees((package.tree, *trees), observer, memory)
        facts = read_package_facts(
            package.tree, inventories, layer=package.kind == "layer", handler=handler, layers=trees
        )
        facts = replace(facts, origin=target.origin)
        if package.kind != "directory":  # it is a whole function or layer, which is shared with others
            facts = replace(facts, secrets=_find_source_secrets(FilteredTree(package.tree, _is_source)))
            policy = replace(policy, handler_severity=Severity.WARNING)
            policy = replace(policy, handler_required=policy.handler_required or package.kind == "function")
        subject = replace(make_subject(path, package), layers=tuple(layer.summary for layer in layers))
        subject = _name_subject(subject, target.identity)
        facts = add_declarations(facts, target.declared)
        with module_cache(store, *_cache_key(target)) as modules:
            if facts.modules is not None:
                facts.modules.cache = modules
            report = check_package(subject, facts, runtime, policy)
            yield Verification(report, facts, unpacked_tree(path, package), trees, policy)


def add_declarations(facts: PackageFacts, declared: TemplateDeclarations) -> PackageFacts:
    """Return the facts with what a template or the deployed function says: node's variables, unseen layers."""
    if facts.modules is not None:
        known = {name: value for name, value in declared.environment.items() if value is not None}
        facts.modules.environment = {name: known[name] for name in NODE_VARIABLES if name in known}
    unseen = () if facts.layers else tuple(layer.name for layer in declared.layers)
    return replace(facts, possible_layers=unseen)


def verify_package(
    target: VerificationTarget,
    runtime: Runtime,
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prover | None = None,
    store: Store | None = None,
) -> Report:
    """Return the report on a directory or zip with its layers, read in place; LP007 when one is empty."""
    (report,) = verify_for_runtimes(target, (runtime,), policy, observer, prove, store)
    return report


def verify_for_runtimes(
    target: VerificationTarget,
    runtimes: Sequence[Runtime],
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prover | None = None,
    store: Store | None = None,
) -> tuple[Report, ...]:
    """Return a report for each runtime, at least one; the package is read once."""
    first, *others = runtimes
    with open_verification(target, first, policy, observer, store) as opened:
        reports = (opened.report, *(opened.against(runtime) for runtime in others))
        if prove is None:
            return reports
        return tuple(prove(report, opened.tree, opened.facts.handler, opened.layers) for report in reports)


def _cache_key(target: VerificationTarget) -> tuple[object, ...]:
    """Return the name of its facts in the cache: never the temporary file that was downloaded from AWS."""
    identity = target.identity
    if identity is None:
        return (target.path.resolve(), *target.layers)
    return (identity.name, *identity.layers, *target.layers[len(identity.layers) :])


def _other_layers(target: VerificationTarget) -> tuple[Path, ...]:
    """A layer that is one of the function's (in its settings) is not laid over itself."""
    itself = target.path.resolve()
    return tuple(layer for layer in target.layers if layer.resolve() != itself)


def _has_only_dependencies(opened: OpenedPackage) -> bool:
    return opened.kind == "directory" and all(path.partition("/")[0] == NODE_MODULES for path in opened.tree.entries)


def _apply_known_kind(opened: OpenedPackage, identity: CloudIdentity | None) -> OpenedPackage:
    return replace(opened, kind=identity.kind) if identity and identity.kind else opened


def _name_subject(subject: Subject, identity: CloudIdentity | None) -> Subject:
    if identity is None:
        return subject
    layers = [
        replace(report_layer, path=name) for report_layer, name in zip(subject.layers, identity.layers, strict=False)
    ]
    return replace(subject, path=identity.name, archive=None, layers=(*layers, *subject.layers[len(layers) :]))


def make_subject(path: Path, found: OpenedPackage) -> Subject:
    """Return the subject of a report on an opened path."""
    size = unzipped_bytes(found.tree)
    if path.is_dir():
        return Subject(found.kind, str(path), unzipped_bytes=size)
    return Subject(
        kind=found.kind,
        path=str(path),
        archive=str(path),
        code_digest=code_digest(path),
        content_digest=content_digest(found.tree),
        zip_bytes=path.stat().st_size,
        unzipped_bytes=size,
    )
