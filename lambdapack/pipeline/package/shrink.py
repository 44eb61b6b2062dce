"""What makes a package smaller on request: files that no runtime needs, debug symbols of its binaries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from lambdapack.binary.elf.strip import StrippedElf, strip_elf
from lambdapack.events import Observer
from lambdapack.model import TASK_ROOT
from lambdapack.pack.pruning import UnneededFile, find_unneeded_files
from lambdapack.packages.modules import FunctionModules
from lambdapack.packages.node import runtime_node
from lambdapack.report.text import format_size
from lambdapack.rules.model.report import PrunedFile
from lambdapack.runtimes.runtime import Runtime
from lambdapack.tree.entry import Entry, EntryKind, Tree, lend

ELF_MAGIC = b"\x7fELF"
STRIPPED_MARK = "stripped"


def find_prunable_files(
    tree: Tree, kinds: tuple[str, ...], modules: FunctionModules | None, runtime: Runtime
) -> tuple[PrunedFile, ...]:
    """Return the files of packages that are of the given kinds and that nothing reaches; the tree must be open."""
    reached = _reached_paths(modules, runtime) if modules is not None and modules.begins else frozenset[str]()
    files = find_unneeded_files(tree, frozenset(kinds), reached)
    return tuple(PrunedFile(file.path, file.size, _prune_reason(file)) for file in files)


def _prune_reason(file: UnneededFile) -> str:
    return f"--prune {file.kind}"


def _reached_paths(modules: FunctionModules, runtime: Runtime) -> frozenset[str]:
    """Return the paths of all files that the function loads, as far as is known."""
    node = runtime_node(runtime, modules.environment)
    graph = modules.resolve(node, runtime.target.architecture.node, whole=True).graph
    targets = (target for edge in graph.edges for target in edge.targets)
    return frozenset(path.removeprefix(f"{TASK_ROOT}/") for path in (*graph.files, *targets))


class StrippedTree:
    """A tree whose ELF files have no symbol tables and debug sections; each is judged again as it ships."""

    def __init__(self, tree: Tree) -> None:
        """Look at every file that may be a binary; the tree must be open."""
        self._tree = tree
        self.stripped: Mapping[str, StrippedElf] = dict(_find_strippable(tree))
        self.entries = {path: self._change_entry(entry) for path, entry in tree.entries.items()}

    @property
    def saved_bytes(self) -> int:
        """Bytes that the files had more."""
        return sum(self._tree.entries[path].size - elf.size for path, elf in self.stripped.items())

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes."""
        with self._tree.view(path) as data:
            elf = self.stripped.get(path)
            if elf is None:
                yield data
                return
            with lend(elf.apply(data)) as contents:
                yield contents

    def _change_entry(self, entry: Entry) -> Entry:
        elf = self.stripped.get(entry.path)
        if elf is None:
            return entry
        identity = f"{entry.identity}:{STRIPPED_MARK}" if entry.identity else ""
        return replace(entry, size=elf.size, identity=identity)


def _find_strippable(tree: Tree) -> Iterator[tuple[str, StrippedElf]]:
    for path, entry in tree.entries.items():
        if entry.kind is not EntryKind.FILE or entry.size <= len(ELF_MAGIC):
            continue
        with tree.view(path) as data:
            elf = strip_elf(data) if data[: len(ELF_MAGIC)] == ELF_MAGIC else None
        if elf is not None:
            yield path, elf


def strip_tree(tree: Tree, observer: Observer) -> Tree:
    """Return a tree without debug symbols, and say what that saves; it is to be judged as it ships."""
    stripped = StrippedTree(tree)
    count = len(stripped.stripped)
    if not count:
        return tree
    noun = "binary" if count == 1 else "binaries"
    observer.note(f"stripped: debug symbols of {count} {noun}, {format_size(stripped.saved_bytes)}")
    return stripped
