"""What an install is asked for and what it gives, and which files of /var/task ship. Never a copied input."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lambdapack.engine.interface import Image, Limits
from lambdapack.install.compile_lines import CompilerFlag
from lambdapack.install.strategy import InstallScripts, Strategy
from lambdapack.managers.npm.lockfile import LOCKFILE_NAMES, link_target
from lambdapack.managers.npm.npmrc import NpmSettings
from lambdapack.model import NODE_MODULES, Architecture, Target
from lambdapack.project.project import LockedPackage, Lockfile, Project
from lambdapack.project.reader import is_installable
from lambdapack.tree.compose import FilteredTree
from lambdapack.tree.entry import Entry, EntryKind, Tree
from lambdapack.tree.spool import SpoolTree

CACHE_VOLUME = "lambdapack-npm"
"""Named volume that keeps npm's cache between builds. Only USER writes there; what npm reads it checks by integrity."""


@dataclass(frozen=True, slots=True)
class ImageReferences:
    """References of one architecture."""

    bare: str  # the runtime's own image
    build: str  # with a toolchain


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """One install."""

    project: Project
    target: Target
    inputs: Tree  # what is put at /var/task: manifest without prepare, lockfile, file: targets, patches ...
    work: InstallScripts
    images: Mapping[Architecture, ImageReferences]
    settings: NpmSettings = field(default_factory=NpmSettings)
    limits: Limits = field(default_factory=Limits)
    scripts: str = "online"  # "offline": install scripts run without a network too, never beside credentials anyway
    emulation: str = "auto"  # "full": everything in the target's own image
    keep: bool = False  # leave the container for a look after the end
    cache: str = CACHE_VOLUME


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The dependency tree and how it came to be. The tree can be read until `close`."""

    tree: Tree  # what the install made, as it lies below /var/task
    owned: tuple[str, ...]  # directories of which the source must ship nothing: the install made them anew
    image: Image | None = None  # None: nothing to install, no container was started
    strategy: Strategy | None = None
    node: str = ""
    npm: str = ""
    tuned: tuple[CompilerFlag, ...] = ()  # for which CPUs the packages' compilers were told to compile
    absent: tuple[str, ...] = ()  # optional packages for this target that npm dropped
    log: tuple[str, ...] = ()  # npm's last lines
    key_inputs: tuple[tuple[str, str], ...] = ()  # what of the install belongs into the dependency key
    spool: SpoolTree | None = None  # what the tree reads from

    def close(self) -> None:
        """Let go of the spool file, so that it can be removed on Windows too."""
        if self.spool is not None:
            self.spool.close()


UNSHIPPED_ROOT_FILES = frozenset(("package.json", ".npmrc", *LOCKFILE_NAMES))
"""At the root these are the copies that npm was given; the source's own ship."""


def owned_directories(lockfile: Lockfile | None) -> tuple[str, ...]:
    """Return node_modules and the targets of `file:` links inside the project, which npm builds in place."""
    targets = [link_target(package) for package in lockfile.production if package.link] if lockfile else []
    return tuple(dict.fromkeys([NODE_MODULES, *sorted(each for each in targets if each and not each.startswith(".."))]))


def select_shipped_files(after: Tree, before: Tree, directories: tuple[str, ...]) -> FilteredTree:
    """Return what lies in `directories` and whatever else differs from `before`: root scripts may write anywhere."""

    def keep(entry: Entry) -> bool:
        path = entry.path
        if any(path == directory or path.startswith(f"{directory}/") for directory in directories):
            return True
        return path not in UNSHIPPED_ROOT_FILES and _is_made_by_install(after, before, entry)

    return FilteredTree(after, keep)


def _is_made_by_install(after: Tree, before: Tree, now: Entry) -> bool:
    """Tell whether an entry was not put in, or was changed since."""
    was = before.entries.get(now.path)
    if now.kind is EntryKind.DIRECTORY:
        return was is None and not any(entry.startswith(f"{now.path}/") for entry in before.entries)
    if was is None or (was.kind, was.size, was.target) != (now.kind, now.size, now.target):
        return True
    if now.kind is not EntryKind.FILE:
        return False
    with after.view(now.path) as new, before.view(now.path) as old:
        return bytes(new) != bytes(old)


def find_absent_packages(lockfile: Lockfile, architecture: Architecture, tree: Tree) -> tuple[str, ...]:
    """Name the optional packages for this CPU that are locked and not there: npm drops what fails, and exits with 0."""
    manifest = "package.json"
    there = {path.removesuffix(f"/{manifest}") for path in tree.entries if path.endswith(f"/{manifest}")}
    expected = _expected_packages(lockfile, architecture)
    return tuple(f"{package.name}@{package.version}" for package in expected if package.path not in there)


def _expected_packages(lockfile: Lockfile, architecture: Architecture) -> Iterator[LockedPackage]:
    for package in lockfile.production:
        chosen = package.has_install_script or architecture.node in package.cpu
        if package.optional and not package.link and chosen and is_installable(package, architecture):
            yield package
