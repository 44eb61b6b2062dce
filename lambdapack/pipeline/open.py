"""Opens a directory, a zip and a function's layers in place, overlays the layers, and scans them together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import BinaryRole, Inventory
from lambdapack.binary.scan import NO_CONTENT_CACHE, ContentCache, scan_binaries
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT, NODE_MODULES
from lambdapack.pack.digest import code_digest
from lambdapack.packages.manifests import PackageManifest, read_manifests
from lambdapack.packages.programs.unnamed import find_unnamed_programs
from lambdapack.project.exclusions import EXCLUDED_DIRECTORIES
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import ReportLayer
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import OverlayTree, PrefixedTree, make_readable
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import EntryKind, Tree

LAYER_PREFIXES = ("nodejs/node_modules/", "nodejs/node")
"""What a layer's paths begin with: nodejs/node_modules and nodejs/nodeNN (AWS developer guide, "Packaging layers")."""

SKIPPED_DIRECTORIES = EXCLUDED_DIRECTORIES - {NODE_MODULES}
"""Directories of a bare directory that are not its package: history, and what packers put there."""


@dataclass(frozen=True, slots=True)
class OpenedPackage:
    """Something to judge, opened."""

    tree: Tree
    kind: str  # "directory", "zip", "layer"


@contextmanager
def open_package(path: Path) -> Iterator[OpenedPackage]:
    """Open a directory or zip; a zip or directory in layer form is a layer. LP007 when it is neither or empty."""
    if not path.exists():
        raise LambdapackError(BAD_TARGET, f"{path}: there is no such file or directory")
    if path.is_dir():
        tree: Tree = DirectoryTree(
            path, keep=lambda below, _directory: below.partition("/")[0] not in SKIPPED_DIRECTORIES
        )
        if path.resolve().name == NODE_MODULES:
            tree = PrefixedTree(tree, NODE_MODULES)
        yield _opened_package(path, tree, "directory")
        return
    with ZipTree(path) as archive:
        yield _opened_package(path, archive, "zip")


def _opened_package(path: Path, tree: Tree, otherwise: str) -> OpenedPackage:
    if not any(entry.kind is EntryKind.FILE for entry in tree.entries.values()):
        hint = "Name the directory that holds package.json, or a zip."
        raise LambdapackError(BAD_TARGET, f"{path}: there is no file in it", hint=hint)
    return OpenedPackage(tree, _package_kind(tree, otherwise))


def _package_kind(tree: Tree, otherwise: str) -> str:
    return "layer" if any(path.startswith(LAYER_PREFIXES) for path in tree.entries) else otherwise


def unpacked_tree(path: Path, found: OpenedPackage) -> Tree:
    """Return a tree as Lambda would unpack it: a zip's own modes; a directory's as a zip of ours would have them."""
    return make_readable(found.tree) if path.is_dir() else found.tree


def unzipped_bytes(tree: Tree) -> int:
    """Return the bytes of all files, as Lambda counts them against its limit."""
    return sum(entry.size for entry in tree.entries.values())


LAYER_COLLISION_HINT = (
    "Rename it in one of the layers and build that again: what Lambda makes of both is not documented."
)


@dataclass(frozen=True, slots=True)
class OpenedLayer:
    """One layer, as it would be unpacked at /opt."""

    tree: Tree
    summary: ReportLayer


@contextmanager
def open_layers(paths: Sequence[Path]) -> Iterator[tuple[OpenedLayer, ...]]:
    """Open layer zips and directories in the function's order; LP007 for what is neither, LP008 when two collide."""
    with ExitStack() as stack:
        found = tuple(_open_layer(path, stack) for path in paths)
        overlay_layers(opened_layer.tree for opened_layer in found)
        yield found


def _open_layer(path: Path, stack: ExitStack) -> OpenedLayer:
    tree = unpacked_tree(path, stack.enter_context(open_package(path)))
    return OpenedLayer(tree, ReportLayer(str(path), None if path.is_dir() else code_digest(path), unzipped_bytes(tree)))


def overlay_layers(trees: Iterator[Tree] | Sequence[Tree]) -> Tree:
    """Return what is at /opt: a later layer's file replaces an earlier one's; LP008 for a file over a directory."""
    return OverlayTree(*trees, where="the layers, laid over each other", hint=LAYER_COLLISION_HINT)


def scan_trees(
    trees: Sequence[Tree], observer: Observer = SILENT, memory: ContentCache = NO_CONTENT_CACHE
) -> tuple[Inventory, ...]:
    """Return the native files of each tree; what a library defines is recorded for the needs of all of them."""
    if len(trees) == 1:
        return (scan_binaries(trees[0], observer, memory),)
    whole = OverlayTree(*(PrefixedTree(tree, str(number)) for number, tree in enumerate(trees)))
    found = scan_binaries(whole, observer, memory)
    return tuple(_inventory_below(found, f"{number}/") for number in range(len(trees)))


def _inventory_below(whole: Inventory, prefix: str) -> Inventory:
    inside = (binary for binary in whole.binaries if binary.path.startswith(prefix))
    return Inventory(tuple(replace(binary, path=binary.path.removeprefix(prefix)) for binary in inside))


def read_layer_facts(tree: Tree, inventory: Inventory) -> PackageFacts:
    """Return what a check wants to know of a layer."""
    manifests = read_manifests(tree)
    programs = find_unstarted_programs(tree, inventory, manifests)
    return PackageFacts(tree.entries, inventory, manifests, root=LAYER_ROOT, unnamed_programs=programs)


def find_unstarted_programs(
    tree: Tree, inventory: Inventory, manifests: Mapping[str, PackageManifest]
) -> frozenset[str]:
    """Return the programs of a tree that nothing in their package seems to start."""
    programs = [binary.path for binary in inventory.binaries if binary.role is BinaryRole.EXECUTABLE]
    return find_unnamed_programs(tree, manifests, programs) if programs else frozenset()
