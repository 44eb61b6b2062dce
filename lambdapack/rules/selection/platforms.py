"""Families of platform packages: which member a target needs, and which ones are installed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambdapack.packages.manifests import PackageManifest
from lambdapack.packages.native_use import DISPENSABLE_USES
from lambdapack.rules.model.installed import InstalledPackages
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


def find_spare_builds(families: Iterable[PlatformFamily], good: frozenset[str], runtime: Runtime) -> frozenset[str]:
    """Return the directories of the WebAssembly builds that a loader falls back to, where the native one loads.

    `good` are the directories of the packages whose addons all load.
    """
    served = (
        family for family in families if any(_is_native_build(member, good, runtime) for member in family.installed)
    )
    members = (member for family in served for member in family.installed)
    return frozenset(member.directory for member in members if "wasm" in parse_platform_tags(member.name).systems)


def _is_native_build(member: PackageManifest, good: frozenset[str], runtime: Runtime) -> bool:
    return member.directory in good and foreign_package_reason(member, runtime) is None


def _has_fewer_words(plain: str, special: str) -> bool:
    scope, _, base = plain.rpartition("/")
    other_scope, _, other = special.rpartition("/")
    return scope == other_scope and frozenset(split_words(base)) < frozenset(split_words(other))


def find_families(
    installed: InstalledPackages, manifests: Iterable[PackageManifest], runtime: Runtime
) -> Iterator[PlatformFamily]:
    """Yield every family of every package that has a member for Linux."""
    for owner in manifests:
        members: dict[str, list[str]] = {}
        for name in sorted(owner.optional_dependencies | owner.dependencies):
            if parse_platform_tags(name).names_platform:
                members.setdefault(_family_stem(name), []).append(name)
        for stem, names in members.items():
            if any("linux" in parse_platform_tags(name).systems for name in names) and not _is_for_other_cpus(
                names, members, runtime
            ):
                fitting = tuple(name for name in names if _fits_target(name, runtime))
                manifests_found = (installed.find(owner, name) for name in names)
                members_found = tuple(manifest for manifest in manifests_found if manifest is not None)
                yield PlatformFamily(owner, stem, fitting, members_found)


def _is_for_other_cpus(names: list[str], members: Mapping[str, list[str]], runtime: Runtime) -> bool:
    """A project that renames its platform packages keeps the old name for some CPUs: esbuild 0.14 has two families."""
    return not any(_fits_target(name, runtime) for name in names) and any(
        _fits_target(other, runtime) for others in members.values() for other in others
    )


def _fits_target(name: str, runtime: Runtime) -> bool:
    tags = parse_platform_tags(name)
    cpu = runtime.target.architecture.node
    return "linux" in tags.systems and cpu in tags.cpus and find_contradiction(tags, runtime) is None
