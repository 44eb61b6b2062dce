"""A function's project as npm sees it: its manifest, its lockfile, and each locked package. Nouns only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def is_in_node_modules(path: str) -> bool:
    """Tell whether a lockfile path is an installed place, not the root and not the target of a link."""
    return "node_modules" in path.split("/")


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One entry of "packages" in package-lock.json v2 or v3."""

    path: str  # "node_modules/sharp"; "" is the root; "lib/x" a file: target
    name: str  # from the path, or "name" for an alias or a link target
    version: str
    line: int  # 1-based, of its key in the lockfile
    dev: bool = False
    optional: bool = False
    dev_optional: bool = False
    peer: bool = False
    link: bool = False
    has_install_script: bool = False
    resolved: str = ""  # URL, or the relative path of a link's target
    integrity: str = ""
    os: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    libc: tuple[str, ...] = ()  # written by npm >= 11.11 only
    engines_node: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    optional_dependencies: Mapping[str, str] = field(default_factory=dict)
    dev_dependencies: Mapping[str, str] = field(default_factory=dict)  # the root and link targets only
    peer_dependencies: Mapping[str, str] = field(default_factory=dict)
    optional_peers: frozenset[str] = frozenset()  # peerDependenciesMeta with optional: true
    bundled: frozenset[str] = frozenset()  # names that come inside its own tarball
    in_bundle: bool = False
    has_shrinkwrap: bool = False  # its tarball brings a lockfile, which npm obeys instead of ours
    commands: tuple[str, ...] = ()  # names under "bin"


@dataclass(frozen=True, slots=True)
class Lockfile:
    """package-lock.json or npm-shrinkwrap.json."""

    path: Path
    version: int  # lockfileVersion
    packages: Mapping[str, LockedPackage]  # by path, the root "" included

    @property
    def production(self) -> tuple[LockedPackage, ...]:
        """What `npm ci --omit=dev` would put into node_modules on some platform."""
        return tuple(package for path, package in self.packages.items() if is_in_node_modules(path) and not package.dev)


@dataclass(frozen=True, slots=True)
class Project:
    """A function's directory, read and not yet judged."""

    root: Path  # where the lockfile is
    member: str  # the function's directory relative to root, "." for the root itself
    name: str
    version: str
    manifest: Mapping[str, Any]  # the function's package.json
    lockfile: Lockfile | None
    handler: str  # "index.handler"
    foreign_locks: tuple[str, ...] = ()  # yarn.lock, pnpm-lock.yaml, bun.lockb that lie in root
    manifest_lines: Mapping[str, int] = field(default_factory=dict)  # "scripts.prepare" -> 1-based line

    @property
    def directory(self) -> Path:
        """The function's own directory."""
        return self.root if self.member == "." else self.root / self.member
