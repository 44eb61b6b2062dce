"""Finds the JavaScript that names a script's path, in the module graph of a function. Judges nothing."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdapack.model import NODE_MODULES
from lambdapack.packages.graph import GraphStart, ModuleEdge, ModuleGraph, layer_offers, package_directory
from lambdapack.packages.manifests import PackageManifest, name_from_directory
from lambdapack.packages.modules import ResolvedModules
from lambdapack.script.specifier import ImportCertainty

STARTING_CALL = re.compile(r"\b(?:spawn|execFile)(?:Sync)?\(")
"""The calls of child_process that start a file by its "#!" line: it is their first argument."""

MAX_ARGUMENT_CHARACTERS = 400
"""Of a first argument that is looked at."""


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
        starts = _starts_script(self._text(edge.asking), posixpath.basename(script))
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
                text = self._text(path)
                if all(re.search(rf"['\"`/]{re.escape(name)}['\"`/]", text) for name in names):
                    yield ScriptUse(path, 0, reached.certainty, _starts_script(text, names[0]))

    def _text(self, path: str) -> str:
        return self._modules.files.read(path).decode("utf-8", "replace")


def _starts_script(text: str, name: str) -> bool:
    """Tell whether a source starts a file of that name itself, or a constant that ends with it."""
    word = re.compile(rf"['\"`/]{re.escape(name)}['\"`]")
    constants = {
        match[1]
        for match in re.finditer(r"\b(?:const|let|var)\s+([\w$]+)\s*=\s*([^;\n]{1,300})", text)
        if word.search(match[2])
    }
    for call in STARTING_CALL.finditer(text):
        argument = _first_argument(text[call.end() : call.end() + MAX_ARGUMENT_CHARACTERS])
        if word.search(argument) or argument.strip() in constants:
            return True
    return False


def _first_argument(text: str) -> str:
    """Return what stands before the first comma or closing bracket that belongs to the call itself."""
    depth = 0
    for index, character in enumerate(text):
        if depth == 0 and character in ",)":
            return text[:index]
        depth += (character in "([{") - (character in ")]}")
    return text
