"""A serverless function as npm sees it: its manifest, its lockfile, and where each package stands in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Lockfile:
    """package-lock.json or npm-shrinkwrap.json."""

    path: Path
    version: int  # lockfileVersion
    packages: Mapping[str, LockedPackage]  # by path, the root "" included

    @property
    def production(self) -> tuple[LockedPackage, ...]:
        """What `npm ci --omit=dev` would put into node_modules on some platform."""
        return tuple(
            each
            for path, each in self.packages.items()
            if path and not each.dev and ("node_modules/" in path or path.startswith("node_modules"))
        )


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

    @property
    def directory(self) -> Path:
        """The function's own directory."""
        return self.root if self.member == "." else self.root / self.member
