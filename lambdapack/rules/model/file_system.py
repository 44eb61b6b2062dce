"""The files of a function and its layers at their paths in Lambda. Never reads this host."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lambdapack.binary.facts import Binary
from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.package import PackageFacts
from lambdapack.tree.entry import MAX_SYMLINKS, Entry, EntryKind, ancestors

PLAIN_PATH = re.compile(r"(?:/[^/.][^/]*)+")
"""Nearly every path there is: nothing in it can be made shorter, and thousands are asked for."""

TREE_ROOTS = (TASK_ROOT, LAYER_ROOT)


@dataclass(frozen=True, slots=True)
class LambdaFileSystem:
    """Absolute path to entry and to binary, absolute directory to manifest."""

    entries: Mapping[str, Entry]
    binaries: Mapping[str, Binary]  # their own paths are as a report has them: a layer's absolute
    links: Mapping[str, str]  # absolute path of a symlink to the absolute path it names
    manifests: Mapping[str, PackageManifest] = field(default_factory=dict)  # their directories are absolute as well
    directories: frozenset[str] = frozenset()  # with those that have no entry of their own
    unnamed_programs: frozenset[str] = (
        frozenset()
    )  # absolute paths of programs that their package's JavaScript never names
    scripts_run: frozenset[str] = frozenset()  # npm names of the packages whose scripts the install's log shows as run
    needed: frozenset[str] = frozenset()  # absolute paths of files that another one's DT_NEEDED may mean

    def real(self, path: str) -> str:
        """Return a path with its links followed; a name that is not there stays as it is."""
        path = path if PLAIN_PATH.fullmatch(path) else posixpath.normpath(path)
        for _ in range(MAX_SYMLINKS if self.links else 0):
            link = next((above for above in _leading_paths(path) if above in self.links), None)
            if link is None:
                break
            path = posixpath.normpath(self.links[link] + path[len(link) :])
        return path

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        entry = self.entries.get(self.real(path))
        return entry is not None and entry.kind is EntryKind.FILE

    def is_directory(self, path: str) -> bool:
        """Tell whether a path leads to a directory, with an entry of its own or only with children."""
        return self.real(path) in self.directories

    def binary(self, path: str) -> Binary | None:
        """Return the native file that a path leads to."""
        return self.binaries.get(self.real(path))

    def below(self, directory: str) -> Iterator[tuple[str, Entry]]:
        """Yield what lies below a directory, with its absolute path."""
        start = f"{directory}/"
        yield from ((path, entry) for path, entry in self.entries.items() if path.startswith(start))


def _leading_paths(path: str) -> list[str]:
    """The path's leading directories, outermost first, then itself."""
    parts = path.split("/")[1:]
    return ["/" + "/".join(parts[: end + 1]) for end in range(len(parts))]


def merge_layers(facts: PackageFacts) -> LambdaFileSystem:
    """Return the files of a function and its layers; a later layer's file replaces an earlier one's.

    A package.json that is replaced takes its manifest along, and a native file its facts.
    """
    entries: dict[str, Entry] = {}
    owners: dict[str, PackageFacts] = {}
    for tree in (*facts.layers, facts):
        placed = {f"{tree.root}/{path}": entry for path, entry in tree.entries.items()}
        entries.update(placed)
        owners.update(dict.fromkeys(placed, tree))
    binaries: dict[str, Binary] = {}
    manifests = {root: PackageManifest(root, "", "") for root in TREE_ROOTS}
    for tree in (*facts.layers, facts):
        for binary in tree.inventory.binaries:
            if owners.get(path := f"{tree.root}/{binary.path}") is tree:
                binaries[path] = binary if tree is facts else replace(binary, path=path)
        for below, manifest in tree.manifests.items():
            directory = f"{tree.root}/{below}".rstrip("/")
            if owners.get(f"{directory}/package.json") is tree:
                manifests[directory] = replace(manifest, directory=directory)
    unnamed = frozenset(f"{tree.root}/{path}" for tree in (*facts.layers, facts) for path in tree.unnamed_programs)
    file_system = LambdaFileSystem(
        entries, binaries, _link_targets(entries), manifests, _directory_paths(entries), unnamed, facts.scripts_run
    )
    return replace(file_system, needed=_needed_files(file_system))


def _needed_files(file_system: LambdaFileSystem) -> frozenset[str]:
    """Return the files with a name, or a link of that name to them, that some native file asks its loader for."""
    names = {
        posixpath.basename(name) for binary in file_system.binaries.values() if binary.elf for name in binary.elf.needed
    }
    asked = (path for path in (*file_system.binaries, *file_system.links) if posixpath.basename(path) in names)
    return frozenset(file_system.real(path) for path in asked)


def _link_targets(entries: Mapping[str, Entry]) -> Mapping[str, str]:
    return {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        for path, entry in entries.items()
        if entry.kind is EntryKind.SYMLINK
    }


def _directory_paths(entries: Mapping[str, Entry]) -> frozenset[str]:
    directories: set[str] = set()
    for path in entries:
        for _ in ancestors(path, directories):
            pass
    return frozenset(directories | {path for path, entry in entries.items() if entry.kind is EntryKind.DIRECTORY})


def path_in_report(root: str, path: str) -> str:
    """Return an absolute path as a report on the tree at `root` has it: relative to it, or a layer's as /opt/..."""
    if path == root:
        return ""
    return path[len(root) + 1 :] if path.startswith(f"{root}/") else path


def has_node_modules(file_system: LambdaFileSystem) -> bool:
    """Tell whether something is installed: a node_modules of the function or of a layer."""
    return any(path.endswith(f"/{NODE_MODULES}") for path in (*file_system.directories, *file_system.links))
