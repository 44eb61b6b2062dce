"""The layers of a function: opened where they lie, merged as Lambda merges them, scanned together with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lambdapack.binary.facts import Inventory, Role
from lambdapack.binary.memory import FORGETFUL, Memory
from lambdapack.binary.scan import scan
from lambdapack.events import SILENT, Observer
from lambdapack.model import LAYER_ROOT
from lambdapack.pack.digest import code_digest
from lambdapack.pipeline.opening import opened, unpacked, unzipped_bytes
from lambdapack.project.installed import PackageManifest, read_manifests
from lambdapack.project.programs import unnamed_programs
from lambdapack.rules.facts import Facts
from lambdapack.rules.verdict import Layer
from lambdapack.tree.compose import OverlayTree, Prefixed
from lambdapack.tree.entry import Tree

CURE = "Rename it in one of the layers and build that again: what Lambda makes of both is not documented."


@dataclass(frozen=True, slots=True)
class Opened:
    """One layer, as it would be unpacked at /opt."""

    tree: Tree
    told: Layer


@contextmanager
def opened_layers(paths: Sequence[Path]) -> Iterator[tuple[Opened, ...]]:
    """Open layer zips and directories in the function's order; LP007 for what is neither, LP008 when two collide."""
    with ExitStack() as stack:
        found = tuple(_opened(each, stack) for each in paths)
        merged(each.tree for each in found)
        yield found


def _opened(path: Path, stack: ExitStack) -> Opened:
    tree = unpacked(path, stack.enter_context(opened(path)))
    return Opened(tree, Layer(str(path), None if path.is_dir() else code_digest(path), unzipped_bytes(tree)))


def merged(trees: Iterator[Tree] | Sequence[Tree]) -> Tree:
    """Return what is at /opt: a later layer's file replaces an earlier one's; LP008 for a file over a directory."""
    return OverlayTree(*trees, where="the layers, laid over each other", hint=CURE)


def scanned(trees: Sequence[Tree], observer: Observer = SILENT, memory: Memory = FORGETFUL) -> tuple[Inventory, ...]:
    """Return the native files of each tree; what a library defines is recorded for the needs of all of them."""
    if len(trees) == 1:
        return (scan(trees[0], observer, memory),)
    whole = OverlayTree(*(Prefixed(tree, str(number)) for number, tree in enumerate(trees)))
    found = scan(whole, observer, memory)
    return tuple(_part(found, f"{number}/") for number in range(len(trees)))


def _part(whole: Inventory, prefix: str) -> Inventory:
    inside = (each for each in whole.binaries if each.path.startswith(prefix))
    return Inventory(tuple(replace(each, path=each.path.removeprefix(prefix)) for each in inside))


def layer_facts(tree: Tree, inventory: Inventory) -> Facts:
    """Return what a check wants to know of a layer."""
    manifests = read_manifests(tree)
    unnamed = unnamed_of(tree, inventory, manifests)
    return Facts(tree.entries, inventory, manifests, root=LAYER_ROOT, unnamed=unnamed)


def unnamed_of(tree: Tree, inventory: Inventory, manifests: Mapping[str, PackageManifest]) -> frozenset[str]:
    """Return the programs of a tree that nothing in their package seems to start."""
    programs = [each.path for each in inventory.binaries if each.role is Role.EXECUTABLE]
    return frozenset(unnamed_programs(tree, manifests, programs))
