"""A function of a repository: what Lambda runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.model import DEFAULT_HANDLER, Target
from lambdapack.project.declarations import DeclaredLayer, TemplateDeclarations
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
    environment: Mapping[str, str | None] = field(default_factory=dict)  # of its template; None: not readable
    declared_layers: tuple[DeclaredLayer, ...] = ()  # of its template


def read_function(
    repository: Repository,
    directory: Path,
    handler: str = DEFAULT_HANDLER,
    targets: tuple[Target, ...] = (),
    layers: tuple[Path, ...] = (),
    declared: TemplateDeclarations | None = None,
) -> Function:
    """Return the function in a directory whose package.json the repository has read, with what its template says."""
    home = directory.resolve()
    importer = home.relative_to(repository.root).as_posix()
    template = declared or TemplateDeclarations()
    return Function(
        name=repository.manifests[importer].name,
        directory=home,
        importer=importer,
        handler=handler,
        targets=targets,
        layers=layers,
        environment=template.environment,
        declared_layers=template.layers,
    )
