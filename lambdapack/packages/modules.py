"""The modules of a function: where node begins, and the graph of what it loads. Reads the trees when it is asked."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lambdapack.model import LAYER_ROOT, NODE_MODULES, TASK_ROOT
from lambdapack.packages.file_system import FileSystem, PlacedTrees
from lambdapack.packages.graph import GraphBuilder, GraphStart, ModuleGraph, SpecifierCache, layer_offers
from lambdapack.packages.node import ResolutionSettings, preloads
from lambdapack.packages.resolver import ModuleResolver
from lambdapack.script.specifier import Platform
from lambdapack.tree.entry import Tree

HANDLER_EXTENSIONS = ("", ".js", ".mjs", ".cjs")
"""In the order in which the runtime interface client tries them (aws-lambda-ric 3.x UserFunction.js, 4.0.2)."""

WRAPPED_HANDLER_VARIABLES = ("DD_LAMBDA_HANDLER", "NEW_RELIC_LAMBDA_HANDLER", "LUMIGO_ORIGINAL_HANDLER")
"""Variables in which a layer's wrapper finds the function's own handler (the vendors' documentation, read 2026-11)."""


BUNDLER_SIGNS = (b"__commonJS", b"__toCommonJS", b"__toESM", b"__require", b"webpack_require__", b"__nccwpck_require__")
"""Names of the helpers of esbuild, rolldown, webpack and ncc, which stand in their output unless it is minified."""


@dataclass(frozen=True, slots=True)
class ResolvedModules:
    """A module graph with the files and the resolver that it was made with."""

    graph: ModuleGraph
    files: FileSystem
    resolver: ModuleResolver
    node: ResolutionSettings

    def is_bundle(self, path: str) -> bool:
        """Tell whether a file has the wrappers that bundlers write."""
        data = self.files.read(path) if self.files.is_file(path) else b""
        return any(sign in data for sign in BUNDLER_SIGNS)


@dataclass(slots=True)
class FunctionModules:
    """The files of a function and its layers as node sees them. The trees must be open while a graph is made."""

    trees: Sequence[tuple[str, Tree]]  # each with its root, lowest first
    handler: str | None  # None: a layer, or a directory of dependencies alone
    environment: Mapping[str, str] = field(default_factory=dict)  # the function's own, as far as known
    cache: SpecifierCache | None = None
    _files: PlacedTrees | None = None
    _known: dict[tuple[ResolutionSettings, str], ResolvedModules] = field(default_factory=dict)

    def resolve(self, node: ResolutionSettings, architecture: str) -> ResolvedModules:
        """Return what one node loads on one CPU (`process.arch`); each graph is made once."""
        if (node, architecture) not in self._known:
            files = self._files = self._files or PlacedTrees(self.trees)
            resolver = ModuleResolver(files, node)
            builder = GraphBuilder(files, resolver, Platform("linux", architecture), self.cache)
            graph = builder.build(tuple(self._starts(files, node)))
            self._known[node, architecture] = ResolvedModules(graph, files, resolver, node)
        return self._known[node, architecture]

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
