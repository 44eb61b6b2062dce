"""Moves the closure of one package of an installed repository into a directory of its own. Reads trees only.

Every package manager lays a workspace out in its own way: hoisted, nested, linked. Node's search tells which package
serves which name there; placed anew below one root, each name is served by the same package again.
"""

import bisect
import json
import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from lambdapack.managers.layout import SandboxLayout
from lambdapack.managers.lock import admits_platform
from lambdapack.model import NODE_MODULES, Architecture
from lambdapack.project.document import string_entries
from lambdapack.tree.compose import MemoryTree, OverlayTree
from lambdapack.tree.entry import MAX_SYMLINKS, Entry, EntryKind, Tree, index_entries, read_file

BIN_DIRECTORY = f"{NODE_MODULES}/.bin"

CLOSURE_SECTIONS = ("dependencies", "optionalDependencies", "peerDependencies")
"""What a package needs at run time. A peer that nobody installed is left to the checks of the result."""

PORTABLE_PROTOCOLS = ("workspace:", "catalog:", "link:", "file:", "portal:", "patch:")
"""Of specifiers that mean something inside their own repository only; pnpm and yarn replace them when they pack."""


@dataclass(frozen=True, slots=True)
class PlacedPackage:
    """A package of the installed tree, by its real directory there."""

    directory: str
    manifest: Mapping[str, Any] = field(compare=False, hash=False)

    @property
    def bundles(self) -> bool:
        """True when its own tarball brought packages, which stay where they lie in it."""
        bundled = self.manifest.get("bundleDependencies", self.manifest.get("bundledDependencies"))
        return bool(bundled)

    def supports(self, architecture: Architecture) -> bool:
        """Tell whether the package is for Lambda: managers that know no libc install both."""
        wanted = (("os", "linux"), ("cpu", architecture.node), ("libc", "glibc"))
        return all(admits_platform(_words(self.manifest.get(key)), value) for key, value in wanted)


class InstalledTree:
    """Finds packages in an installed tree as node does: real directories first, then node_modules on the way up."""

    def __init__(self, tree: Tree, member: str = "") -> None:
        """Index the tree; what a package beside the repository does not find is looked for from the member."""
        self._tree = tree
        self._member = member
        self._paths = sorted(tree.entries)
        self._packages: dict[str, PlacedPackage | None] = {}

    def paths_below(self, directory: str) -> list[str]:
        """Return the paths of everything below a directory."""
        if not directory:
            return self._paths
        start = bisect.bisect_left(self._paths, f"{directory}/")
        return self._paths[start : bisect.bisect_left(self._paths, f"{directory}0", start)]

    def real_path(self, path: str) -> str | None:
        """Return a path with every link followed, None when one leaves the tree or goes round."""
        pending, resolved, followed = path.split("/")[::-1], "", 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if not resolved:
                    return None
                resolved = posixpath.dirname(resolved)
                continue
            resolved = posixpath.join(resolved, part)
            entry = self._tree.entries.get(resolved)
            if entry is not None and entry.kind is EntryKind.SYMLINK:
                followed += 1
                if followed > MAX_SYMLINKS or entry.target.startswith("/"):
                    return None
                resolved = posixpath.dirname(resolved)
                pending += entry.target.split("/")[::-1]
        return resolved

    def package(self, directory: str) -> PlacedPackage | None:
        """Return the package whose real directory this is, None when there is no readable package.json."""
        if directory not in self._packages:
            self._packages[directory] = self._read_package(directory)
        return self._packages[directory]

    def _read_package(self, directory: str) -> PlacedPackage | None:
        path = posixpath.join(directory, "package.json")
        entry = self._tree.entries.get(path)
        if entry is None or entry.kind is not EntryKind.FILE:
            return None
        try:
            manifest = json.loads(read_file(self._tree, path).decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return None
        return PlacedPackage(directory, manifest) if isinstance(manifest, dict) else None

    def find(self, directory: str, name: str) -> PlacedPackage | None:
        """Return the package that `require(name)` finds from a real directory."""
        here = directory
        while True:
            if posixpath.basename(here) != NODE_MODULES:
                place = self.real_path(posixpath.join(here, NODE_MODULES, name))
                package = self.package(place) if place is not None else None
                if package is not None:
                    return package
            if not here:
                return None
            here = posixpath.dirname(here)

    def packages_by_need(self) -> Iterator[PlacedPackage]:
        """Yield every package in some node_modules, each after those that it needs, else in the order of the paths."""
        directories = (posixpath.dirname(path) for path in self._paths if posixpath.basename(path) == "package.json")
        seen: set[str] = set()
        for directory in directories:
            first = self.package(directory) if is_package_directory(directory) else None
            waiting = [(first, self.needs(first))] if first and directory not in seen else []
            seen.add(directory)
            while waiting:
                package, needed = waiting[-1]
                following = next((found for _name, found in needed if found.directory not in seen), None)
                if following is not None:
                    seen.add(following.directory)
                    waiting.append((following, self.needs(following)))
                    continue
                waiting.pop()
                if is_package_directory(package.directory):
                    yield package

    def needs(self, package: PlacedPackage) -> Iterator[tuple[str, PlacedPackage]]:
        """Yield each name that a package and what it bundles need from elsewhere, with the package that serves it."""
        yield from self._siblings(package)
        for source in (package, *self._bundled(package)):
            for name in dict.fromkeys(name for key in CLOSURE_SECTIONS for name in _names(source.manifest, key)):
                found = self.find(source.directory, name) or self.find(self._member, name)
                inside = found is not None and found.directory.startswith(f"{package.directory}/")
                if found is not None and not (package.bundles and inside):
                    yield name, found

    def _siblings(self, package: PlacedPackage) -> Iterator[tuple[str, PlacedPackage]]:
        """Yield what pnpm linked beside a package of its store: what the lock says, `packageExtensions` included."""
        before, found, below = package.directory.rpartition(f"/{NODE_MODULES}/")
        if not found or f"{NODE_MODULES}/.pnpm/" not in f"{before}/":
            return
        for path in self.paths_below(f"{before}/{NODE_MODULES}"):
            name = path[len(before) + len(NODE_MODULES) + 2 :]
            entry = self._tree.entries[path]
            if entry.kind is EntryKind.SYMLINK and name != below and name.count("/") == name.startswith("@"):
                sibling = self.find(before, name)
                if sibling is not None:
                    yield name, sibling

    def _bundled(self, package: PlacedPackage) -> Iterator[PlacedPackage]:
        if package.bundles:
            for path in self.paths_below(f"{package.directory}/{NODE_MODULES}"):
                if posixpath.basename(path) == "package.json" and is_package_directory(posixpath.dirname(path)):
                    nested = self.package(posixpath.dirname(path))
                    if nested is not None:
                        yield nested


def is_package_directory(directory: str) -> bool:
    """Tell whether a path is that of a package in some node_modules."""
    parent, name = posixpath.split(directory)
    parent = posixpath.dirname(parent) if posixpath.basename(parent).startswith("@") else parent
    return posixpath.basename(parent) == NODE_MODULES and not name.startswith(".")


def _names(manifest: Mapping[str, Any], section: str) -> tuple[str, ...]:
    value = manifest.get(section)
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, dict) else ()


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the packages of a closure go: directories below the new root, "" the root's own package."""

    packages: Mapping[str, PlacedPackage]
    links: Mapping[str, str]  # directory to the directory that it repeats: a circle of two versions


class _Placing:
    """Places a closure, every name as near to the root as node's search allows."""

    def __init__(self, installed: InstalledTree, architecture: Architecture) -> None:
        self._installed = installed
        self._architecture = architecture
        self.packages: dict[str, PlacedPackage] = {}
        self.links: dict[str, str] = {}
        self._passed: dict[tuple[str, str], None] = {}  # directories that a search for a name has passed in vain

    def place(self, root: PlacedPackage) -> None:
        """Place a package at the root and everything that it needs below."""
        self.packages[""] = root
        waiting = deque([""])
        while waiting:
            user = waiting.popleft()
            for name, package in self._installed.needs(self.packages[user]):
                if package.supports(self._architecture):
                    placed = self._place_name(user, name, package)
                    if placed is not None:
                        waiting.append(placed)

    def _place_name(self, user: str, name: str, package: PlacedPackage) -> str | None:
        """Return where a package was newly placed for a user, None when the user finds it already."""
        if package == self.packages[""]:  # a workspace that needs itself in a circle
            self._link(user, name, "")
            return None
        searched: list[str] = []
        for directory in _directories_above(user):
            place = posixpath.join(directory, NODE_MODULES, name)
            found = self.packages.get(self.links.get(place, place))
            if found == package:
                self._passed.update(dict.fromkeys((passed, name) for passed in searched))
                return None
            if found is not None:
                break
            searched.append(directory)
        free = [directory for directory in searched if (directory, name) not in self._passed]
        directory = free[-1] if free else user
        self._passed.update(dict.fromkeys((passed, name) for passed in searched[: searched.index(directory)]))
        place = posixpath.join(directory, NODE_MODULES, name)
        above = next((path for path in _directories_above(user) if self.packages.get(path) == package), None)
        if above is not None:
            self._link(user, name, above)
            return None
        self.packages[place] = package
        return place

    def _link(self, user: str, name: str, directory: str) -> None:
        self.links[posixpath.join(user, NODE_MODULES, name)] = directory


def _directories_above(user: str) -> Iterator[str]:
    """Yield the packages' directories in which node searches for a user, the nearest first."""
    here = user
    while True:
        yield here
        if not here:
            return
        here = here.rpartition(f"{NODE_MODULES}/")[0].rstrip("/")


def place_closure(installed: InstalledTree, member: str, architecture: Architecture) -> Placement:
    """Return where the packages go that a member's package.json needs; `member` is its directory in the tree."""
    root = installed.package(member)
    placing = _Placing(installed, architecture)
    if root is not None:
        placing.place(root)
    return Placement(placing.packages, placing.links)


class RelocatedTree:
    """A member's directory with its closure in node_modules: packages of the repository are ordinary directories."""

    def __init__(self, tree: Tree, member: str, architecture: Architecture) -> None:
        """Place the closure of the member and move it; of the member itself everything but node_modules comes along."""
        self._tree = tree
        self._origin: dict[str, str] = {}
        installed = InstalledTree(tree, member)
        placement = place_closure(installed, member, architecture)
        entries: dict[str, Entry] = {}
        for place, package in placement.packages.items():
            for path in _own_paths(installed, package):
                below = path[len(package.directory) + 1 :] if package.directory else path
                moved = posixpath.join(place, below)
                self._origin[moved] = path
                entries[moved] = replace(tree.entries[path], path=moved)
        for place, directory in placement.links.items():
            target = posixpath.relpath(directory or ".", posixpath.dirname(place))
            entries.setdefault(place, Entry(place, EntryKind.SYMLINK, 0o777, 0, target))
        for place, target in _bin_links(placement):
            entries.setdefault(place, Entry(place, EntryKind.SYMLINK, 0o777, 0, target))
        self.entries: Mapping[str, Entry] = index_entries(entries.values(), "node_modules")

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        """Give a view of a file's bytes."""
        return self._tree.view(self._origin[path])


def arrange_tree(tree: Tree, layout: SandboxLayout, architecture: Architecture) -> Tree:
    """Return a fetched tree as it lies at /var/task on Lambda."""
    if not layout.is_moved:
        return tree
    return with_portable_manifests(RelocatedTree(tree, layout.member, architecture))


def _own_paths(installed: InstalledTree, package: PlacedPackage) -> Iterator[str]:
    """Yield what belongs to a package itself: not what its manager put into its node_modules."""
    cut = len(package.directory) + 1 if package.directory else 0
    for path in installed.paths_below(package.directory):
        below = path[cut:]
        inside = below == NODE_MODULES or below.startswith(f"{NODE_MODULES}/")
        if not inside or (package.bundles and not below.startswith(f"{BIN_DIRECTORY}/")):
            yield path


def _bin_links(placement: Placement) -> Iterator[tuple[str, str]]:
    """Yield the links that managers put into .bin for each program, with where they lead."""
    for place, package in placement.packages.items():
        modules, _, name = place.rpartition(f"{NODE_MODULES}/")
        programs = package.manifest.get("bin")
        if isinstance(programs, str):
            programs = {posixpath.basename(name): programs}
        for command, file in string_entries(programs).items() if name else ():
            path = posixpath.normpath(posixpath.join("..", name, file))
            safe = command and "/" not in command.removeprefix("@") and command not in {".", ".."}
            if safe and path.startswith(f"../{name}/"):
                yield f"{modules}{BIN_DIRECTORY}/{command}", path


def with_portable_manifests(tree: Tree) -> Tree:
    """Return the tree with specifiers of package.json files replaced that mean something in their repository only."""
    changed: dict[str, tuple[bytes, int]] = {}
    for path, entry in tree.entries.items():
        if posixpath.basename(path) != "package.json" or entry.kind is not EntryKind.FILE:
            continue
        data = read_file(tree, path)
        if not any(f'"{protocol}'.encode() in data for protocol in PORTABLE_PROTOCOLS):
            continue
        portable = _portable_manifest(tree, posixpath.dirname(path), data)
        if portable is not None:
            changed[path] = (portable, entry.mode)
    return OverlayTree(tree, MemoryTree(changed)) if changed else tree


def _portable_manifest(tree: Tree, directory: str, data: bytes) -> bytes | None:
    try:
        manifest = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict):
        return None
    installed = InstalledTree(tree)
    for section in CLOSURE_SECTIONS:
        for name, spec in string_entries(manifest.get(section)).items():
            if spec.startswith(PORTABLE_PROTOCOLS):
                found = installed.find(directory, name)
                version = found.manifest.get("version") if found else None
                manifest[section][name] = version if isinstance(version, str) and version else "*"
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
