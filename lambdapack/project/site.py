"""What lies around a function on this host, and decides which advice works for it. Never writes."""

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.model import DEFAULT_HANDLER, NODE_MODULES
from lambdapack.project.repository import Manifest, Repository, read_manifest
from lambdapack.project.workspaces import PNPM_WORKSPACE

HANDLER_ENDINGS = (".js", ".mjs", ".cjs")
"""Of the files that Lambda's client tries for a handler."""

INSTALL_MARKS = {
    "pnpm": (".pnpm", ".modules.yaml"),
    "yarn": (".yarn-state.yml", ".yarn-integrity"),
    "bun": (".bun",),
    "npm": (".package-lock.json",),
}
"""What a package manager leaves in the node_modules that it makes."""

PLUG_N_PLAY_FILES = (".pnp.cjs", ".pnp.js")

YARN_SETTINGS = ".yarnrc.yml"

BERRY_LOCK = re.compile(r"^__metadata:", re.MULTILINE)
NODE_LINKER = re.compile(r"""^nodeLinker:\s*["']?(?P<linker>[\w-]+)""", re.MULTILINE)
PNPM_PACKAGES = re.compile(r"^packages:", re.MULTILINE)

MAX_SETTINGS_BYTES = 64 * 1024
"""Of a lockfile or a settings file that are read for these marks, which stand near the beginning."""


@dataclass(frozen=True, slots=True)
class FunctionSite:
    """What was seen around one function. Empty: nobody looked."""

    handler: str = ""  # of a file that is there, relative to the function's directory; "" when none is known
    handler_package: Manifest | None = None  # the package.json nearest to the handler, when it is not the function's
    installed_by: str = ""  # who made the node_modules of the root: a name of INSTALL_MARKS
    plug_n_play: str = ""  # the file or setting that shows Yarn's Plug'n'Play; "" where node_modules is made
    is_yarn_berry: bool = False  # yarn.lock has the format of Yarn 2 and later, which npm does not read
    has_pnpm_members: bool = False  # pnpm-workspace.yaml has members that npm does not know


def read_site(repository: Repository, directory: Path, handler: str) -> FunctionSite:
    """Return what lies around a function; what cannot be read counts as absent."""
    home, root = directory.resolve(), repository.root
    berry = BERRY_LOCK.search(_read_start(root / "yarn.lock")) is not None
    package = _nearest_manifest(home, handler)
    manifest = package or repository.manifests[home.relative_to(root).as_posix()]
    return FunctionSite(
        handler=_existing_handler(home, handler, manifest),
        handler_package=package,
        installed_by=_installer(root / NODE_MODULES),
        plug_n_play=_plug_n_play(root, home, is_berry=berry),
        is_yarn_berry=berry,
        has_pnpm_members=PNPM_PACKAGES.search(_read_start(root / PNPM_WORKSPACE)) is not None,
    )


def _nearest_manifest(home: Path, handler: str) -> Manifest | None:
    """Return the package.json of the nearest directory above a handler's file, below the function's own."""
    if posixpath.isabs(handler) or ".." in handler:
        return None
    directory = home / posixpath.dirname(handler)
    while directory != home and home in directory.parents:
        if (directory / "package.json").is_file():
            try:
                manifest = read_manifest(directory)
            except LambdapackError:
                return None
            return manifest if home in manifest.path.parents else None  # a link may lead out of the function
        directory = directory.parent
    return None


def _existing_handler(home: Path, handler: str, manifest: Manifest) -> str:
    """Return the handler when its file is there, else that of the package's main file."""
    module, _, export = posixpath.basename(handler).partition(".")
    below = posixpath.dirname(handler)
    if any((home / below / f"{module}{ending}").is_file() for ending in HANDLER_ENDINGS):
        return handler
    main = manifest.document.get("main")
    if not isinstance(main, str) or not main:
        return ""
    place = manifest.path.parent / main
    files = (place, *(place.with_name(f"{place.name}{ending}") for ending in HANDLER_ENDINGS))
    file = next((path for path in files if path.is_file() and path.suffix in HANDLER_ENDINGS), None)
    if file is None or "." in file.stem or home not in file.resolve().parents:
        return ""
    stem = file.resolve().relative_to(home).with_suffix("").as_posix()
    return f"{stem}.{export or DEFAULT_HANDLER.partition('.')[2]}"


def _installer(modules: Path) -> str:
    marks = ((manager, mark) for manager, names in INSTALL_MARKS.items() for mark in names)
    return next((manager for manager, mark in marks if (modules / mark).exists()), "")


def _plug_n_play(root: Path, home: Path, *, is_berry: bool) -> str:
    """Yarn 2 and later make no node_modules unless a setting asks for one."""
    if (root / NODE_MODULES).is_dir() or (home / NODE_MODULES).is_dir():
        return ""
    file = next((name for name in PLUG_N_PLAY_FILES if (root / name).is_file()), "")
    if file or not is_berry:
        return file
    linker = NODE_LINKER.search(_read_start(root / YARN_SETTINGS))
    return "" if linker and linker["linker"] != "pnp" else f"no nodeLinker in {YARN_SETTINGS}"


def _read_start(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SETTINGS_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
