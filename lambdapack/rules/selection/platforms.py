"""Families of platform packages: which member a target needs, and which ones are installed."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.native_use import DISPENSABLE_USES
from lambdapack.rules.binary.file_system import TREE_ROOTS, LambdaFileSystem
from lambdapack.rules.selection.selection import foreign_package_reason
from lambdapack.rules.selection.tokens import find_contradiction, parse_platform_tags, split_words, strip_platform_words
from lambdapack.runtimes.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PlatformFamily:
    """The optional dependencies of one package that differ only in the platform they name."""

    owner: PackageManifest
    stem: str  # "@img/sharp-libvips"
    fitting: tuple[str, ...]  # names that fit the target; one of them must be there; () when there is no such build
    installed: tuple[PackageManifest, ...]  # those of the family that are there

    def serves(self, runtime: Runtime) -> bool:
        """Whether an installed member is for this target."""
        return any(foreign_package_reason(manifest, runtime) is None for manifest in self.installed)

    def is_needed(self, required: frozenset[str]) -> bool:
        """Whether its owner is needed and cannot do without it."""
        if self.has_fallback or self.owner.native_use in DISPENSABLE_USES:
            return False
        return self.carries_owner and self.owner.directory in required

    @property
    def has_fallback(self) -> bool:
        """Whether its WebAssembly build is installed, which napi-rs falls back to."""
        return any("wasm" in parse_platform_tags(manifest.name).systems for manifest in self.installed)

    @property
    def carries_owner(self) -> bool:
        """Whether the family is what its owner is about: @img/sharp-linux-x64 of sharp, not @next/swc-* of next."""
        scope, base = _scope_and_base(self.stem)
        _, own_base = _scope_and_base(self.owner.name)
        own = frozenset(split_words(self.owner.name))
        if not base:
            return scope <= own
        return base <= own or (bool(own_base) and own_base <= base)


GENERIC_PART_WORDS = frozenset({"binding", "bindings", "native", "core", "node", "cli", "napi", "rs"})
"""Words that name a part, not a project: @oxc-parser/binding-linux-x64-gnu is what oxc-parser is about."""


def _scope_and_base(name: str) -> tuple[frozenset[str], frozenset[str]]:
    scope, _, base = name.rpartition("/")
    return frozenset(split_words(scope)), frozenset(split_words(base)) - GENERIC_PART_WORDS


def _family_stem(name: str) -> str:
    """A name without its platform words; the scope is kept, so that families of two scopes stay apart."""
    scope, slash, base = name.rpartition("/")
    return f"{scope}{slash}{strip_platform_words(base)}"


def find_plain_variants(families: Iterable[PlatformFamily], runtime: Runtime) -> Mapping[str, frozenset[str]]:
    """Return what stands in for a platform package that is one of several for this target.

    Directory of the package to the directories of those with fewer words in their name: linux-x64 for
    linux-x64-vulkan. A loader tries the more special one, and goes on when it does not load.
    """
    found: dict[str, set[str]] = {}
    served = [platform_family for platform_family in families if platform_family.serves(runtime)]
    for family in served:
        for other in served:
            if other.owner is family.owner and _has_fewer_words(other.stem, family.stem):
                plain = {
                    manifest.directory
                    for manifest in other.installed
                    if foreign_package_reason(manifest, runtime) is None
                }
                for manifest in family.installed:
                    found.setdefault(manifest.directory, set()).update(plain)
    return {directory: frozenset(plain) for directory, plain in found.items()}


def _has_fewer_words(plain: str, special: str) -> bool:
    scope, _, base = plain.rpartition("/")
    other_scope, _, other = special.rpartition("/")
    return scope == other_scope and frozenset(split_words(base)) < frozenset(split_words(other))


class ModuleResolver:
    """The packages of function and layers, found as node finds them: up through node_modules, then NODE_PATH."""

    def __init__(self, space: LambdaFileSystem, runtime: Runtime) -> None:
        """Keep the space, and where the runtime's node looks besides."""
        self._space = space
        self._manifests = space.manifests
        self._node_path = runtime.behaviour.node_path
        self._searched: dict[str, tuple[str, ...]] = {}

    def find(self, owner: PackageManifest, name: str) -> PackageManifest | None:
        """Return the package that require(name) would find from inside another one."""
        found = (self.at(each, name) for each in self.searched(owner.directory))
        return next((manifest for manifest in found if manifest is not None), None)

    def searched(self, directory: str) -> Iterator[str]:
        """Yield where node looks for a package that a file of a directory requires, in order."""
        known = self._searched.get(directory)
        if known is None:
            known = self._searched[directory] = (*node_modules_above(directory), *self._node_path)
        yield from known

    def at(self, modules: str, name: str) -> PackageManifest | None:
        """Return the package of a name in a node_modules, links followed."""
        path = f"{modules}/{name}"
        found = self._manifests.get(path)
        return found if found or not self._space.links else self._manifests.get(self._space.real(path))

    def families(self, runtime: Runtime) -> Iterator[PlatformFamily]:
        """Yield every family of every package that has a member for Linux."""
        for owner in self._manifests.values():
            members: dict[str, list[str]] = {}
            for name in sorted(owner.optional_dependencies | owner.dependencies):
                if parse_platform_tags(name).names_platform:
                    members.setdefault(_family_stem(name), []).append(name)
            for about, names in members.items():
                if any("linux" in parse_platform_tags(each).systems for each in names) and not _is_for_other_cpus(
                    names, members, runtime
                ):
                    fitting = tuple(each for each in names if _fits_target(each, runtime))
                    there = (self.find(owner, each) for each in names)
                    yield PlatformFamily(
                        owner, about, fitting, tuple(manifest for manifest in there if manifest is not None)
                    )

    def required(self) -> frozenset[str]:
        """Return the directories of the packages that something needs without a fallback of its own."""
        return self.reached([manifest for root in TREE_ROOTS for manifest in self.roots(root)], optional=False)

    def reached(self, roots: list[PackageManifest], *, optional: bool) -> frozenset[str]:
        """Return the directories of some packages and of what they depend on, and that on."""
        roots, seen = list(roots), {manifest.directory for manifest in roots}
        while roots:
            for manifest in self._targets(roots.pop(), optional=optional):
                if manifest.directory not in seen:
                    seen.add(manifest.directory)
                    roots.append(manifest)
        return frozenset(seen)

    def _targets(self, owner: PackageManifest, *, optional: bool) -> Iterator[PackageManifest]:
        more = owner.optional_dependencies | owner.peer_dependencies if optional else frozenset()
        names = owner.dependencies | more
        yield from (found for name in names if (found := self.find(owner, name)))

    def roots(self, root: str) -> list[PackageManifest]:
        """Return a tree's own manifest; without one, every package that nothing in the tree asks for."""
        inside = [manifest for directory, manifest in self._manifests.items() if f"{directory}/".startswith(f"{root}/")]
        own = [manifest for manifest in inside if "node_modules" not in manifest.directory.split("/")]
        if any(manifest.dependencies for manifest in own):
            return own
        asked = {found.directory for manifest in inside for found in self._targets(manifest, optional=True)}
        return [manifest for manifest in inside if manifest.directory not in asked]


def node_modules_above(directory: str) -> Iterator[str]:
    """Yield the node_modules that node looks into from a directory, innermost first (lib/internal/modules/cjs)."""
    while True:
        if posixpath.basename(directory) != "node_modules":
            yield posixpath.join(directory, "node_modules")
        if directory == "/":
            return
        directory = posixpath.dirname(directory)


def _is_for_other_cpus(names: list[str], members: Mapping[str, list[str]], runtime: Runtime) -> bool:
    """A project that renames its platform packages keeps the old name for some CPUs: esbuild 0.14 has two families."""
    return not any(_fits_target(name, runtime) for name in names) and any(
        _fits_target(other, runtime) for others in members.values() for other in others
    )


def _fits_target(name: str, runtime: Runtime) -> bool:
    said = parse_platform_tags(name)
    cpu = runtime.target.architecture.node
    return "linux" in said.systems and cpu in said.cpus and find_contradiction(said, runtime) is None
