"""Reads yarn.lock of either generation into a Lock. Never repairs a lockfile."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BROKEN_MANIFEST
from lambdapack.managers.lock import Edge, EdgeType, Lock, LockedPackage, mark_production
from lambdapack.project.document import parse_object, parse_yaml, read_text, string_entries
from lambdapack.project.semver import satisfies
from lambdapack.project.workspaces import find_members

if TYPE_CHECKING:
    from lambdapack.project.repository import Repository

LOCKFILE_NAME = "yarn.lock"
CLASSIC, BERRY = "yarn", "yarn-berry"

_BERRY_MARK = re.compile(r"^__metadata:", re.MULTILINE)
_NEEDS = (EdgeType.PROD, EdgeType.DEV, EdgeType.OPTIONAL, EdgeType.PEER)
_WORDS = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,]+')


@dataclass(frozen=True, slots=True)
class YarnEntry:
    """One entry of a yarn.lock: what several descriptors ("ms@^2.0.0") lead to."""

    descriptors: tuple[str, ...]
    line: int
    version: str = ""
    name: str = ""  # in the registry; an alias has another one
    resolved: str = ""
    integrity: str = ""
    local: str | None = None
    is_workspace: bool = False
    conditions: Mapping[str, str] = field(default_factory=dict)  # "os", "cpu", "libc"
    dependencies: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    peers: Mapping[str, str] = field(default_factory=dict)


def is_berry(text: str) -> bool:
    """Tell whether a lock is of yarn 2 or later."""
    return _BERRY_MARK.search(text) is not None


def read_lock(repository: "Repository", importer: str) -> Lock | None:
    """Return the lock of a repository for one of its packages, None when there is none. LP003 when it is broken."""
    root = repository.root
    path = root / LOCKFILE_NAME
    if not path.is_file():
        return None
    manifests = {"."} | set(find_members(root))
    documents = {
        directory: parse_object(read_text(root / directory / "package.json"), root / directory / "package.json")
        for directory in sorted(manifests)
        if (root / directory / "package.json").is_file()
    }
    lock = parse_lock(read_text(path), path, documents)
    if importer not in lock.importers:
        return lock
    return mark_production(replace(lock, outdated=tuple(_outdated(lock, importer))), importer)


def _outdated(lock: Lock, importer: str) -> Iterator[str]:
    for edge in lock.edges[lock.importers[importer].id]:
        if edge.target is None and edge.need is not EdgeType.PEER and not edge.spec.startswith("link:"):
            yield f"Missing: {edge.name}@{edge.spec} from lock file"


def parse_lock(text: str, path: Path, documents: Mapping[str, Mapping[str, Any]] | None = None) -> Lock:
    """Return the lock that a text is, for the package.json files by directory. LP003 when it is broken."""
    berry = is_berry(text)
    entries = tuple(_berry_entries(text, path) if berry else _classic_entries(text, path))
    return _Linker(entries, documents or {}, berry=berry).lock(path, _format(text) if berry else 1)


def _format(text: str) -> int:
    match = re.search(r"^  version: (\d+)", text, re.MULTILINE)
    return int(match[1]) if match else 8


def _berry_entries(text: str, path: Path) -> Iterator[YarnEntry]:
    document = parse_yaml(text, path)
    lines = {
        match[1]: text.count("\n", 0, match.start()) + 1 for match in re.finditer(r'^"?(.+?)"?:$', text, re.MULTILINE)
    }
    for key, value in document.items():
        if key == "__metadata" or not isinstance(value, dict):
            continue
        resolution = str(value.get("resolution", ""))
        name, _, reference = resolution.rpartition("@") if "@" in resolution[1:] else ("", "", "")
        name, reference = _split_descriptor(resolution)
        local = _berry_local(reference)
        meta = value.get("dependenciesMeta")
        optional = (
            {key for key, entry in meta.items() if isinstance(entry, dict) and entry.get("optional") is True}
            if isinstance(meta, dict)
            else set()
        )
        needs = string_entries(value.get("dependencies"))
        yield YarnEntry(
            descriptors=tuple(part.strip() for part in str(key).split(", ")),
            line=lines.get(str(key), 1),
            version=str(value.get("version", "")),
            name=name,
            resolved=f"git+{reference}"
            if reference.startswith(("https:", "ssh:", "git")) and "#commit" in reference
            else reference,
            integrity=str(value.get("checksum", "")),
            local=local,
            is_workspace=reference.startswith("workspace:"),
            conditions=dict(
                part.strip().split("=", 1) for part in str(value.get("conditions", "")).split("&") if "=" in part
            ),
            dependencies={key: spec for key, spec in needs.items() if key not in optional},
            optional={key: spec for key, spec in needs.items() if key in optional},
            peers=string_entries(value.get("peerDependencies")),
        )


def _berry_local(reference: str) -> str | None:
    """Return the directory of "file:../x#../x::hash=..." or "portal:../x::locator=..."; None for others."""
    match = re.match(r"(?:file|portal|link):([^#:]+)", reference)
    return posixpath.normpath(match[1]) if match else None


def _classic_entries(text: str, path: Path) -> Iterator[YarnEntry]:
    blocks: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if not line.rstrip().endswith(":"):
                raise LambdapackError(BROKEN_MANIFEST, f"{path}:{number}: an entry is expected")
            blocks.append((number, line.rstrip()[:-1], []))
        elif blocks:
            blocks[-1][2].append(line)
    for number, head, body in blocks:
        yield _classic_entry(number, tuple(_unquote(word) for word in _WORDS.findall(head)), body)


def _classic_entry(line: int, descriptors: tuple[str, ...], body: list[str]) -> YarnEntry:
    fields: dict[str, str] = {}
    tables: dict[str, dict[str, str]] = {}
    table = ""
    for row in body:
        words = [_unquote(word) for word in _WORDS.findall(row.strip().removesuffix(":"))]
        if row.startswith("    ") and len(words) >= 2:
            tables.setdefault(table, {})[words[0]] = words[1]
        elif len(words) == 1:
            table = words[0]
        elif len(words) >= 2:
            fields[words[0]] = words[1]
    name, spec = _split_descriptor(descriptors[0])
    alias = re.match(r"npm:((?:@[^/@]+/)?[^@/]+)", spec)
    resolved = fields.get("resolved", "").partition("#")[0]
    is_git = resolved.startswith(("git+", "git:", "git@")) or ".git#" in fields.get("resolved", "")
    return YarnEntry(
        descriptors=descriptors,
        line=line,
        version=fields.get("version", ""),
        name=alias[1] if alias else name,
        resolved=f"git+{resolved.removeprefix('git+')}" if is_git else resolved,
        integrity=fields.get("integrity", ""),
        local=posixpath.normpath(spec.removeprefix("file:")) if spec.startswith("file:") else None,
        dependencies=tables.get("dependencies", {}),
        optional=tables.get("optionalDependencies", {}),
    )


def _unquote(word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        return str(json.loads(word))
    except ValueError:
        return word.strip('"')


def _split_descriptor(descriptor: str) -> tuple[str, str]:
    at = descriptor.find("@", 1)
    return (descriptor[:at], descriptor[at + 1 :]) if at > 0 else (descriptor, "")


class _Linker:
    """Joins entries, package.json files and descriptors to a Lock."""

    def __init__(
        self, entries: tuple[YarnEntry, ...], documents: Mapping[str, Mapping[str, Any]], *, berry: bool
    ) -> None:
        self._berry = berry
        self._documents = documents
        self._entries = entries
        self._packages = {entry.descriptors[0]: _package(entry) for entry in entries if not entry.is_workspace}
        self._by_descriptor: dict[str, LockedPackage] = {}
        self._by_name: dict[str, list[LockedPackage]] = {}
        for entry in entries:
            package = self._packages.get(entry.descriptors[0])
            if package is not None:
                self._by_descriptor.update(dict.fromkeys(entry.descriptors, package))
                self._by_name.setdefault(_split_descriptor(entry.descriptors[0])[0], []).append(package)
        self._members = {
            str(document.get("name")): directory for directory, document in documents.items() if document.get("name")
        }

    def lock(self, path: Path, version: int) -> Lock:
        importers = {directory: _importer(directory, document) for directory, document in self._documents.items()}
        edges = {importer.id: tuple(self._importer_edges(importer)) for importer in importers.values()}
        for entry in self._entries:
            if not entry.is_workspace:
                edges[entry.descriptors[0]] = tuple(self._entry_edges(self._packages[entry.descriptors[0]]))
        return Lock(BERRY if self._berry else CLASSIC, path, version, self._packages, importers, edges)

    def _importer_edges(self, importer: LockedPackage) -> Iterator[Edge]:
        sections = (
            (EdgeType.PROD, importer.dependencies),
            (EdgeType.DEV, importer.dev_dependencies),
            (EdgeType.OPTIONAL, importer.optional_dependencies),
        )
        for need, section in sections:
            for name, spec in section.items():
                yield Edge(importer, name, spec, need, self._target(importer, name, spec))

    def _entry_edges(self, package: LockedPackage) -> Iterator[Edge]:
        for need, section in (
            (EdgeType.PROD, package.dependencies),
            (EdgeType.OPTIONAL, package.optional_dependencies),
        ):
            for name, spec in section.items():
                yield Edge(package, name, spec, need, self._target(package, name, spec))

    def _target(self, owner: LockedPackage, name: str, spec: str) -> LockedPackage | None:
        directory = self._members.get(name)
        if directory is not None and self._is_for_member(directory, spec):
            return LockedPackage(
                f"link:{directory}", name, "", owner.line, f"node_modules/{name}", link=True, local=directory
            )
        if spec.startswith(("link:", "portal:")):
            base = owner.local or "."
            place = posixpath.normpath(posixpath.join(base, spec.partition(":")[2]))
            return LockedPackage(f"link:{place}", name, "", owner.line, f"node_modules/{name}", link=True, local=place)
        for descriptor in (f"{name}@{spec}", f"{name}@npm:{spec}"):
            if descriptor in self._by_descriptor:
                return self._by_descriptor[descriptor]
        same = self._by_name.get(name, [])
        # `resolutions`, patches and file: descriptors are bound to a locator: what package.json says is no key of them.
        rewritten = spec.startswith(("patch:", "file:", "catalog:")) or name in self._resolutions()
        return same[-1] if same and rewritten else None

    def _resolutions(self) -> frozenset[str]:
        written = string_entries(self._documents.get(".", {}).get("resolutions"))
        return frozenset(
            _split_descriptor(key.rpartition("/")[2] if "@" not in key else key)[0].rpartition("**/")[2]
            for key in written
        ) | frozenset(written)

    def _is_for_member(self, directory: str, spec: str) -> bool:
        if spec.startswith("workspace:"):
            return True
        version = self._documents[directory].get("version")
        return spec in {"*", ""} or satisfies(str(version or "0.0.0"), spec.removeprefix("npm:")) is True


def _package(entry: YarnEntry) -> LockedPackage:
    name = _split_descriptor(entry.descriptors[0])[0]
    return LockedPackage(
        id=entry.descriptors[0],
        name=entry.name or name,
        version=entry.version,
        line=entry.line,
        path=f"node_modules/{name}",
        local=entry.local,
        resolved=entry.resolved,
        integrity=entry.integrity or ("-" if entry.resolved.startswith(("npm:", "patch:")) else ""),
        os=_condition(entry, "os"),
        cpu=_condition(entry, "cpu"),
        libc=_condition(entry, "libc"),
        dependencies=entry.dependencies,
        optional_dependencies=entry.optional,
        peer_dependencies=entry.peers,
    )


def _condition(entry: YarnEntry, name: str) -> tuple[str, ...]:
    return (entry.conditions[name].strip(),) if name in entry.conditions else ()


def _importer(directory: str, document: Mapping[str, Any]) -> LockedPackage:
    optional = string_entries(document.get("optionalDependencies"))
    return LockedPackage(
        id=f"importer:{directory}",
        name=str(document.get("name") or directory),
        version=str(document.get("version") or ""),
        line=1,
        path="" if directory == "." else directory,
        local=directory,
        dependencies={k: v for k, v in string_entries(document.get("dependencies")).items() if k not in optional},
        dev_dependencies=string_entries(document.get("devDependencies")),
        optional_dependencies=optional,
    )
