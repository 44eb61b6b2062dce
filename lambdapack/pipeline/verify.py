"""Collects what the rules check from a package and its layers, and returns the report for each runtime."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Inventory
from lambdapack.binary.scan import NO_CONTENT_CACHE, ContentCache
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT, Severity
from lambdapack.pack.digest import code_digest, content_digest
from lambdapack.pack.source import ProjectSource
from lambdapack.packages.imports import read_imports
from lambdapack.packages.manifests import read_manifests
from lambdapack.packages.tree_locks import read_tree_locks
from lambdapack.pipeline.open import (
    OpenedPackage,
    find_unstarted_programs,
    layer_case,
    open_layers,
    open_package,
    scan_trees,
    unpacked_tree,
    unzipped_bytes,
)
from lambdapack.rules.check import check_package
from lambdapack.rules.function.handler import find_handler_file
from lambdapack.rules.model.case import Case, PackageOrigin, Policy, Secret
from lambdapack.rules.model.report import Report, Subject
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.parse import MAX_SCRIPT_BYTES, Script
from lambdapack.store.binary_facts import BinaryCache
from lambdapack.store.records import Store
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file


@contextmanager
def binary_cache(store: Store | None, *place: object) -> Iterator[ContentCache]:
    """Enclose a scan; `place` tells trees apart. Without a store nothing is known and nothing is kept."""
    if store is None:
        yield NO_CONTENT_CACHE
        return
    memory = BinaryCache(store, "\n".join(map(str, place)), time.time_ns())
    yield memory
    memory.save()


def make_case(
    tree: Tree,
    inventories: Sequence[Inventory],
    *,
    layer: bool,
    handler: str | None,
    source: ProjectSource | None = None,
    layers: Sequence[Tree] = (),
) -> Case:
    """Read from a tree and its layers, whose inventories are given, what else a check wants.

    Secrets are looked for in the function's own files alone, imports only where a layer may have what they name.
    """
    inventory, *others = inventories
    manifests = read_manifests(tree)
    return Case(
        entries=tree.entries,
        inventory=inventory,
        manifests=manifests,
        root=LAYER_ROOT if layer else TASK_ROOT,
        handler=None if layer else handler,
        secrets=_find_source_secrets(source.tree) if source else (),
        script=None if layer or handler is None else read_handler_script(tree, handler),
        locks=read_tree_locks(tree),
        imports=read_imports(tree, manifests) if layers and not layer else {},
        unnamed=find_unstarted_programs(tree, inventory, manifests),
        layers=tuple(map(layer_case, layers, others)),
    )


def read_handler_script(tree: Tree, handler: str) -> Script | None:
    """Return what the handler's file says, None when it is not there or not understood; a link is not followed."""
    own = {f"{TASK_ROOT}/{path}" for path in tree.entries if not path.startswith(f"{NODE_MODULES}/")}
    place = find_handler_file(handler, own)
    path = place[0].removeprefix(f"{TASK_ROOT}/") if place else ""
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


def restrict_case(facts: Case, tree: Tree) -> Case:
    """Return the facts of what is left of a tree, without reading it again."""
    left = tuple(binary for binary in facts.inventory.binaries if binary.path in tree.entries)
    return replace(facts, entries=tree.entries, inventory=Inventory(left))


Prover = Callable[[Report, Tree, str | None, Sequence[Tree]], Report]
"""Adds to a report what loading the tree shows; then come the handler, None when there is none, and the layers."""


@dataclass(frozen=True, slots=True)
class CloudIdentity:
    """What a zip is in AWS; a report names that, and not the file that it was brought into."""

    kind: str  # "function", "layer": known, not told by what is in it; "" for an object in a bucket
    name: str  # ARN of the version, or s3://BUCKET/KEY
    layers: tuple[str, ...] = ()  # ARNs, in the order of Given's


@dataclass(frozen=True, slots=True)
class VerificationTarget:
    """What is to be judged: a function with its layers, or a layer."""

    path: Path
    handler: str
    layers: tuple[Path, ...] = ()  # in the function's order; a layer that is judged itself comes after them
    origin: PackageOrigin | None = None  # the project that a zip was made from, as it is today
    called: CloudIdentity | None = None  # what it is in AWS, when it was brought from there


@dataclass(frozen=True, slots=True)
class Verification:
    """A report and what it was made from, while that is open."""

    report: Report
    facts: Case
    tree: Tree
    layers: tuple[Tree, ...]
    policy: Policy  # with what follows from the kind of thing that it is

    def against(self, runtime: Runtime) -> Report:
        """Return the report for another runtime."""
        return check_package(self.report.subject, self.facts, runtime, self.policy)


@contextmanager
def open_verification(
    given: VerificationTarget, runtime: Runtime, policy: Policy, observer: Observer = SILENT, store: Store | None = None
) -> Iterator[Verification]:
    """Judge a directory or zip with its layers, read in place; LP007 when nothing is in one."""
    path = given.path
    with open_package(path) as there, open_layers(_other_layers(given)) as layers:
        found = _apply_known_kind(there, given.called)
        trees = tuple(opened_layer.tree for opened_layer in layers)
        wanted = None if _has_only_dependencies(found) else given.handler
        with binary_cache(store, *_cache_key(given)) as memory:
            inventories = scan_trees((found.tree, *trees), observer, memory)
        facts = make_case(found.tree, inventories, layer=found.kind == "layer", handler=wanted, layers=trees)
        facts = replace(facts, origin=given.origin)
        if found.kind != "directory":  # it claims to be whole, and has left the machine or is about to
            facts = replace(facts, secrets=_find_source_secrets(FilteredTree(found.tree, _is_source)))
            policy = replace(policy, handler_severity=Severity.WARNING)
            policy = replace(policy, handler_required=policy.handler_required or found.kind == "function")
        subject = _name_subject(
            replace(make_subject(path, found), layers=tuple(opened_layer.told for opened_layer in layers)), given.called
        )
        yield Verification(
            check_package(subject, facts, runtime, policy), facts, unpacked_tree(path, found), trees, policy
        )


def verify_package(
    given: VerificationTarget,
    runtime: Runtime,
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prover | None = None,
    store: Store | None = None,
) -> Report:
    """Return the report on a directory or zip with its layers, read in place; LP007 when nothing is in one."""
    (report,) = verify_for_runtimes(given, (runtime,), policy, observer, prove, store)
    return report


def verify_for_runtimes(
    given: VerificationTarget,
    runtimes: Sequence[Runtime],
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prover | None = None,
    store: Store | None = None,
) -> tuple[Report, ...]:
    """Return a report for each runtime, of which there is one at least; what is judged is read once."""
    first, *others = runtimes
    with open_verification(given, first, policy, observer, store) as found:
        reports = (found.report, *(found.against(runtime) for runtime in others))
        if prove is None:
            return reports
        return tuple(prove(each, found.tree, found.facts.handler, found.layers) for each in reports)


def _cache_key(given: VerificationTarget) -> tuple[object, ...]:
    """Return what its facts are remembered under: not the passing name of a file that was brought from AWS."""
    called = given.called
    if called is None:
        return (given.path.resolve(), *given.layers)
    return (called.name, *called.layers, *given.layers[len(called.layers) :])


def _other_layers(given: VerificationTarget) -> tuple[Path, ...]:
    """A layer that is one of the function's (in its settings) is not laid over itself."""
    itself = given.path.resolve()
    return tuple(layer for layer in given.layers if layer.resolve() != itself)


def _has_only_dependencies(found: OpenedPackage) -> bool:
    return found.kind == "directory" and all(path.partition("/")[0] == NODE_MODULES for path in found.tree.entries)


def _apply_known_kind(found: OpenedPackage, called: CloudIdentity | None) -> OpenedPackage:
    return replace(found, kind=called.kind) if called and called.kind else found


def _name_subject(subject: Subject, called: CloudIdentity | None) -> Subject:
    if called is None:
        return subject
    layers = [
        replace(report_layer, path=name) for report_layer, name in zip(subject.layers, called.layers, strict=False)
    ]
    return replace(subject, path=called.name, archive=None, layers=(*layers, *subject.layers[len(layers) :]))


def make_subject(path: Path, found: OpenedPackage) -> Subject:
    """Return what is said of an opened path."""
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
