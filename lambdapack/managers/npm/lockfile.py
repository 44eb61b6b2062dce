"""Reads package-lock.json and npm-shrinkwrap.json into a Lock. Never repairs a lockfile."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BROKEN_MANIFEST
from lambdapack.managers.lock import Edge, EdgeType, Lock, LockedPackage
from lambdapack.model import is_in_node_modules
from lambdapack.project.document import INSTALL_SCRIPTS, key_lines, parse_object, read_text, string_entries

if TYPE_CHECKING:
    from lambdapack.project.repository import Repository

LOCKFILE_NAMES = ("npm-shrinkwrap.json", "package-lock.json")
"""In the order in which npm looks (arborist lib/shrinkwrap.js, npm 11.19.1, read 2026-11)."""


def read_lock(repository: "Repository", importer: str) -> Lock | None:
    """Return the lock that npm uses for a repository, None when there is none. LP003 when it is broken.

    Its entries are as npm sees them: link targets as they are on disk, and what the importer's package.json asks for
    today. `importer` counts where its package.json is the root's own.
    """
    root = repository.root
    path = find_lockfile(root)
    if path is None:
        return None
    lock = parse_lock(read_text(path), path)
    if importer == ".":
        return refresh_lock(lock, root, repository.manifests["."].document)
    if importer not in lock.importers:
        return lock
    return narrow_lock(refresh_lock(lock, root, None), importer)


def find_lockfile(directory: Path) -> Path | None:
    """Return the lockfile that npm reads in a directory, None when there is none."""
    return next((directory / name for name in LOCKFILE_NAMES if (directory / name).is_file()), None)


def parse_lock(text: str, path: Path) -> Lock:
    """Return the lock that a text is; `path` is how messages name it. LP003 when it is broken."""
    document = parse_object(text, path)
    packages = document.get("packages")
    if packages is None:
        return make_lock(path, min(_lockfile_version(document, path), 1), {})
    if not isinstance(packages, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "packages" is not an object')
    lines = key_lines(text, "packages", packages)
    parsed = {key: _parse_entry(key, value, path, lines[key]) for key, value in packages.items()}
    return make_lock(path, _lockfile_version(document, path), complete_links(parsed))


def make_lock(
    path: Path, version: int, packages: Mapping[str, LockedPackage], root: LockedPackage | None = None
) -> Lock:
    """Return the lock of some entries; `root` is what package.json asks for today, else the root's entry counts."""
    importers = {key: package for key, package in packages.items() if key and not is_in_node_modules(key)}
    own = root or packages.get("") or LockedPackage(id="", name="", version="", line=1)
    importers = {".": own, **importers}
    return Lock("npm", path, version, packages, importers, NpmEdges(packages, own))


def _lockfile_version(document: Mapping[str, Any], path: Path) -> int:
    # npm takes a lockfile without a version, but with "packages", for its own newest format (3).
    value = document.get("lockfileVersion", 3 if "packages" in document else 1)
    if isinstance(value, bool) or not isinstance(value, int):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}: "lockfileVersion" is {value!r}, a number is expected')
    return value


def _parse_entry(key: str, value: object, path: Path, line: int) -> LockedPackage:
    if not isinstance(value, dict):
        raise LambdapackError(BROKEN_MANIFEST, f'{path}:{line}: the entry "{key}" is not an object')
    return parse_locked_package(key, value, line)


def parse_locked_package(key: str, value: Mapping[str, Any], line: int) -> LockedPackage:
    """Return one entry. A package.json has the same fields, so this reads that as well."""
    optional = string_entries(value.get("optionalDependencies"))
    resolved = _text(value, "resolved")
    is_local = _flag(value, "link") or resolved.startswith("file:")
    return LockedPackage(
        id=key,
        path=key,
        name=_text(value, "name") or _package_name(key),
        version=_text(value, "version"),
        line=line,
        dev=_flag(value, "dev"),
        optional=_flag(value, "optional"),
        dev_optional=_flag(value, "devOptional"),
        peer=_flag(value, "peer"),
        link=_flag(value, "link"),
        local=_local_path(resolved) if is_local else None,
        has_install_script=_flag(value, "hasInstallScript"),
        resolved=resolved,
        integrity=_text(value, "integrity"),
        os=_words(value.get("os")),
        cpu=_words(value.get("cpu")),
        libc=_words(value.get("libc")),
        engines_node=string_entries(value.get("engines")).get("node", ""),
        # npm lets the optional one win when a name is in both.
        dependencies={k: v for k, v in string_entries(value.get("dependencies")).items() if k not in optional},
        optional_dependencies=optional,
        dev_dependencies=string_entries(value.get("devDependencies")),
        peer_dependencies=string_entries(value.get("peerDependencies")),
        optional_peers=_optional_peers(value.get("peerDependenciesMeta")),
        bundled=frozenset(_words(value.get("bundleDependencies") or value.get("bundledDependencies"))),
        in_bundle=_flag(value, "inBundle"),
        has_shrinkwrap=_flag(value, "hasShrinkwrap"),
        commands=_commands(value, key),
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


def _flag(value: Mapping[str, Any], key: str) -> bool:
    return value.get(key) is True


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _optional_peers(value: object) -> frozenset[str]:
    if not isinstance(value, dict):
        return frozenset()
    return frozenset(name for name, meta in value.items() if isinstance(meta, dict) and meta.get("optional") is True)


def _commands(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    programs = value.get("bin")
    if isinstance(programs, str):
        return (posixpath.basename(_text(value, "name") or _package_name(key)),)
    return tuple(programs) if isinstance(programs, dict) else ()


def _package_name(key: str) -> str:
    """Return the package name that a path ends in: "a/node_modules/@b/c" is "@b/c", "lib/x" is "x"."""
    parts = key.split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 and parts[-2].startswith("@") else parts[-1]


def complete_links(packages: Mapping[str, LockedPackage]) -> Mapping[str, LockedPackage]:
    """Give each link what npm writes down for its target only: flags, scripts, platform."""
    return {key: _complete_link(package, packages) if package.link else package for key, package in packages.items()}


def _complete_link(link: LockedPackage, packages: Mapping[str, LockedPackage]) -> LockedPackage:
    target = packages.get(link.local or "")
    if target is None or target.link or not target.id:
        return link
    return replace(
        link,
        version=target.version,
        dev=target.dev,
        absent=target.absent,
        optional=target.optional,
        dev_optional=target.dev_optional,
        has_install_script=target.has_install_script,
        os=target.os,
        cpu=target.cpu,
        libc=target.libc,
        commands=target.commands,
    )


def _local_path(resolved: str) -> str:
    """Return the path that a link or `file:` entry points at: "lib/x", "../x", "" for the project itself."""
    normal = posixpath.normpath(resolved.removeprefix("file:").replace("\\", "/"))
    return "" if normal == "." else normal


class NpmEdges(Mapping[str, tuple[Edge, ...]]):
    """The edges of each entry, resolved as node resolves names from the entry's directory, when they are asked for."""

    def __init__(self, packages: Mapping[str, LockedPackage], root: LockedPackage) -> None:
        """`root` stands for the root's entry."""
        self._packages = packages
        self._owners = {**packages, root.id: root}

    def __getitem__(self, owner_id: str) -> tuple[Edge, ...]:
        """Return what an entry asks for, without what npm takes from the package's own tarball."""
        return tuple(self._edges(self._owners[owner_id]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    def _edges(self, owner: LockedPackage) -> Iterator[Edge]:
        if owner.has_shrinkwrap:
            return
        for need, section in (
            (EdgeType.PROD, owner.dependencies),
            (EdgeType.DEV, owner.dev_dependencies),
            (EdgeType.OPTIONAL, owner.optional_dependencies),
            (EdgeType.PEER, owner.peer_dependencies),
        ):
            for name, spec in section.items():
                # The root bundles only when it is packed itself; nobody installs optional peers.
                is_bundled = name in owner.bundled and owner.path
                if not is_bundled and not (need is EdgeType.PEER and name in owner.optional_peers):
                    yield Edge(owner, name, spec, need, resolve_entry(self._packages, owner.path, name))


def resolve_entry(packages: Mapping[str, LockedPackage], start: str, name: str) -> LockedPackage | None:
    """Return the entry that `require(name)` finds from the directory `start`, None when the lockfile has none."""
    here = start
    while True:
        # "node_modules/node_modules" is no place that node looks at, and no key that npm writes.
        entry = packages.get(f"{here}/node_modules/{name}" if here else f"node_modules/{name}")
        if entry or not here or here.startswith(".."):
            return entry
        here = here.rpartition("/")[0]


def root_package(manifest: Mapping[str, Any]) -> LockedPackage:
    """Return package.json as the root entry that an up-to-date lockfile would have."""
    return parse_locked_package("", manifest, 1)


def narrow_lock(lock: Lock, importer: str) -> Lock:
    """Return the lock with everything marked "dev" that an install for one workspace, without dev, does not need."""
    needed: set[str] = set()
    for edge in lock.walk(importer, dev=False):
        if edge.target:
            needed |= {edge.target.id, lock.follow(edge.target).id}
    packages = {key: replace(package, dev=key not in needed) for key, package in lock.packages.items()}
    return make_lock(lock.path, lock.version, packages, lock.importers["."])


def refresh_lock(lock: Lock, root: Path, manifest: Mapping[str, Any] | None) -> Lock:
    """Return the lock as npm sees it: link targets as they are on disk, "dev" as package.json says today.

    `manifest` is the root's; without it the root's entry stays as it is locked.
    """
    packages = {
        key: _refresh_local(package, root)
        if not key or is_in_node_modules(key)
        else _refresh_link_target(package, root / key)
        for key, package in lock.packages.items()
    }
    own = root_package(manifest) if manifest is not None else None
    refreshed = make_lock(lock.path, lock.version, complete_links(packages), own)
    return _update_dev_flags(refreshed)


def _refresh_local(package: LockedPackage, root: Path) -> LockedPackage:
    """Note that a directory or tarball beside the repository is not there."""
    local = package.local
    if local is None or not local.startswith("..") or _exists(root / local):
        return package
    return replace(package, absent=True)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _refresh_link_target(target: LockedPackage, directory: Path) -> LockedPackage:
    path, outside = directory / "package.json", target.path.startswith("..")
    if not _is_file(path):
        return replace(target, absent=outside)
    manifest = parse_object(read_text(path), path)
    written = parse_locked_package(target.path, manifest, target.line)
    return replace(
        target,
        dependencies=written.dependencies,
        dev_dependencies=written.dev_dependencies,
        optional_dependencies=written.optional_dependencies,
        peer_dependencies=written.peer_dependencies,
        optional_peers=written.optional_peers,
        bundled=written.bundled,
        has_install_script=_has_scripts(manifest, directory),
        has_shrinkwrap=outside and find_lockfile(directory) is not None,
    )


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; no file system has what a lockfile can say."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _has_scripts(manifest: Mapping[str, Any], directory: Path) -> bool:
    """Tell whether npm runs something for a link target; the lockfile does not tell of a binding.gyp there."""
    scripts = string_entries(manifest.get("scripts"))
    compiles = _is_file(directory / "binding.gyp") and manifest.get("gypfile") is not False
    return compiles or any(scripts.get(name) for name in (*INSTALL_SCRIPTS, "prepare"))


def _update_dev_flags(lock: Lock) -> Lock:
    """Return the lock without "dev" on what package.json wants for production today.

    npm does so when the root entry differs (arborist load-virtual.js, checkRootEdges): a package that moved from
    devDependencies to dependencies is installed, whatever the lockfile's flag says.
    """
    root, old = lock.importers["."], lock.packages.get("")
    if old is None or _has_same_sections(old, root):
        return lock
    needed: set[str] = set()
    for edge in lock.walk(".", dev=False):
        if edge.target:
            needed |= {edge.target.id, lock.follow(edge.target).id}
    packages = {
        key: replace(package, dev=False) if key in needed else package for key, package in lock.packages.items()
    }
    return make_lock(lock.path, lock.version, packages, root)


def _has_same_sections(one: LockedPackage, other: LockedPackage) -> bool:
    return (
        one.dependencies == other.dependencies
        and one.dev_dependencies == other.dev_dependencies
        and one.optional_dependencies == other.optional_dependencies
        and one.peer_dependencies == other.peer_dependencies
    )
