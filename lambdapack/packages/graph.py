"""What the start files load, file by file: each specifier's answer, how surely it is asked, and what is missing."""

import heapq
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any, Protocol

from lambdapack.packages.file_system import FileSystem
from lambdapack.packages.native import native_files
from lambdapack.packages.resolution import (
    BuiltinModule,
    ModuleSystem,
    ProvidedPackage,
    Resolution,
    ResolutionError,
    ResolvedFile,
)
from lambdapack.packages.resolver import ModuleResolver, package_name
from lambdapack.script.specifier import LINUX, Form, ImportCertainty, Platform, ScriptSpecifiers, Specifier
from lambdapack.script.specifiers import read_specifiers

MAX_FILES = 10_000
MAX_BYTES = 256 * 1024 * 1024
"""Scripts that are read for one graph, and their bytes: what Lambda unpacks at most (docs/facts.md#4-limits)."""

READER_VERSION = 4
"""Part of every cache key: another reader may find other specifiers in the same bytes."""

BINDINGS_NOT_FOUND = "BINDINGS_NOT_FOUND"
"""Our code for what the package `bindings` throws without one."""


class Presence(Enum):
    """What becomes of one specifier."""

    RESOLVED = "resolved"  # to a file, a module of node's own, or a package that the runtime brings
    MISSING = "missing"  # for certain: the import of the start file fails
    MISSING_IF_ENTERED = "missing-if-entered"  # when that branch, function or try runs
    COMPUTED = "computed"  # only a run can tell
    UNUSED = "unused"  # it cannot run on the platform


@dataclass(frozen=True, slots=True)
class GraphStart:
    """Where a graph begins."""

    specifier: str  # an absolute path for a handler's file
    asking: str  # the file, or a name in the directory, from which it is looked up
    by_import: bool
    certainty: ImportCertainty = ImportCertainty.AT_IMPORT  # IN_FUNCTION for what a layer only offers


@dataclass(frozen=True, slots=True)
class ModuleEdge:
    """One specifier of one reached file, with its answer."""

    asking: str  # absolute real path; "" for a start
    specifier: Specifier
    resolution: Resolution | None  # None: computed, or not looked up
    certainty: ImportCertainty  # along the whole way from the start files
    targets: tuple[str, ...] = ()  # native files and assets that it reaches besides

    @property
    def presence(self) -> Presence:
        """Return what becomes of it."""
        if self.certainty is ImportCertainty.NEVER:
            return Presence.UNUSED
        if isinstance(self.resolution, ResolutionError):
            return Presence.MISSING if self.certainty is ImportCertainty.AT_IMPORT else Presence.MISSING_IF_ENTERED
        if self.specifier.text is None or (self.resolution is None and not self.targets):
            return Presence.COMPUTED
        return Presence.RESOLVED


@dataclass(frozen=True, slots=True)
class ReachedFile:
    """A file that the start files load, or may load."""

    path: str
    system: ModuleSystem
    certainty: ImportCertainty
    asking: str  # the file that loads it most surely; "" for a start
    line: int
    incomplete: str = ""  # why its specifiers are not all known


@dataclass(frozen=True, slots=True)
class AbsentDependency:
    """A name that the manifest of a reached package has and that is not installed where it looks."""

    package: str  # directory of the package whose manifest names it
    name: str
    kind: str  # "dependencies" or "peerDependencies"
    asked: ModuleEdge | None  # its surest use by a reached file of that package; None: nobody asks for it


class SpecifierCache(Protocol):
    """Remembers what was read of a script, by content."""

    def get(self, key: str) -> ScriptSpecifiers | None:
        """Return what was put under a key."""
        ...

    def put(self, key: str, value: ScriptSpecifiers) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True)
class ModuleGraph:
    """What is reached from the start files."""

    edges: tuple[ModuleEdge, ...]
    files: Mapping[str, ReachedFile]  # by absolute real path; native files and assets among them
    bounds: tuple[str, ...] = ()  # limits that were met: what lies beyond is not known
    absent: tuple[AbsentDependency, ...] = ()
    roots: tuple[str, ...] = ()  # files that the starts resolved to
    _askers: dict[str, list[ModuleEdge]] = field(default_factory=dict, compare=False, repr=False)

    def missing_edges(self) -> Iterator[ModuleEdge]:
        """Yield what cannot be found, surest first."""
        lacking = (edge for edge in self.edges if isinstance(edge.resolution, ResolutionError))
        yield from sorted(
            (edge for edge in lacking if edge.certainty is not ImportCertainty.NEVER), key=lambda edge: edge.certainty
        )

    def native_files(self) -> Iterator[ReachedFile]:
        """Yield the reached native files."""
        yield from (reached for reached in self.files.values() if reached.system is ModuleSystem.ADDON)

    def packages(self) -> Mapping[str, ImportCertainty]:
        """Return the directories of the reached packages in node_modules, with how surely each is reached."""
        found: dict[str, ImportCertainty] = {}
        for reached in self.files.values():
            directory = package_directory(reached.path)
            if directory:
                found[directory] = min(found.get(directory, reached.certainty), reached.certainty)
        return found

    def askers(self, path: str) -> Sequence[ModuleEdge]:
        """Return who loads a file."""
        if not self._askers:
            for edge in self.edges:
                targets = (edge.resolution.path,) if isinstance(edge.resolution, ResolvedFile) else ()
                for target in {*targets, *edge.targets}:
                    self._askers.setdefault(target, []).append(edge)
        return self._askers.get(path, ())

    def way_to(self, path: str) -> tuple[str, ...]:
        """Return the files from a start to a reached file, along the surest way."""
        way = [path]
        while (reached := self.files.get(way[-1])) is not None and reached.asking and reached.asking not in way:
            way.append(reached.asking)
        return tuple(reversed(way))


@dataclass(slots=True)
class GraphBuilder:
    """Builds one graph."""

    files: FileSystem
    resolver: ModuleResolver
    platform: Platform = LINUX
    cache: SpecifierCache | None = None
    max_files: int = MAX_FILES
    max_bytes: int = MAX_BYTES
    _edges: list[ModuleEdge] = field(default_factory=list)
    _reached: dict[str, ReachedFile] = field(default_factory=dict)
    _queue: list[tuple[int, int, ReachedFile]] = field(default_factory=list)
    _count: int = 0
    _bytes: int = 0
    _read: int = 0
    _bounds: dict[str, None] = field(default_factory=dict)

    def build(self, starts: Sequence[GraphStart]) -> ModuleGraph:
        """Return the graph of all start files; surest ways first, so each file is read once."""
        roots = []
        for start in starts:
            form = Form.IMPORT if start.by_import else Form.REQUIRE
            specifier = Specifier(form, start.specifier, 0, ImportCertainty.AT_IMPORT)
            edge = self._edge(specifier, start.asking, start.certainty)
            self._edges.append(ModuleEdge("", specifier, edge.resolution, start.certainty))
            if isinstance(edge.resolution, ResolvedFile):
                roots.append(edge.resolution.path)
                self._push(edge.resolution, start.certainty, "", 0)
        while self._queue:
            _, _, reached = heapq.heappop(self._queue)
            if reached.path not in self._reached:
                self._visit(reached)
        graph = ModuleGraph(tuple(self._edges), self._reached, tuple(self._bounds), roots=tuple(dict.fromkeys(roots)))
        absent = tuple(self._absent(graph))
        return ModuleGraph(graph.edges, graph.files, graph.bounds, absent, graph.roots)

    def _push(self, target: ResolvedFile, certainty: ImportCertainty, asking: str, line: int) -> None:
        if certainty is ImportCertainty.NEVER or target.path in self._reached:
            return
        self._count += 1
        reached = ReachedFile(target.path, target.system, certainty, asking, line)
        heapq.heappush(self._queue, (certainty, self._count, reached))

    def _visit(self, reached: ReachedFile) -> None:
        script = self._specifiers(reached)
        self._reached[reached.path] = ReachedFile(
            reached.path, reached.system, reached.certainty, reached.asking, reached.line, script.incomplete
        )
        for specifier in script.specifiers:
            edge = self._edge(specifier, reached.path, reached.certainty.then(specifier.certainty))
            self._edges.append(edge)
            if isinstance(edge.resolution, ResolvedFile):
                self._push(edge.resolution, _loading(edge), reached.path, specifier.line)
            for target in edge.targets:
                self._push(
                    ResolvedFile(target, self._target_system(target)), _loading(edge), reached.path, specifier.line
                )

    def _target_system(self, target: str) -> ModuleSystem:
        """Return how an asset would be loaded: a worker is a script, a text stays one."""
        plain = posixpath.splitext(target)[1] in {"", ".wasm"}
        return ModuleSystem.OTHER if plain else self.resolver.system_of(target)

    def _specifiers(self, reached: ReachedFile) -> ScriptSpecifiers:
        if reached.system in {ModuleSystem.JSON, ModuleSystem.ADDON}:
            return ScriptSpecifiers()
        if reached.system is ModuleSystem.OTHER:
            return ScriptSpecifiers()
        if self._read >= self.max_files:
            self._bounds[f"more than {self.max_files} scripts are reached"] = None
            return ScriptSpecifiers(incomplete="it was not read: too many scripts are reached")
        data = self.files.read(reached.path)
        self._read += 1
        self._bytes += len(data)
        if self._bytes > self.max_bytes:
            self._bounds[f"the reached scripts have more than {self.max_bytes} bytes"] = None
            return ScriptSpecifiers(incomplete="it was not read: the reached scripts are too big")
        plain = bool(package_directory(reached.path))  # the project's own scripts are read whole
        script = self._read_script(data, module=reached.system is ModuleSystem.MODULE, plain=plain)
        if reached.system is ModuleSystem.DETECT and script.has_module_syntax:
            script = self._read_script(data, module=True, plain=plain)
        return script

    def _read_script(self, data: bytes, *, module: bool, plain: bool) -> ScriptSpecifiers:
        if self.cache is None:
            return read_specifiers(data, module=module, platform=self.platform, plain=plain)
        key = specifier_key(data, module=module, platform=self.platform, plain=plain)
        known = self.cache.get(key)
        if known is None:
            known = read_specifiers(data, module=module, platform=self.platform, plain=plain)
            self.cache.put(key, known)
        return known

    def _edge(self, specifier: Specifier, asking: str, certainty: ImportCertainty) -> ModuleEdge:
        text = specifier.text
        if text is None or certainty is ImportCertainty.NEVER:
            return ModuleEdge(asking, specifier, None, certainty)
        if specifier.form is Form.ASSET:
            path = self.files.real(posixpath.normpath(posixpath.join(posixpath.dirname(asking), text)))
            return ModuleEdge(asking, specifier, None, certainty, (path,) if self.files.is_file(path) else ())
        if specifier.form in {Form.BINDINGS, Form.PREBUILDS, Form.ADDON}:
            natives = tuple(native_files(self.files, self.platform, specifier, asking))
            lacks = specifier.form is Form.BINDINGS and not natives
            refusal = (
                ResolutionError(BINDINGS_NOT_FOUND, f"Could not locate the bindings file '{text}'") if lacks else None
            )
            return ModuleEdge(asking, specifier, refusal, certainty, natives)
        resolve = self.resolver.import_ if specifier.form.is_esm else self.resolver.require
        return ModuleEdge(asking, specifier, resolve(text, asking), certainty)

    def _absent(self, graph: ModuleGraph) -> Iterator[AbsentDependency]:
        """Yield what manifests name and nobody installed; the function's own package counts like any other."""
        uses: dict[tuple[str, str], ModuleEdge] = {}
        owners: dict[str, Mapping[str, Any]] = {}
        for path in graph.files:
            directory = self._owner(path)
            manifest = self.resolver.manifest_of(directory) if directory else None
            if directory and manifest is not None:
                owners[directory] = manifest
        for edge in graph.missing_edges():
            name = package_name(edge.specifier.text or "")
            if edge.asking and name is not None:
                uses.setdefault((self._owner(edge.asking), name), edge)
        for directory, manifest in owners.items():
            for name, kind in _wanted(manifest):
                if self.resolver.package_directory(name, f"{directory}/package.json") is None:
                    provided = isinstance(
                        self.resolver.require(name, f"{directory}/package.json"), ProvidedPackage | BuiltinModule
                    )
                    if not provided:
                        yield AbsentDependency(directory, name, kind, uses.get((directory, name)))

    def _owner(self, path: str) -> str:
        """Return the directory of the package that a file belongs to: nested package.json files are no packages."""
        directory = package_directory(path)
        if directory:
            return directory
        scope = self.resolver.scope_of(path)
        return scope[0] if scope is not None else ""


def _loading(edge: ModuleEdge) -> ImportCertainty:
    """A path that is only looked up or read as an asset is loaded, if at all, by what somebody calls later."""
    if edge.specifier.form in {Form.ASSET, Form.RESOLVE}:
        return edge.certainty.then(ImportCertainty.IN_FUNCTION)
    return edge.certainty


def _wanted(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    optional = _table(manifest.get("optionalDependencies"))
    for name in _table(manifest.get("dependencies")):
        if name not in optional:
            yield name, "dependencies"
    meta = _table(manifest.get("peerDependenciesMeta"))
    for name in _table(manifest.get("peerDependencies")):
        if not _table(meta.get(name)).get("optional"):
            yield name, "peerDependencies"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def package_directory(path: str) -> str:
    """Return the directory of the package in node_modules that a path lies in, "" outside."""
    before, found, inside = path.rpartition("/node_modules/")
    parts = inside.split("/")
    count = 2 if inside.startswith("@") else 1
    return f"{before}/node_modules/{'/'.join(parts[:count])}" if found and len(parts) > count else ""


def specifier_key(data: bytes, *, module: bool, platform: Platform, plain: bool = False) -> str:
    """Return the name of what is read of a script: by its bytes, its goal and what conditions are decided with."""
    digest = blake2b(data, digest_size=20)
    digest.update(repr((READER_VERSION, module, platform, plain)).encode())
    return digest.hexdigest()


def layer_offers(files: FileSystem, modules: Sequence[str]) -> Iterator[GraphStart]:
    """Yield what layers offer to functions: each package in their node_modules, loaded only if somebody asks."""
    for place in modules:
        for name in files.names(place):
            if name.startswith("."):
                continue
            names = [f"{name}/{inner}" for inner in files.names(f"{place}/{name}")] if name.startswith("@") else [name]
            for full in names:
                yield GraphStart(
                    full, f"{posixpath.dirname(place)}/offer.js", by_import=False, certainty=ImportCertainty.IN_FUNCTION
                )
