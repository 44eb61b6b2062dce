"""Finds the JavaScript that names a script's path, in the module graph of a function. Judges nothing."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambdapack.model import NODE_MODULES
from lambdapack.packages.graph import GraphStart, ModuleEdge, ModuleGraph, layer_offers, package_directory
from lambdapack.packages.install_script import MAX_LITERAL_LENGTH, MAX_LITERALS
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.modules import ResolvedModules
from lambdapack.script.requests import read_literals, read_started_programs
from lambdapack.script.specifier import ImportCertainty


@dataclass(frozen=True, slots=True)
class ScriptUse:
    """JavaScript that names a script."""

    path: str  # absolute
    line: int  # 0: only its name stands somewhere in that file
    certainty: ImportCertainty  # of that line, once its file is loaded
    starts: bool  # the script is the first argument of spawn or execFile


class ScriptUses:
    """Who names a file, in the graph of a function."""

    def __init__(self, modules: ResolvedModules, root: str, manifests: Mapping[str, PackageManifest]) -> None:
        """Keep the function's whole graph; where nothing begins, whatever lies in node_modules may be loaded."""
        self._modules = modules
        self._root = root
        self._manifests = manifests  # by absolute directory
        places = (f"{root}/{NODE_MODULES}", f"{root}/nodejs/{NODE_MODULES}")
        self._graph = modules.graph if modules.graph.files else modules.graph_from(layer_offers(modules.files, places))

    def find(self, script: str) -> Iterator[ScriptUse]:
        """Yield the uses of a script by an absolute path."""
        owner = package_directory(script)
        graph = self._graph
        if owner and not any(path.startswith(f"{owner}/") for path in graph.files):
            start = GraphStart(owner, script, by_import=False, certainty=ImportCertainty.IN_FUNCTION)
            graph = self._modules.graph_from([start] if self._is_dependency(owner) else [])
        edges = graph.askers(script)
        yield from (self._use(edge, script) for edge in edges if edge.certainty is not ImportCertainty.NEVER)
        if not edges:
            yield from self._mentions(graph, script, owner)

    def _is_dependency(self, owner: str) -> bool:
        """Tell whether a reached package, or the function, depends on a package: a computed require may load it."""
        name = name_from_directory(owner)
        reached = {self._root, *self._graph.packages()}
        manifests = (self._manifests[directory] for directory in reached if directory in self._manifests)
        return any(name in manifest.dependencies | manifest.optional_dependencies for manifest in manifests)

    def _use(self, edge: ModuleEdge, script: str) -> ScriptUse:
        starts = _starts_script(self._modules.files.read(edge.asking), posixpath.basename(script))
        return ScriptUse(edge.asking, edge.specifier.line, edge.specifier.certainty, starts)

    def _mentions(self, graph: ModuleGraph, script: str, owner: str) -> Iterator[ScriptUse]:
        """Yield the reached files of the script's package where its name and its directory are literals of their own.

        A path that is put together at run time is not followed any further.
        """
        if not owner:
            return
        names = (posixpath.basename(script), posixpath.basename(posixpath.dirname(script)))
        for path, reached in graph.files.items():
            if path.startswith(f"{owner}/") and path.endswith((".js", ".cjs", ".mjs")):
                data = self._modules.files.read(path)
                words = [re.compile(rb"['\"`/]" + re.escape(name.encode()) + rb"['\"`/]") for name in names]
                if all(word.search(data) for word in words) and _has_literals(data, names):
                    yield ScriptUse(path, 0, reached.certainty, _starts_script(data, names[0]))


def _has_literals(data: bytes, names: Sequence[str]) -> bool:
    """Tell whether each name is a part of a path in some string of a script."""
    parts = {part for literal in read_literals(data, MAX_LITERALS, MAX_LITERAL_LENGTH) for part in literal.split("/")}
    return parts.issuperset(names)


def _starts_script(data: bytes, name: str) -> bool:
    """Tell whether a script starts a file of that name itself, or a constant that ends with it."""
    word = re.compile(rf"['\"`/]{re.escape(name)}['\"`]")
    return any(word.search(argument) for argument in read_started_programs(data))
