"""The modules of a function: where node begins, and the graph of what it loads. Reads the trees when it is asked."""

import posixpath
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Protocol

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT
from lambdapack.packages.file_system import FileSystem, PlacedTrees
from lambdapack.packages.graph import (
    READER_VERSION,
    GraphBuilder,
    GraphStart,
    ModuleGraph,
    SpecifierCache,
    layer_offers,
)
from lambdapack.packages.node import ResolutionSettings, preloads
from lambdapack.packages.resolution import ModuleSystem
from lambdapack.packages.resolver import ModuleResolver
from lambdapack.script.specifier import Platform
from lambdapack.tree.entry import EntryKind, Tree
from lambdapack.tree.identity import is_settled

HANDLER_EXTENSIONS = ("", ".js", ".mjs", ".cjs")
"""In the order in which the runtime interface client tries them (aws-lambda-ric 3.x UserFunction.js, 4.0.2)."""

WRAPPED_HANDLER_VARIABLES = ("DD_LAMBDA_HANDLER", "NEW_RELIC_LAMBDA_HANDLER", "LUMIGO_ORIGINAL_HANDLER")
"""Variables in which a layer's wrapper finds the function's own handler (the vendors' documentation, read 2026-11)."""


BUNDLER_SIGNS = (b"__commonJS", b"__toCommonJS", b"__toESM", b"__require", b"webpack_require__", b"__nccwpck_require__")
"""Names of the helpers of esbuild, rolldown, webpack and ncc, which stand in their output unless it is minified."""


class GraphCache(SpecifierCache, Protocol):
    """Remembers what scripts load, and the graphs of unchanged trees."""

    def find_graph(self, key: str) -> ModuleGraph | None:
        """Return a graph; the edges that resolve may be left out of it."""
        ...

    def store_graph(self, key: str, graph: ModuleGraph) -> None:
        """Keep it."""
        ...


NODE_VARIABLES = ("NODE_OPTIONS", "NODE_PATH", *WRAPPED_HANDLER_VARIABLES)
"""The function's variables that decide what node loads first, and where it looks."""


@dataclass(frozen=True)  # without slots, for the cached property
class ResolvedModules:
    """A module graph with the files and the resolver that it was made with."""

    graph: ModuleGraph
    function: "FunctionModules"
    node: ResolutionSettings
    architecture: str  # process.arch
    whole: bool = True  # False: a graph of an earlier run, without the edges that resolve
    _bundles: dict[str, bool] = field(default_factory=dict)  # by path: each file is read once

    @property
    def files(self) -> PlacedTrees:
        """The files at their places in Lambda."""
        return self.function.files

    @cached_property
    def resolver(self) -> ModuleResolver:
        """Node's resolution in those files."""
        return ModuleResolver(self.files, self.node)

    def graph_from(self, starts: Iterable[GraphStart]) -> ModuleGraph:
        """Return the graph of other start files, for the same node."""
        platform = Platform("linux", self.architecture)
        return GraphBuilder(self.files, self.resolver, platform, self.function.cache).build(tuple(starts))

    def variable_of(self, specifier: str) -> str:
        """Return the variable that has node load a specifier at the start, "" for the handler itself."""
        environment = self.function.environment
        if any(specifier == name for name, _ in preloads(environment.get("NODE_OPTIONS", ""))):
            return "NODE_OPTIONS"
        wrapped = ((name, environment.get(name, "")) for name in WRAPPED_HANDLER_VARIABLES)
        starts = {name: handler_start(self.files, handler).specifier for name, handler in wrapped if handler}
        return next((name for name, start in starts.items() if start == specifier), "")

    def is_bundle(self, path: str) -> bool:
        """Tell whether a file has the wrappers that bundlers write."""
        known = self._bundles.get(path)
        if known is None:
            data = self.files.read(path) if self.files.is_file(path) else b""
            known = self._bundles[path] = any(sign in data for sign in BUNDLER_SIGNS)
        return known


@dataclass  # without slots, for the cached property
class FunctionModules:
    """The files of a function and its layers as node sees them. The trees must be open while a graph is made."""

    trees: Sequence[tuple[str, Tree]]  # each with its root, lowest first
    handler: str | None  # None: a layer, or a directory of dependencies alone
    environment: Mapping[str, str] = field(default_factory=dict)  # the function's own, as far as known
    cache: GraphCache | None = None
    _known: dict[tuple[ResolutionSettings, str], ResolvedModules] = field(default_factory=dict)

    @cached_property
    def files(self) -> PlacedTrees:
        """The files at their places in Lambda."""
        return PlacedTrees(self.trees)

    def resolve(self, node: ResolutionSettings, architecture: str, *, whole: bool = False) -> ResolvedModules:
        """Return what one node loads on one CPU (`process.arch`); each graph is made once.

        A graph of an earlier run has only the edges that do not resolve, unless it must be `whole`.
        """
        known = self._known.get((node, architecture))
        if known is None or (whole and not known.whole):
            key = self._graph_key(node, architecture) if self.cache else ""
            graph = self.cache.find_graph(key) if self.cache and key and not whole else None
            if graph is not None:
                known = ResolvedModules(graph, self, node, architecture, whole=False)
            else:
                empty = ResolvedModules(ModuleGraph((), {}), self, node, architecture)
                graph = empty.graph_from(self._starts(self.files, node))
                graph = self._judged(graph, architecture)
                known = replace(empty, graph=graph)
                if self.cache and key:
                    self.cache.store_graph(key, graph)
            self._known[node, architecture] = known
        return known

    def _judged(self, graph: ModuleGraph, architecture: str) -> ModuleGraph:
        """Return the graph with what follows from several scripts: names not exported, functions surely called."""
        own = (reached.system for reached in graph.files.values() if not is_installed_path(reached.path))
        if ModuleSystem.MODULE in own:
            from lambdapack.packages.linking import with_missing_exports  # noqa: PLC0415  # for ES modules

            graph = with_missing_exports(graph, self.files)
        if next(graph.missing_edges(), None) is not None:
            from lambdapack.packages.import_proof import with_proved_edges  # noqa: PLC0415  # where something is missing

            graph = with_proved_edges(graph, self.files, Platform("linux", architecture))
        return graph

    @property
    def begins(self) -> bool:
        """Whether node loads anything by itself: a handler, or what a layer offers to functions."""
        return self.handler is not None or self.trees[-1][0] == LAYER_ROOT

    def _graph_key(self, node: ResolutionSettings, architecture: str) -> str:
        """Return a digest that changes with every file, "" where a file may have changed without a trace."""
        environment = sorted(self.environment.items())
        digest = blake2b(repr((READER_VERSION, node, architecture, self.handler, environment)).encode(), digest_size=32)
        now = time.time_ns()
        for root, tree in self.trees:
            for path, entry in tree.entries.items():
                if entry.kind is EntryKind.FILE and not is_settled(entry.identity, now):
                    return ""
                line = f"{root}\0{path}\0{entry.kind.value}\0{entry.target}\0{entry.identity}\0{entry.size}\n"
                digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _starts(self, files: FileSystem, node: ResolutionSettings) -> Iterator[GraphStart]:
        if self.handler is None:
            places = [path for path in node.node_path if path.startswith(f"{LAYER_ROOT}/")]
            yield from layer_offers(files, places)
            return
        for name, by_import in preloads(self.environment.get("NODE_OPTIONS", "")):
            yield GraphStart(name, f"{TASK_ROOT}/.", by_import=by_import)
        wrapped = (self.environment.get(name, "") for name in WRAPPED_HANDLER_VARIABLES)
        for handler in dict.fromkeys((self.handler, *filter(None, wrapped))):
            yield handler_start(files, handler)


def handler_start(files: FileSystem, handler: str) -> GraphStart:
    """Return where a handler's module begins: its file, or a package of its name, which the client requires at last."""
    directory, name = posixpath.split(handler)
    module = posixpath.join(TASK_ROOT, directory, name.partition(".")[0])
    for extension in HANDLER_EXTENSIONS:
        if files.is_file(module + extension):
            return GraphStart(module + extension, f"{TASK_ROOT}/.", by_import=True)
    if files.is_directory(module):
        return GraphStart(module, f"{TASK_ROOT}/.", by_import=False)
    return GraphStart(posixpath.basename(module), f"{posixpath.dirname(module)}/.", by_import=False)


def is_installed_path(path: str) -> bool:
    """Tell whether a path lies in a node_modules: it is no file of the function's own."""
    return NODE_MODULES in path.split("/")
