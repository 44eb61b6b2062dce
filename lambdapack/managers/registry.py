"""The package managers that a build knows. A new one is a folder here and a member of MANAGERS."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lambdapack.managers.lock import DependencySource
from lambdapack.managers.npm.npm import Npm
from lambdapack.managers.pnpm.pnpm import Pnpm
from lambdapack.managers.yarn.yarn import Yarn

if TYPE_CHECKING:
    from lambdapack.events import Observer
    from lambdapack.managers.interface import ManagerSettings, PackageManager
    from lambdapack.project.repository import Repository

MANAGERS: tuple["PackageManager", ...] = (Npm(), Pnpm(), Yarn())
"""The first serves a repository whose own package manager is none of them: its pre-flight says so."""


def find_manager(repository: "Repository") -> "PackageManager":
    """Return the package manager of a repository."""
    return next((manager for manager in MANAGERS if manager.name == repository.manager), MANAGERS[0])


def read_dependency_source(repository: "Repository", importer: str) -> DependencySource:
    """Return what a package.json of the repository depends on, with the lock that covers it. LP003 when broken."""
    manager = find_manager(repository)
    return DependencySource(manager.name, repository, importer, manager.read(repository, importer))


def read_dependencies(directory: Path) -> DependencySource:
    """Return what the package.json of a directory depends on. LP002 without one, LP003 when a file is broken."""
    from lambdapack.project.repository import read_repository  # noqa: PLC0415  # a tree has locks and no repository

    repository = read_repository(directory)
    (importer,) = repository.manifests
    return read_dependency_source(repository, importer)


def fetch_registry_package(
    name: str, version: str, settings: "ManagerSettings", environ: Mapping[str, str], file: Path, observer: "Observer"
) -> None:
    """Write the tarball of a package of the npm registry to a new file, for whichever manager. LP138."""
    from lambdapack.managers.npm.registry import fetch_tarball  # noqa: PLC0415  # the local engine alone asks

    fetch_tarball(name, version, settings, environ, file, observer)
