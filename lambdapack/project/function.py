"""A function of a repository: what Lambda runs."""

from dataclasses import dataclass
from pathlib import Path

from lambdapack.model import DEFAULT_HANDLER, Target
from lambdapack.project.repository import Repository


@dataclass(frozen=True, slots=True)
class Function:
    """What Lambda runs: a directory of a repository with a handler in it."""

    name: str  # of its package.json
    directory: Path
    importer: str  # the same, relative to the repository's root: "." for the root itself
    handler: str = DEFAULT_HANDLER
    targets: tuple[Target, ...] = ()  # in the order in which they are built
    layers: tuple[Path, ...] = ()  # in its own order


def read_function(
    repository: Repository,
    directory: Path,
    handler: str = DEFAULT_HANDLER,
    targets: tuple[Target, ...] = (),
    layers: tuple[Path, ...] = (),
) -> Function:
    """Return the function in a directory whose package.json the repository has read."""
    home = directory.resolve()
    importer = home.relative_to(repository.root).as_posix()
    return Function(repository.manifests[importer].name, home, importer, handler, targets, layers)
