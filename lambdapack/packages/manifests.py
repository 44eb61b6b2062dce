"""The package.json of every package in a tree. A broken one is read as empty: npm put it there."""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lambdapack.managers.registry import MANAGERS
from lambdapack.model import package_of_specifier
from lambdapack.packages.install_script import InstallScriptTraits, read_install_script
from lambdapack.packages.native_use import NativePart, NativeUse, read_native_part
from lambdapack.tree.entry import Entry, EntryKind, Tree, ancestors, read_file

LOCKFILE_NAMES = tuple(name for manager in MANAGERS for name in manager.lockfiles)

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""Bytes of a package.json that are read; npm's registry documents of a single version stay far below."""

PACKAGE_ROOT = re.compile(r"(?:^|.*/)node_modules/(?:@[^/]+/)?[^/@.][^/]*\Z")
"""The directory of a package inside node_modules, not one of the package.json files that mark dist/esm."""


PLATFORM_WORDS = re.compile(r"linux|darwin|win32|windows|musl|x64|arm64|wasm32")
"""Words in the names of the packages that hold one platform's build."""


@dataclass(frozen=True, slots=True)
class PackageBuild:
    """One row of build/manifest.json, the index that cmake-ts keeps of its builds."""

    path: str  # relative to the package
    os: str
    cpu: str
    libc: str
    abi: int


@dataclass(frozen=True, slots=True)
class PackageManifest:
    """What decides which native file of a package is loaded."""

    directory: str  # relative to the tree's root, "" for the root itself
    name: str
    version: str
    main: str = ""
    os: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    libc: tuple[str, ...] = ()
    dependencies: frozenset[str] = frozenset()
    optional_dependencies: frozenset[str] = frozenset()
    dev_dependencies: frozenset[str] = frozenset()
    peer_dependencies: frozenset[str] = frozenset()
    install_script: str = ""  # preinstall, install and postinstall, joined
    gypfile: bool = False
    napi: bool = False  # napi-rs: a table "napi"
    module_name: str = ""  # node-pre-gyp: binary.module_name
    module_path: str = ""  # node-pre-gyp: binary.module_path, a template
    napi_versions: tuple[int, ...] = ()
    es_module: bool = False
    module_type: str = ""  # "type": "module", "commonjs" or "" when it does not say
    builds: tuple[PackageBuild, ...] = field(default=())
    script: InstallScriptTraits = field(
        default=InstallScriptTraits()
    )  # what the files do that the install script starts
    ask_native_part: Callable[[], NativePart] = field(default=NativePart, compare=False, repr=False)
    locked: frozenset[str] | None = None  # names in the lockfile beside it; None without one

    @property
    def needed_names(self) -> frozenset[str]:
        """The names of what it may load when it runs: everything but devDependencies."""
        return self.dependencies | self.optional_dependencies | self.peer_dependencies

    @property
    def native_use(self) -> NativeUse:
        """How the package's own sources use its native part. Read when asked for: the tree must be open."""
        return self.ask_native_part().use

    @property
    def names_native_part(self) -> bool:
        """Whether the package's own sources name a native file, or call a loader of one. Read when asked for."""
        return self.ask_native_part().is_named


def read_manifests(tree: Tree) -> Mapping[str, PackageManifest]:
    """Return the manifest of every package of a tree, by its directory; one that cannot be read has no fields."""
    above_addons: set[str] = set()
    for path in tree.entries:
        if path.endswith(".node"):
            for _ in ancestors(path, above_addons):
                pass
    return {
        directory: _read_manifest(tree, directory, above_addons) for directory in _package_directories(tree.entries)
    }


def _package_directories(entries: Mapping[str, Entry]) -> Iterator[str]:
    for path, entry in entries.items():
        directory, _, name = path.rpartition("/")
        if name != "package.json" or entry.kind is not EntryKind.FILE:
            continue
        if "node_modules/" not in path or PACKAGE_ROOT.match(directory):
            yield directory


def _read_manifest(tree: Tree, directory: str, above_addons: AbstractSet[str]) -> PackageManifest:
    raw = _read_json(tree, posixpath.join(directory, "package.json"))
    binary = _table(raw.get("binary"))
    dependencies = frozenset(_table(raw.get("dependencies")))
    optional = frozenset(_table(raw.get("optionalDependencies")))
    scripts = _table(raw.get("scripts"))
    command = " && ".join(_text(scripts.get(key)) for key in _INSTALL_SCRIPTS if scripts.get(key))
    parts = frozenset(dependency for dependency in dependencies | optional if PLATFORM_WORDS.search(dependency))
    gyp = raw.get("gypfile") is True or posixpath.join(directory, "binding.gyp") in tree.entries
    named = command or parts or binary or gyp or raw.get("napi") or directory in above_addons
    native = bool(named) and "node_modules/" in directory
    return PackageManifest(
        directory=directory,
        name=_text(raw.get("name")) or name_from_directory(directory),
        version=_text(raw.get("version")),
        main=_text(raw.get("main")),
        os=_words(raw.get("os")),
        cpu=_words(raw.get("cpu")),
        libc=_words(raw.get("libc")),
        dependencies=dependencies - optional,
        optional_dependencies=optional,
        dev_dependencies=frozenset(_table(raw.get("devDependencies"))),
        peer_dependencies=frozenset(_table(raw.get("peerDependencies"))),
        install_script=command,
        gypfile=gyp,
        napi=bool(_table(raw.get("napi"))),
        module_name=_text(binary.get("module_name")),
        module_path=_text(binary.get("module_path")),
        napi_versions=tuple(number for number in _list(binary.get("napi_versions")) if isinstance(number, int)),
        es_module=raw.get("type") == "module",
        module_type=_text(raw.get("type")),
        builds=tuple(_read_builds(tree, directory)),
        script=read_install_script(tree, directory, command) if native else InstallScriptTraits(),
        ask_native_part=cache(lambda: read_native_part(tree, directory, raw, parts) if native else NativePart()),
        locked=_read_locked_names(tree, directory),
    )


_INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")


def name_from_directory(directory: str) -> str:
    """Return the npm name that a directory inside node_modules stands for, "" outside."""
    _, found, name = f"/{directory}".rpartition("/node_modules/")
    return package_of_specifier(name) if found else ""


def _read_builds(tree: Tree, directory: str) -> Iterator[PackageBuild]:
    """Each key of cmake-ts's index is itself JSON: {"os": "linux", "arch": "x64", "libc": "glibc", "abi": 127}."""
    index = posixpath.join(directory, "build/manifest.json")
    for key, path in _read_json(tree, index).items() if index in tree.entries else ():
        try:
            wanted = _table(json.loads(key))
        except ValueError:
            continue
        where = posixpath.normpath(posixpath.join("build", _text(path)))
        abi = wanted.get("abi")
        system, cpu, libc = (_text(wanted.get(name)) for name in ("os", "arch", "libc"))
        yield PackageBuild(where, system, cpu, libc, abi if isinstance(abi, int) else 0)


def _read_locked_names(tree: Tree, directory: str) -> frozenset[str] | None:
    """Npm writes a shrinkwrap into published packages as well; it says nothing where it is installed."""
    paths = (posixpath.join(directory, name) for name in LOCKFILE_NAMES if "node_modules/" not in directory)
    found = next((path for path in paths if path in tree.entries), None)
    packages = _table(_read_json(tree, found).get("packages")) if found else {}
    return frozenset(name_from_directory(package) for package in packages if package) if packages else None


def _read_json(tree: Tree, path: str) -> Mapping[str, Any]:
    entry = tree.entries[path]
    if entry.kind is not EntryKind.FILE or entry.size > MAX_MANIFEST_BYTES:
        return {}
    try:
        return _table(json.loads(read_file(tree, path).decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return {}


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _words(value: Any) -> tuple[str, ...]:
    """A list, or one word, which npm takes as well."""
    return (value,) if isinstance(value, str) else tuple(word for word in _list(value) if isinstance(word, str))
