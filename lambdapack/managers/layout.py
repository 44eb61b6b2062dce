"""Where a repository lies in the sandbox: its root, the package that is installed for, and packages beside the root."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambdapack.managers.lock import DependencySource, LockedPackage
from lambdapack.model import is_in_node_modules

HOISTING_MANAGER = "npm"
"""The one whose own layout is what ships, where the function is the root."""

REPOSITORY_DIRECTORY = "repository"


@dataclass(frozen=True, slots=True)
class SandboxLayout:
    """Directories below /var/task while the package manager fetches; "" is /var/task itself."""

    root: str = ""  # the repository's root
    member: str = ""  # the package.json that is installed for
    copies_local: bool = False  # the lock was made with install-links: directories are packed in place of links
    own_locks: tuple[str, ...] = ()  # directories beside the repository with lockfiles of their own
    variant: str = ""  # who wrote the lock, where a package manager has had several formats: "yarn-berry"

    @property
    def is_moved(self) -> bool:
        """True when the fetched tree has to be moved before it is what Lambda has at /var/task."""
        return bool(self.member)

    def place(self, path: str) -> str:
        """Return where a path relative to the repository's root lies: "../lib" beside the root."""
        joined = posixpath.normpath(posixpath.join(self.root, path))
        return "" if joined == "." else joined


def sandbox_layout(source: DependencySource) -> SandboxLayout:
    """Return the layout of a repository: its root is /var/task unless a production package lies outside of it."""
    climbs = max((_climbed(package.local or "") for package in _outside_packages(source)), default=0)
    parts = source.repository.root.resolve().parts[1:]
    root = "/".join(parts[len(parts) - climbs :]) if 0 < climbs <= len(parts) else ""
    variant = source.lock.manager if source.lock else ""
    if source.manager != HOISTING_MANAGER and not root:
        root = REPOSITORY_DIRECTORY  # links and stores of other layouts are never what ships
    member = posixpath.normpath(posixpath.join(root, source.importer))
    placed = SandboxLayout(root, "" if member == "." else member, variant=variant)
    if source.manager != HOISTING_MANAGER:
        return placed
    locks = (package for package in _outside_packages(source) if package.link and _has_own_lock(source, package))
    return replace(
        placed,
        copies_local=any(_is_copied(package) for package in local_packages(source)),
        own_locks=tuple(placed.place(package.local or "") for package in locks),
    )


def local_packages(source: DependencySource) -> Iterator[LockedPackage]:
    """Yield the production packages whose files are directories of this host, links' targets in place of links."""
    seen = set()
    for package in source.lock.production if source.lock else ():
        if package.local is not None and package.local not in seen:
            seen.add(package.local)
            yield package


def _outside_packages(source: DependencySource) -> Iterator[LockedPackage]:
    return (package for package in local_packages(source) if (package.local or "").startswith(".."))


def _climbed(path: str) -> int:
    parts = posixpath.normpath(path).split("/")
    return next((index for index, part in enumerate(parts) if part != ".."), len(parts))


def _is_copied(package: LockedPackage) -> bool:
    tarball = (package.local or "").endswith((".tgz", ".tar.gz", ".tar"))
    return is_in_node_modules(package.path) and not package.link and not tarball


def _has_own_lock(source: DependencySource, link: LockedPackage) -> bool:
    return source.lock is not None and source.lock.follow(link).has_shrinkwrap
