"""Reads pnpm-lock.yaml into a Lock. Never repairs a lockfile."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BROKEN_MANIFEST
from lambdapack.managers.lock import Edge, EdgeType, Lock, LockedPackage, mark_production
from lambdapack.project.document import parse_yaml, read_text, string_entries

if TYPE_CHECKING:
    from lambdapack.project.repository import Repository

LOCKFILE_NAME = "pnpm-lock.yaml"

OLDEST_LOCKFILE = 6
"""The format of pnpm 8; those before name packages in another way."""

_LINE_KEY = re.compile(r"^  (?P<quote>['\"]?)(?P<key>\S.*?)(?P=quote):(?: |$)", re.MULTILINE)
_PEERS = re.compile(r"\(.*", re.DOTALL)
_SECTIONS = (EdgeType.PROD, EdgeType.DEV, EdgeType.OPTIONAL)


def read_lock(repository: "Repository", importer: str) -> Lock | None:
    """Return the lock of a repository for one of its importers, None when there is none. LP003 when it is broken."""
    path = repository.root / LOCKFILE_NAME
    if not path.is_file():
        return None
    lock = parse_lock(read_text(path), path)
    if importer not in lock.importers:
        return lock
    outdated = tuple(_outdated(lock, importer, repository.manifests[importer].document))
    return replace(mark_production(lock, importer), outdated=outdated)


def parse_lock(text: str, path: Path) -> Lock:
    """Return the lock that a text is; `path` is how messages name it. LP003 when it is broken."""
    document = parse_yaml(text, path)
    version = int(float(str(document.get("lockfileVersion", "0"))))
    if version < OLDEST_LOCKFILE:
        return Lock("pnpm", path, version, {}, {}, {})
    if "importers" not in document:  # pnpm 8 writes none for a repository with one package.json
        document["importers"] = {".": {need.value: document.get(need.value) for need in _SECTIONS}}
    return _Reader(document, path, _line_numbers(text)).lock(version)


def _line_numbers(text: str) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    line, position = 1, 0
    for match in _LINE_KEY.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        lines.setdefault(match["key"], line)
    return lines


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Mapping[str, Any]
    path: Path
    lines: Mapping[str, int]

    def table(self, name: str) -> Mapping[str, Any]:
        """Return a section of the document; LP003 for one that is no mapping."""
        value = self.document.get(name) or {}
        if not isinstance(value, dict):
            raise LambdapackError(BROKEN_MANIFEST, f'{self.path}: "{name}" is not a mapping')
        return value

    def lock(self, version: int) -> Lock:
        """Return the whole lock; what an entry lacks counts as empty."""
        resolutions = self.table("packages")
        snapshots = self.table("snapshots") if "snapshots" in self.document else resolutions
        packages = {
            key: self._package(key, resolutions.get(_PEERS.sub("", key)) or resolutions.get(key) or {}, snapshot or {})
            for key, snapshot in snapshots.items()
        }
        importers = {
            posixpath.normpath(str(directory)): self._importer(posixpath.normpath(str(directory)), value or {})
            for directory, value in self.table("importers").items()
        }
        edges: dict[str, tuple[Edge, ...]] = {}
        for directory, value in self.table("importers").items():
            importer = importers[posixpath.normpath(str(directory))]
            edges[importer.id] = tuple(self._importer_edges(importer, value or {}, packages))
        for key, snapshot in snapshots.items():
            edges[key] = tuple(self._snapshot_edges(packages[key], snapshot or {}, packages))
        return Lock("pnpm", self.path, version, packages, importers, edges)

    def _importer(self, directory: str, value: Mapping[str, Any]) -> LockedPackage:
        specs = {need: {name: _spec(entry) for name, entry in _entries(value, need)} for need in _SECTIONS}
        return LockedPackage(
            id=f"importer:{directory}",
            name=directory,
            version="",
            line=self.lines.get(directory, 1),
            path="" if directory == "." else directory,
            local=directory,
            dependencies=specs[EdgeType.PROD],
            dev_dependencies=specs[EdgeType.DEV],
            optional_dependencies=specs[EdgeType.OPTIONAL],
        )

    def _package(self, key: str, found: Mapping[str, Any], snapshot: Mapping[str, Any]) -> LockedPackage:
        bare = _PEERS.sub("", key).removeprefix("/")
        at = bare.rfind("@", 1)
        name, version = str(found.get("name") or bare[:at]), str(found.get("version") or bare[at + 1 :])
        resolution = found.get("resolution")
        resolution = resolution if isinstance(resolution, dict) else {}
        directory, tarball = str(resolution.get("directory", "")), str(resolution.get("tarball", ""))
        repository = str(resolution.get("repo", ""))
        local = directory or (tarball.removeprefix("file:") if tarball.startswith("file:") else "")
        return LockedPackage(
            id=key,
            name=name,
            version=version,
            line=self.lines.get(_PEERS.sub("", key), 1),
            path=f"node_modules/{name}",
            optional=bool(snapshot.get("optional", found.get("optional"))),
            local=posixpath.normpath(local) if local else None,
            has_install_script=found.get("requiresBuild") is True,
            resolved=f"git+{repository}" if repository else tarball,
            integrity=str(resolution.get("integrity", "")),
            os=_words(found.get("os")),
            cpu=_words(found.get("cpu")),
            libc=_words(found.get("libc")),
            engines_node=string_entries(found.get("engines")).get("node", ""),
            dependencies=string_entries(snapshot.get("dependencies")),
            optional_dependencies=string_entries(snapshot.get("optionalDependencies")),
        )

    def _importer_edges(
        self, importer: LockedPackage, value: Mapping[str, Any], packages: Mapping[str, LockedPackage]
    ) -> Iterator[Edge]:
        for need in _SECTIONS:
            for name, entry in _entries(value, need):
                target = self._target(importer, name, _version(entry), packages)
                yield Edge(importer, name, _spec(entry), need, target)

    def _snapshot_edges(
        self, package: LockedPackage, snapshot: Mapping[str, Any], packages: Mapping[str, LockedPackage]
    ) -> Iterator[Edge]:
        for need in (EdgeType.PROD, EdgeType.OPTIONAL):
            for name, reference in string_entries(snapshot.get(need.value)).items():
                yield Edge(package, name, reference, need, self._target(package, name, reference, packages))

    def _target(
        self, owner: LockedPackage, name: str, reference: str, packages: Mapping[str, LockedPackage]
    ) -> LockedPackage | None:
        if reference.startswith("link:"):
            base = owner.local or "." if owner.id.startswith("importer:") else "."
            place = posixpath.normpath(posixpath.join(base, reference.removeprefix("link:")))
            return LockedPackage(f"link:{place}", name, "", owner.line, f"node_modules/{name}", link=True, local=place)
        for key in (f"{name}@{reference}", reference, f"/{name}@{reference}"):
            if key in packages:
                return packages[key]
        return None


def _entries(value: Mapping[str, Any], need: EdgeType) -> Iterator[tuple[str, object]]:
    section = value.get(need.value)
    return ((str(name), entry) for name, entry in section.items()) if isinstance(section, dict) else iter(())


def _spec(entry: object) -> str:
    return str(entry.get("specifier", "")) if isinstance(entry, dict) else ""


def _version(entry: object) -> str:
    return str(entry.get("version", "")) if isinstance(entry, dict) else str(entry)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


def _outdated(lock: Lock, importer: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what package.json says otherwise than the lock's importer; overrides replace specifiers in both."""
    locked = lock.importers[importer]
    noted = {**locked.dev_dependencies, **locked.optional_dependencies, **locked.dependencies}
    wanted = {
        name: spec
        for need in (EdgeType.DEV, EdgeType.OPTIONAL, EdgeType.PROD)
        for name, spec in string_entries(manifest.get(need.value)).items()
    }
    for name, spec in wanted.items():
        if name not in noted:
            yield f"Missing: {name}@{spec} from lock file"
        elif noted[name] != spec and not noted[name].startswith(("npm:", "workspace:", "catalog:", "link:", "file:")):
            yield f"Invalid: lock file has {name}@{noted[name]}, and package.json {name}@{spec}"
