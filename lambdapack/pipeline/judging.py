"""From a tree to the facts that a check wants, and from a path or zip to a report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Inventory
from lambdapack.binary.scan import scan
from lambdapack.errors import BAD_TARGET, LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Severity
from lambdapack.pack.digest import code_digest, content_digest
from lambdapack.pack.secrets import find_secrets
from lambdapack.pack.source import Source
from lambdapack.project.installed import read_manifests
from lambdapack.project.tree_locks import read_tree_locks
from lambdapack.rules.check import check
from lambdapack.rules.facts import LAYER_ROOT, TASK_ROOT, Facts, Origin, Policy, Secret
from lambdapack.rules.verdict import Report, Subject
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import Filtered, Prefixed, readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Entry, Kind, Tree

MODULES = "node_modules"

LAYER_MARKS = ("nodejs/node_modules/", "nodejs/node")
"""What a layer's paths begin with: nodejs/node_modules and nodejs/nodeNN (AWS developer guide, "Packaging layers")."""

PASSED_OVER = frozenset((".git", ".hg", ".svn", ".jj", ".lambdapack", ".aws-sam", ".serverless", "cdk.out"))
"""Directories of a bare directory that are not its package: history, and what packers put there."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something to judge, opened."""

    tree: Tree
    kind: str  # "directory", "zip", "layer"


@contextmanager
def opened(path: Path) -> Iterator[Found]:
    """Open a directory or zip; a zip or directory in layer form is a layer. LP007 when it is neither."""
    if path.is_dir():
        tree: Tree = DirectoryTree(path, keep=lambda below, _directory: below.partition("/")[0] not in PASSED_OVER)
        if path.resolve().name == MODULES:
            tree = Prefixed(tree, MODULES)
        yield Found(tree, _kind(tree, "directory"))
        return
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    with ZipTree(path) as archive:
        yield Found(archive, _kind(archive, "zip"))


def _kind(tree: Tree, otherwise: str) -> str:
    return "layer" if any(path.startswith(LAYER_MARKS) for path in tree.entries) else otherwise


def unpacked(path: Path, found: Found) -> Tree:
    """Return a tree as Lambda would unpack it: a zip's own modes; a directory's as a zip of ours would have them."""
    return readable(found.tree) if path.is_dir() else found.tree


def facts_of(
    tree: Tree,
    *,
    layer: bool,
    handler: str | None,
    source: Source | None = None,
    layers: tuple[Facts, ...] = (),
    observer: Observer = SILENT,
) -> Facts:
    """Read from a tree all that a check wants. Secrets are looked for in the function's own files alone."""
    inventory = scan(tree, observer)
    return Facts(
        entries=tree.entries,
        inventory=inventory,
        manifests=read_manifests(tree),
        root=LAYER_ROOT if layer else TASK_ROOT,
        handler=None if layer else handler,
        secrets=_secrets(source.tree) if source else (),
        locks=read_tree_locks(tree),
        layers=layers,
    )


def _secrets(tree: Tree) -> tuple[Secret, ...]:
    return tuple(Secret(each.path, each.what, each.line) for each in find_secrets(tree))


def _is_source(entry: Entry) -> bool:
    """Tell the function's own files from its dependencies', whose test keys are public."""
    return MODULES not in entry.path.split("/")


def without(facts: Facts, tree: Tree) -> Facts:
    """Return the facts of what is left of a tree, without reading it again."""
    left = tuple(each for each in facts.inventory.binaries if each.path in tree.entries)
    return replace(facts, entries=tree.entries, inventory=Inventory(left))


def unzipped_bytes(tree: Tree) -> int:
    """Return the bytes of all files, as Lambda counts them against its limit."""
    return sum(entry.size for entry in tree.entries.values())


Prove = Callable[[Report, Tree, str | None], Report]
"""Adds to a report what loading the tree shows; the last argument is the handler, None when there is none."""


def verify(  # noqa: PLR0913  # what is optional is named at each call
    path: Path,
    runtime: Runtime,
    policy: Policy,
    handler: str,
    observer: Observer = SILENT,
    prove: Prove | None = None,
    *,
    origin: Origin | None = None,
) -> Report:
    """Return the report on a directory or zip, read in place; LP007 when nothing is in it.

    `origin` is the project that a zip was made from, as it is today.
    """
    with opened(path) as found:
        if not any(each.kind is Kind.FILE for each in found.tree.entries.values()):
            hint = "Name the directory that holds package.json, or a zip."
            raise LambdapackError(BAD_TARGET, f"{path}: there is no file in it", hint=hint)
        wanted = None if _dependencies_alone(found) else handler
        facts = facts_of(found.tree, layer=found.kind == "layer", handler=wanted, observer=observer)
        facts = replace(facts, origin=origin)
        if found.kind == "zip":  # it claims to be whole, and what is in it has left the machine or is about to
            facts = replace(facts, secrets=_secrets(Filtered(found.tree, _is_source)))
            policy = replace(policy, handler_severity=Severity.WARNING)
        report = check(_subject(path, found), facts, runtime, policy)
        return prove(report, unpacked(path, found), facts.handler) if prove else report


def _dependencies_alone(found: Found) -> bool:
    return found.kind == "directory" and all(path.partition("/")[0] == MODULES for path in found.tree.entries)


def _subject(path: Path, found: Found) -> Subject:
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
