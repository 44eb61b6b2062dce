"""Families of platform packages: which member a package needs on a target, and what is installed instead."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdapack.project.installed import PackageManifest
from lambdapack.rules.selection import package_is_foreign
from lambdapack.rules.space import Space
from lambdapack.rules.tokens import contradiction, stem, tags, words
from lambdapack.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Family:
    """The optional dependencies of one package that differ only in the platform they name."""

    owner: PackageManifest
    stem: str  # "@img/sharp-libvips"
    fitting: tuple[str, ...]  # names that fit the target; one of them must be there; () when there is no such build
    installed: tuple[PackageManifest, ...]  # those of the family that are there

    def serves(self, runtime: Runtime) -> bool:
        """Whether an installed member is for this target."""
        return any(package_is_foreign(each, runtime) is None for each in self.installed)

    @property
    def has_fallback(self) -> bool:
        """Whether its WebAssembly build is installed, which napi-rs falls back to."""
        return any("wasm" in tags(each.name).systems for each in self.installed)

    @property
    def carries_owner(self) -> bool:
        """Whether the family is what its owner is about: @img/sharp-linux-x64 of sharp, not @next/swc-* of next."""
        scope, base = _scope_and_base(self.stem)
        _, own_base = _scope_and_base(self.owner.name)
        own = frozenset(words(self.owner.name))
        if not base:
            return scope <= own
        return base <= own or (bool(own_base) and own_base <= base)


GENERIC = frozenset({"binding", "bindings", "native", "core", "node", "cli", "napi", "rs"})
"""Words that name a part, not a project: @oxc-parser/binding-linux-x64-gnu is what oxc-parser is about."""


def _scope_and_base(name: str) -> tuple[frozenset[str], frozenset[str]]:
    scope, _, base = name.rpartition("/")
    return frozenset(words(scope)), frozenset(words(base)) - GENERIC


def _about(name: str) -> str:
    """A name without its platform words; the scope is kept, so that families of two scopes stay apart."""
    scope, slash, base = name.rpartition("/")
    return f"{scope}{slash}{stem(base)}"


class Installed:
    """The packages of one tree, found as Node.js finds them: up through node_modules, links followed."""

    def __init__(self, manifests: Mapping[str, PackageManifest], root: str, space: Space) -> None:
        """Keep the manifests of the tree that lies at `root`."""
        self._manifests = manifests
        self._root = root
        self._space = space

    def find(self, owner: PackageManifest, name: str) -> PackageManifest | None:
        """Return the package that require(name) would find from inside another one."""
        directory = owner.directory
        while True:
            place = posixpath.join(directory, "node_modules", name)
            found = self._manifests.get(self._real(place))
            if found is not None or not directory:
                return found
            directory = posixpath.dirname(directory)

    def _real(self, directory: str) -> str:
        real = self._space.real(posixpath.join(self._root, directory))
        return posixpath.relpath(real, self._root)

    def families(self, runtime: Runtime) -> Iterator[Family]:
        """Yield every family of every package that has a member for Linux."""
        for owner in self._manifests.values():
            members: dict[str, list[str]] = {}
            for name in sorted(owner.optional_dependencies | owner.dependencies):
                if tags(name).names_platform:
                    members.setdefault(_about(name), []).append(name)
            for about, names in members.items():
                if any("linux" in tags(each).systems for each in names):
                    fitting = tuple(each for each in names if _fits(each, runtime))
                    there = (self.find(owner, each) for each in names)
                    yield Family(owner, about, fitting, tuple(each for each in there if each is not None))

    def required(self) -> frozenset[str]:
        """Return the directories of the packages that something needs without a fallback of its own."""
        targets = {
            id(each): [found for name in each.dependencies if (found := self.find(each, name))]
            for each in self._manifests.values()
        }
        pending = list(self._roots())
        seen = {each.directory for each in pending}
        while pending:
            for each in targets[id(pending.pop())]:
                if each.directory not in seen:
                    seen.add(each.directory)
                    pending.append(each)
        return frozenset(seen)

    def _roots(self) -> list[PackageManifest]:
        """The function's own manifest; without one, every package that nothing in the tree asks for."""
        own = [each for directory, each in self._manifests.items() if "node_modules" not in directory.split("/")]
        if any(each.dependencies for each in own):
            return own
        asked = {
            found.directory
            for each in self._manifests.values()
            for name in each.dependencies | each.optional_dependencies
            if (found := self.find(each, name))
        }
        return [each for directory, each in self._manifests.items() if directory not in asked]


def _fits(name: str, runtime: Runtime) -> bool:
    said = tags(name)
    cpu = runtime.target.architecture.node
    return "linux" in said.systems and cpu in said.cpus and contradiction(said, runtime) is None
