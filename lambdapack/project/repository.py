"""Finds the repository around a directory and reads its package.json. Never opens a lockfile, never writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import NO_PROJECT
from lambdapack.project.document import INSTALL_SCRIPTS, key_lines, parse_object, read_text, string_entries
from lambdapack.project.template import SAM_NAMES, SERVERLESS_NAMES
from lambdapack.project.workspaces import find_workspace_root

DEFAULT_MANAGER = "npm"

LOCKFILE_MANAGERS: Mapping[str, str] = {
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
    "yarn.lock": "yarn",
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
"""Who writes a lockfile of this name. Where several lie in a directory, the first of them here counts."""

DEPENDENCY_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")

GYP_SCRIPT = "node-gyp rebuild"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A package.json of the repository."""

    path: Path
    document: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)  # "scripts.prepare" -> 1-based line

    @property
    def name(self) -> str:
        """Its name, the directory's where it has none."""
        name = self.document.get("name")
        return name if isinstance(name, str) and name else self.path.parent.name

    def install_scripts(self, *, has_gyp: bool = False) -> Mapping[str, str]:
        """Return the scripts that run when its dependencies are installed, in that order.

        With a binding.gyp beside it (`has_gyp`) the package itself is compiled, unless one of its scripts does that.
        """
        written = string_entries(self.document.get("scripts"))
        scripts = {name: written[name] for name in INSTALL_SCRIPTS if written.get(name)}
        if has_gyp and self.document.get("gypfile") is not False and not {"preinstall", "install"} & set(scripts):
            scripts = {"install": GYP_SCRIPT, **scripts}
        return scripts


@dataclass(frozen=True, slots=True)
class Repository:
    """A root with a lockfile, and what lies in it."""

    root: Path  # where the lockfile is, or would be
    manager: str  # the package manager whose lockfile lies there: "npm", also when there is none
    manifests: Mapping[str, Manifest]  # those that were read, by directory below the root; "." the root's own
    lockfiles: tuple[str, ...] = ()  # names of all package managers' lockfiles in the root
    named_manager: str = ""  # that `packageManager` of the root's package.json names
    templates: tuple[str, ...] = ()  # names of SAM and Serverless templates in the root

    def foreign_lockfiles(self, manager: str) -> tuple[str, ...]:
        """Return the names of lockfiles in the root that a package manager does not write."""
        return tuple(name for name in self.lockfiles if LOCKFILE_MANAGERS[name] != manager)


def read_repository(directory: Path, *, ready: bool = False) -> Repository:
    """Return the repository that a directory belongs to, with that directory's package.json. LP002 without it, LP003.

    Where nothing is installed (`ready`) a directory may have none: a bundler's output. Without npm's lockfile beside
    package.json, `root` is the workspace root above that includes the directory.
    """
    manifest = read_manifest(directory, required=not ready)
    home = manifest.path.parent
    locked = any((home / name).is_file() for name in LOCKFILE_MANAGERS)
    root = home if locked else find_workspace_root(home) or home
    lockfiles = tuple(name for name in LOCKFILE_MANAGERS if (root / name).is_file())
    named = _named_manager(manifest if root == home else _root_manifest(root))
    own = next((name for name in lockfiles if LOCKFILE_MANAGERS[name] == named), None)
    return Repository(
        root=root,
        manager=LOCKFILE_MANAGERS[own or lockfiles[0]] if lockfiles else DEFAULT_MANAGER,
        named_manager=named,
        manifests={home.relative_to(root).as_posix(): manifest},
        lockfiles=lockfiles,
        templates=tuple(name for name in (*SAM_NAMES, *SERVERLESS_NAMES) if (root / name).is_file()),
    )


def _root_manifest(root: Path) -> Manifest | None:
    try:
        return read_manifest(root, required=False)
    except LambdapackError:
        return None


def _named_manager(manifest: Manifest | None) -> str:
    """Return the name in `packageManager` or `devEngines.packageManager`, "" when there is none."""
    document = manifest.document if manifest else {}
    written, engines = document.get("packageManager"), document.get("devEngines")
    engine = engines.get("packageManager") if isinstance(engines, dict) else None
    if not isinstance(written, str):
        written = engine.get("name") if isinstance(engine, dict) else ""
    return written.partition("@")[0] if isinstance(written, str) else ""


def read_manifest(directory: Path, *, required: bool = True) -> Manifest:
    """Return the package.json of a directory, LP003 when it cannot be read.

    LP002 when there is none, or an empty one where it is not `required`.
    """
    home = directory.resolve()
    if not home.exists():
        raise LambdapackError(NO_PROJECT, f"{home}: there is no such directory")
    if not home.is_dir():
        raise LambdapackError(NO_PROJECT, f"{home}: this is a file, a directory is needed")
    path = home / "package.json"
    if not path.is_file() and not required:
        return Manifest(path, {})
    if not path.is_file():
        raise LambdapackError(NO_PROJECT, f"{path}: there is no such file")
    text = read_text(path)
    document = parse_object(text, path)
    return Manifest(path, document, _manifest_lines(text, document))


def _manifest_lines(text: str, document: Mapping[str, Any]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for section in (*DEPENDENCY_SECTIONS, "scripts"):
        value = document.get(section)
        if isinstance(value, dict):
            lines |= {f"{section}.{key}": line for key, line in key_lines(text, section, value).items()}
    return lines
