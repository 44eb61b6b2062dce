"""From a tree to the facts that a check wants, and from a path or zip to a report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Inventory
from lambdapack.events import SILENT, Observer
from lambdapack.memory.store import Store
from lambdapack.model import LAYER_ROOT, TASK_ROOT, Severity
from lambdapack.pack.digest import code_digest, content_digest
from lambdapack.pack.source import Source
from lambdapack.pipeline.layers import layer_facts, opened_layers, scanned, unnamed_of
from lambdapack.pipeline.opening import Found, opened, unpacked, unzipped_bytes
from lambdapack.pipeline.remembering import remembering
from lambdapack.project.imports import read_imports
from lambdapack.project.installed import read_manifests
from lambdapack.project.tree_locks import read_tree_locks
from lambdapack.rules.check import check
from lambdapack.rules.facts import Facts, Origin, Policy, Secret
from lambdapack.rules.handler import file_of
from lambdapack.rules.verdict import Report, Subject
from lambdapack.runtimes.runtime import Runtime
from lambdapack.script.facts import LARGEST, Script
from lambdapack.tree.compose import Filtered
from lambdapack.tree.entry import Entry, Kind, Tree, read

MODULES = "node_modules"


def facts_of(
    tree: Tree,
    inventories: Sequence[Inventory],
    *,
    layer: bool,
    handler: str | None,
    source: Source | None = None,
    layers: Sequence[Tree] = (),
) -> Facts:
    """Read from a tree and its layers, whose inventories are given, what else a check wants.

    Secrets are looked for in the function's own files alone, imports only where a layer may have what they name.
    """
    inventory, *others = inventories
    manifests = read_manifests(tree)
    return Facts(
        entries=tree.entries,
        inventory=inventory,
        manifests=manifests,
        root=LAYER_ROOT if layer else TASK_ROOT,
        handler=None if layer else handler,
        secrets=_secrets(source.tree) if source else (),
        script=None if layer or handler is None else script_of(tree, handler),
        locks=read_tree_locks(tree),
        imports=read_imports(tree, manifests) if layers and not layer else {},
        unnamed=unnamed_of(tree, inventory, manifests),
        layers=tuple(map(layer_facts, layers, others)),
    )


def script_of(tree: Tree, handler: str) -> Script | None:
    """Return what the handler's file says, None when it is not there or not understood; a link is not followed."""
    own = {f"{TASK_ROOT}/{path}" for path in tree.entries if not path.startswith(f"{MODULES}/")}
    place = file_of(handler, own)
    path = place[0].removeprefix(f"{TASK_ROOT}/") if place else ""
    entry = tree.entries.get(path)
    if entry is None or entry.kind is not Kind.FILE or entry.size > LARGEST:
        return None
    from lambdapack.script.read import read_script  # noqa: PLC0415  # the parser is loaded where there is a handler

    return read_script(path, read(tree, path))


def _secrets(tree: Tree) -> tuple[Secret, ...]:
    from lambdapack.pack.secrets import find_secrets  # noqa: PLC0415  # 15 patterns that a directory need not pay for

    return tuple(Secret(each.path, each.what, each.line) for each in find_secrets(tree))


def _is_source(entry: Entry) -> bool:
    """Tell the function's own files from its dependencies', whose test keys are public."""
    return MODULES not in entry.path.split("/")


def without(facts: Facts, tree: Tree) -> Facts:
    """Return the facts of what is left of a tree, without reading it again."""
    left = tuple(each for each in facts.inventory.binaries if each.path in tree.entries)
    return replace(facts, entries=tree.entries, inventory=Inventory(left))


Prove = Callable[[Report, Tree, str | None, Sequence[Tree]], Report]
"""Adds to a report what loading the tree shows; then come the handler, None when there is none, and the layers."""


@dataclass(frozen=True, slots=True)
class Called:
    """What a zip is in AWS; a report names that, and not the file that it was brought into."""

    kind: str  # "function", "layer": known, not told by what is in it; "" for an object in a bucket
    name: str  # ARN of the version, or s3://BUCKET/KEY
    layers: tuple[str, ...] = ()  # ARNs, in the order of Given's


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be judged: a function with its layers, or a layer."""

    path: Path
    handler: str
    layers: tuple[Path, ...] = ()  # in the function's order; a layer that is judged itself comes after them
    origin: Origin | None = None  # the project that a zip was made from, as it is today
    called: Called | None = None  # what it is in AWS, when it was brought from there


@dataclass(frozen=True, slots=True)
class Judged:
    """A report and what it was made from, while that is open."""

    report: Report
    facts: Facts
    tree: Tree
    layers: tuple[Tree, ...]
    policy: Policy  # with what follows from the kind of thing that it is

    def against(self, runtime: Runtime) -> Report:
        """Return the report for another runtime."""
        return check(self.report.subject, self.facts, runtime, self.policy)


@contextmanager
def judged(
    given: Given, runtime: Runtime, policy: Policy, observer: Observer = SILENT, store: Store | None = None
) -> Iterator[Judged]:
    """Judge a directory or zip with its layers, read in place; LP007 when nothing is in one."""
    path = given.path
    with opened(path) as there, opened_layers(_besides(given)) as layers:
        found = _known(there, given.called)
        trees = tuple(each.tree for each in layers)
        wanted = None if _dependencies_alone(found) else given.handler
        with remembering(store, *_place(given)) as memory:
            inventories = scanned((found.tree, *trees), observer, memory)
        facts = facts_of(found.tree, inventories, layer=found.kind == "layer", handler=wanted, layers=trees)
        facts = replace(facts, origin=given.origin)
        if found.kind != "directory":  # it claims to be whole, and has left the machine or is about to
            facts = replace(facts, secrets=_secrets(Filtered(found.tree, _is_source)))
            policy = replace(policy, handler_severity=Severity.WARNING)
            policy = replace(policy, handler_required=policy.handler_required or found.kind == "function")
        subject = _named(replace(subject_of(path, found), layers=tuple(each.told for each in layers)), given.called)
        yield Judged(check(subject, facts, runtime, policy), facts, unpacked(path, found), trees, policy)


def verify(
    given: Given,
    runtime: Runtime,
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prove | None = None,
    store: Store | None = None,
) -> Report:
    """Return the report on a directory or zip with its layers, read in place; LP007 when nothing is in one."""
    (report,) = verify_for(given, (runtime,), policy, observer, prove, store)
    return report


def verify_for(
    given: Given,
    runtimes: Sequence[Runtime],
    policy: Policy,
    observer: Observer = SILENT,
    prove: Prove | None = None,
    store: Store | None = None,
) -> tuple[Report, ...]:
    """Return a report for each runtime, of which there is one at least; what is judged is read once."""
    first, *others = runtimes
    with judged(given, first, policy, observer, store) as found:
        reports = (found.report, *(found.against(each) for each in others))
        if prove is None:
            return reports
        return tuple(prove(each, found.tree, found.facts.handler, found.layers) for each in reports)


def _place(given: Given) -> tuple[object, ...]:
    """Return what its facts are remembered under: not the passing name of a file that was brought from AWS."""
    called = given.called
    if called is None:
        return (given.path.resolve(), *given.layers)
    return (called.name, *called.layers, *given.layers[len(called.layers) :])


def _besides(given: Given) -> tuple[Path, ...]:
    """A layer that is one of the function's (in its settings) is not laid over itself."""
    itself = given.path.resolve()
    return tuple(each for each in given.layers if each.resolve() != itself)


def _dependencies_alone(found: Found) -> bool:
    return found.kind == "directory" and all(path.partition("/")[0] == MODULES for path in found.tree.entries)


def _known(found: Found, called: Called | None) -> Found:
    return replace(found, kind=called.kind) if called and called.kind else found


def _named(subject: Subject, called: Called | None) -> Subject:
    if called is None:
        return subject
    layers = [replace(each, path=name) for each, name in zip(subject.layers, called.layers, strict=False)]
    return replace(subject, path=called.name, archive=None, layers=(*layers, *subject.layers[len(layers) :]))


def subject_of(path: Path, found: Found) -> Subject:
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
