"""Names that the function's own ES modules import and that the other script surely does not export.

node links before anything runs, so one such name ends the import. A name that the other script has nowhere in its text,
and in no script that it may export again, is exported by no syntax, and seen by none of node's searches for the exports
of CommonJS.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdapack.packages.file_system import FileSystem
from lambdapack.packages.graph import ModuleEdge, ModuleGraph, package_directory
from lambdapack.packages.resolution import ModuleSystem, ResolutionError, ResolvedFile
from lambdapack.script.specifier import Form, ImportCertainty, Specifier

EXPORT_MISSING = "EXPORT_MISSING"
"""Our code for node's SyntaxError "does not provide an export named" or "Named export not found"."""

MAX_LINKED_BYTES = 256 * 1024
MAX_SOUGHT_SCRIPTS = 300
"""Bytes of a script of the function's own whose imports are looked at; scripts in which one name is sought."""

_EXPORTED_AGAIN = re.compile(
    rb"export\s*\*|__exportStar|__export\s*\(\s*require|__reExport|module\.exports\s*=\s*[\w$.(\s]*require"
    rb"|\.\.\.\s*require|Object\.keys\s*\(|\bimport\s*\*|tslib"
)

_SCRIPTS = frozenset((ModuleSystem.COMMONJS, ModuleSystem.MODULE, ModuleSystem.DETECT))


def with_missing_exports(graph: ModuleGraph, files: FileSystem) -> ModuleGraph:
    """Return the graph with an edge for each name that is surely not exported."""
    own = [
        reached.path
        for reached in graph.files.values()
        if reached.system is ModuleSystem.MODULE and not package_directory(reached.path) and not reached.incomplete
    ]
    found = tuple(MissingExports(graph, files).find(own)) if own else ()
    return ModuleGraph((*graph.edges, *found), graph.files, graph.bounds, graph.absent, graph.roots) if found else graph


@dataclass(slots=True)
class MissingExports:
    """The exports of the scripts of one graph, looked for by name."""

    graph: ModuleGraph
    files: FileSystem
    _texts: dict[str, bytes] = field(default_factory=dict)
    _edges: dict[str, list[ModuleEdge]] = field(default_factory=dict)

    def find(self, paths: list[str]) -> Iterator[ModuleEdge]:
        """Yield an edge for each name that a script imports in vain."""
        for edge in self.graph.edges:
            self._edges.setdefault(edge.asking, []).append(edge)
        for path in paths:
            data = self._text(path)
            if len(data) <= MAX_LINKED_BYTES:
                yield from self._of_script(path, data)

    def _of_script(self, path: str, data: bytes) -> Iterator[ModuleEdge]:
        from lambdapack.script.flow.bindings import read_named_imports  # noqa: PLC0415  # for ES modules alone

        targets = {
            edge.specifier.text: edge.resolution
            for edge in self._edges.get(path, ())
            if edge.specifier.form in {Form.IMPORT, Form.EXPORT_FROM} and isinstance(edge.resolution, ResolvedFile)
        }
        reached = self.graph.files[path]
        for line, specifier, name in read_named_imports(data):
            target = targets.get(specifier)
            if target is None or self._may_export(target, name):
                continue
            words = f"{specifier!r} has no export named {name!r}"
            yield ModuleEdge(
                path,
                Specifier(Form.IMPORT, specifier, line, ImportCertainty.AT_IMPORT),
                ResolutionError(EXPORT_MISSING, words, target.path),
                reached.certainty,
            )

    def _may_export(self, target: ResolvedFile, name: str) -> bool:
        """Tell whether a name is in a script's text, or in that of one that it may export again."""
        if target.system not in _SCRIPTS or (name == "default" and target.system is not ModuleSystem.MODULE):
            return True
        word = re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])")
        seen: set[str] = set()
        pending = [target.path]
        while pending:
            path = pending.pop()
            if path in seen:
                continue
            seen.add(path)
            text = self._text(path)
            if word.search(text) or rb"\u" in text or len(seen) > MAX_SOUGHT_SCRIPTS or path not in self.graph.files:
                return True
            if self.graph.files[path].incomplete:
                return True
            if _EXPORTED_AGAIN.search(text) and name != "default":
                for edge in self._edges.get(path, ()):
                    if not isinstance(edge.resolution, ResolvedFile):
                        return True
                    pending.append(edge.resolution.path)
        return False

    def _text(self, path: str) -> bytes:
        if path not in self._texts:
            self._texts[path] = self.files.read(path) if self.files.is_file(path) else b""
        return self._texts[path]
