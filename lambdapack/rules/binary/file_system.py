"""The files of a function and its layers at their paths in Lambda. Never reads this host."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lambdapack.binary.facts import Binary
from lambdapack.model import LAYER_ROOT, TASK_ROOT
from lambdapack.packages.manifests import PackageManifest
from lambdapack.rules.model.case import Case
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
    unnamed: frozenset[str] = frozenset()  # absolute paths of programs that their package's JavaScript never names
    needed: frozenset[str] = frozenset()  # absolute paths of files that another one's DT_NEEDED may mean

    def real(self, path: str) -> str:
        """Return a path with its links followed; a name that is not there stays as it is."""
        path = path if PLAIN_PATH.fullmatch(path) else posixpath.normpath(path)
        for _ in range(MAX_SYMLINKS if self.links else 0):
            link = next((each for each in _leading_paths(path) if each in self.links), None)
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


def merge_layers(facts: Case) -> LambdaFileSystem:
    """Return the space of a function with its layers; a later layer's file replaces an earlier one's.

    A package.json that is replaced takes its manifest along, and a native file its facts.
    """
    entries: dict[str, Entry] = {}
    owners: dict[str, Case] = {}
    for case in (*facts.layers, facts):
        placed = {f"{case.root}/{path}": entry for path, entry in case.entries.items()}
        entries.update(placed)
        owners.update(dict.fromkeys(placed, case))
    binaries: dict[str, Binary] = {}
    manifests = {root: PackageManifest(root, "", "") for root in TREE_ROOTS}
    for case in (*facts.layers, facts):
        for found in case.inventory.binaries:
            if owners.get(path := f"{case.root}/{found.path}") is case:
                binaries[path] = found if case is facts else replace(found, path=path)
        for below, manifest in case.manifests.items():
            directory = f"{case.root}/{below}".rstrip("/")
            if owners.get(f"{directory}/package.json") is case:
                manifests[directory] = replace(manifest, directory=directory)
    unnamed = frozenset(f"{case.root}/{path}" for case in (*facts.layers, facts) for path in case.unnamed)
    space = LambdaFileSystem(entries, binaries, _link_targets(entries), manifests, _directory_paths(entries), unnamed)
    return replace(space, needed=_needed_files(space))


def _needed_files(space: LambdaFileSystem) -> frozenset[str]:
    """Return the files with a name, or a link of that name to them, that some native file asks its loader for."""
    names = {posixpath.basename(name) for binary in space.binaries.values() if binary.elf for name in binary.elf.needed}
    asked = (path for path in (*space.binaries, *space.links) if posixpath.basename(path) in names)
    return frozenset(space.real(each) for each in asked)


def _link_targets(entries: Mapping[str, Entry]) -> Mapping[str, str]:
    return {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        for path, entry in entries.items()
        if entry.kind is EntryKind.SYMLINK
    }


def _directory_paths(entries: Mapping[str, Entry]) -> frozenset[str]:
    found: set[str] = set()
    for path in entries:
        for _ in ancestors(path, found):
            pass
    return frozenset(found | {path for path, entry in entries.items() if entry.kind is EntryKind.DIRECTORY})


def path_in_report(root: str, path: str) -> str:
    """Return an absolute path as a report on the tree at `root` has it: relative to it, or a layer's as /opt/..."""
    if path == root:
        return ""
    return path[len(root) + 1 :] if path.startswith(f"{root}/") else path
