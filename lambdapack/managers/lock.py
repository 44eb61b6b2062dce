"""A lock as every package manager's can be told: packages by id, edges, importers, lines. Never reads a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.credentials import list_url_credentials, secret_words, user_of
from lambdapack.model import Architecture, is_in_node_modules

if TYPE_CHECKING:
    from lambdapack.project.repository import Manifest, Repository


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One entry of a lock, or what a package.json asks for in the same form."""

    id: str  # unique in its lock; npm's is the path
    name: str  # what it is called in the registry, which may differ from its directory's name
    version: str
    line: int  # 1-based, of the entry in the lockfile
    path: str = ""  # where it is installed below the root: "node_modules/sharp"; "lib/x" a `file:` target; "" the root
    dev: bool = False
    optional: bool = False
    dev_optional: bool = False
    peer: bool = False
    link: bool = False  # a symlink to a directory of the repository
    local: str | None = None  # directory or tarball it is made from, below the root; "" the root; None: from elsewhere
    has_install_script: bool = False
    resolved: str = ""  # URL, or a local path
    integrity: str = ""
    os: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    libc: tuple[str, ...] = ()  # npm writes it since 11.11 only
    engines_node: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    optional_dependencies: Mapping[str, str] = field(default_factory=dict)
    dev_dependencies: Mapping[str, str] = field(default_factory=dict)  # of importers only
    peer_dependencies: Mapping[str, str] = field(default_factory=dict)
    optional_peers: frozenset[str] = frozenset()  # peerDependenciesMeta with optional: true
    bundled: frozenset[str] = frozenset()  # names that come inside its own tarball
    in_bundle: bool = False
    has_shrinkwrap: bool = False  # it brings a lockfile, which is obeyed instead of the project's
    absent: bool = False  # a local one whose directory or tarball is not on this host
    commands: tuple[str, ...] = ()  # names under "bin"

    @property
    def directory_name(self) -> str:
        """What its directory in node_modules is called: an alias has another name than the package."""
        return self.path.rpartition("node_modules/")[2] or self.name

    @property
    def has_dependencies(self) -> bool:
        """True when it asks for another package."""
        return bool(self.dependencies or self.optional_dependencies or self.dev_dependencies or self.peer_dependencies)

    @property
    def from_git(self) -> bool:
        """True when git fetches it."""
        return self.resolved.startswith(("git+", "git:"))


class EdgeType(Enum):
    """Why a package is wanted; the value is the section of package.json."""

    PROD = "dependencies"
    DEV = "devDependencies"
    OPTIONAL = "optionalDependencies"
    PEER = "peerDependencies"


@dataclass(frozen=True, slots=True)
class Edge:
    """One line of a dependency section, and the package that serves it."""

    owner: LockedPackage
    name: str
    spec: str
    need: EdgeType
    target: LockedPackage | None  # None: the lock has no such package


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lockfile says."""

    manager: str  # "npm"
    path: Path
    version: int  # of its format
    packages: Mapping[str, LockedPackage]  # by id; npm's holds an entry for each importer, too
    importers: Mapping[str, LockedPackage]  # what each package.json asks for, by directory below the root; "." the root
    edges: Mapping[str, tuple[Edge, ...]]  # by the owner's id; without what a package brings in its own tarball
    outdated: tuple[str, ...] = ()  # what the importer's package.json says otherwise; npm's is judged edge by edge

    @property
    def production(self) -> tuple[LockedPackage, ...]:
        """What an install without devDependencies puts into node_modules on some platform."""
        return tuple(
            package for package in self.packages.values() if is_in_node_modules(package.path) and not package.dev
        )

    @property
    def git_urls(self) -> tuple[str, ...]:
        """What git fetches, with the commits."""
        return tuple(package.resolved for package in self.packages.values() if package.from_git)

    def follow(self, package: LockedPackage) -> LockedPackage:
        """Return the target of a link, anything else as it is."""
        if not package.link or package.local is None:
            return package
        return self.importers.get(package.local or ".") or self.packages.get(package.local, package)

    def walk(self, importer: str, *, dev: bool) -> Iterator[Edge]:
        """Yield every edge that can be reached from an importer."""
        root = self.importers[importer]
        seen = {root.id}
        waiting = [root]
        while waiting:
            for edge in self.edges.get(waiting.pop().id, ()):
                if edge.need is EdgeType.DEV and not dev:
                    continue
                yield edge
                package = self.follow(edge.target) if edge.target else None
                if package and package.id not in seen:
                    seen.add(package.id)
                    waiting.append(package)


def mark_production(lock: Lock, importer: str) -> Lock:
    """Return the lock with everything marked "dev" that an install for one importer, without dev, does not need.

    Links get entries of their own: what they lead to ships as a package.
    """
    needed: dict[str, LockedPackage] = {}
    for edge in lock.walk(importer, dev=False):
        if edge.target is not None:
            needed[edge.target.id] = edge.target
    packages = {key: replace(package, dev=key not in needed) for key, package in lock.packages.items()}
    links = {key: package for key, package in needed.items() if package.link}
    return replace(lock, packages={**packages, **links}, edges={**dict.fromkeys(links, ()), **lock.edges})


@dataclass(frozen=True, slots=True)
class DependencySource:
    """Where an install's dependencies are written down: a package.json of a repository, and the lock that covers it."""

    manager: str  # the package manager that serves it
    repository: "Repository"
    importer: str  # directory of the package.json below the root; "." the root itself
    lock: Lock | None

    @property
    def manifest(self) -> "Manifest":
        """The package.json."""
        return self.repository.manifests[self.importer]

    @property
    def foreign_lockfiles(self) -> tuple[str, ...]:
        """Names of lockfiles in the root that its package manager does not read."""
        return self.repository.foreign_lockfiles(self.manager)

    @property
    def credential_urls(self) -> tuple[str, ...]:
        """URLs of the package.json and of the lock that carry a user: every script can read both."""
        packages = self.lock.packages.values() if self.lock else ()
        locked = [package.resolved for package in packages if "@" in package.resolved and user_of(package.resolved)]
        specs = [dict(package.dependencies) for package in packages if not is_in_node_modules(package.path)]
        return tuple(dict.fromkeys([*list_url_credentials([self.manifest.document, *specs]), *locked]))

    @property
    def secret_words(self) -> tuple[str, ...]:
        """What of these URLs must not be seen in a log line."""
        return tuple(dict.fromkeys(word for url in self.credential_urls for word in secret_words(url)))


def admits_platform(listed: tuple[str, ...], value: str) -> bool:
    """Tell whether an `os`, `cpu` or `libc` field of a package.json admits a value.

    As npm-install-checks does (lib/index.js, checkList, 7.1.2 in npm 10.9 and 11, 8.0.0 in npm 12): `!x` excludes, an
    empty list admits all, and "any" has its meaning only where it stands alone.
    """
    if not listed or listed == ("any",):
        return True
    excluded = [entry[1:] for entry in listed if entry.startswith("!")]
    if value in excluded:
        return False
    return value in listed or len(excluded) == len(listed)


def is_installable(package: LockedPackage, architecture: Architecture) -> bool:
    """Tell whether a package is for Lambda: linux, glibc, this CPU."""
    return (
        admits_platform(package.os, "linux")
        and admits_platform(package.cpu, architecture.node)
        and admits_platform(package.libc, "glibc")
    )


def packages_with_install_scripts(lock: Lock, architecture: Architecture) -> tuple[LockedPackage, ...]:
    """Return the production packages with an install script that are installed for a CPU."""
    return tuple(
        package for package in lock.production if package.has_install_script and is_installable(package, architecture)
    )
