"""Stores what scripts load, by content, and the graph of an unchanged tree. A record that cannot be read is missing."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from lambdapack.packages.graph import ModuleEdge, ModuleGraph, Presence, ReachedFile, package_directory
from lambdapack.packages.resolution import (
    BuiltinModule,
    ModuleSystem,
    ProvidedPackage,
    Resolution,
    ResolutionError,
    ResolvedFile,
)
from lambdapack.script.specifier import Form, ImportCertainty, ScriptSpecifiers, Specifier
from lambdapack.store.records import Store

SCRIPT_RECORDS, GRAPH_RECORDS = "scripts", "graphs"


class ModuleCache:
    """The cache of one tree: what its scripts load by content, in one record, and its graphs by key."""

    def __init__(self, store: Store, location: str) -> None:
        """Keep the place; the record of the scripts is read when the first one is asked for."""
        self._store = store
        self._key = hashlib.sha256(f"scripts\0{location}".encode("utf-8", "surrogateescape")).hexdigest()
        self._known: dict[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._changed = False

    def get(self, key: str) -> ScriptSpecifiers | None:
        """Return the specifiers of the script with this content, None when they are unknown."""
        if self._known is None:
            self._known = _parse_object(self._store.get(SCRIPT_RECORDS, self._key))
        row = self._known.get(key)
        try:
            found = None if row is None else _script_of_row(row)
        except (ValueError, TypeError, KeyError):
            return None
        if found is not None:
            self._used[key] = row
        return found

    def put(self, key: str, value: ScriptSpecifiers) -> None:
        """Keep it; it is written when the cache is saved."""
        self._used[key] = _row_of_script(value)
        self._changed = True

    def find_graph(self, key: str) -> ModuleGraph | None:
        """Return the graph of an unchanged tree, without what packages load and node resolves; None when unknown."""
        document = _parse_object(self._store.get(GRAPH_RECORDS, _record_key(key)))
        try:
            return _graph_of_document(document) if document else None
        except (ValueError, TypeError, KeyError, IndexError):
            return None

    def store_graph(self, key: str, graph: ModuleGraph) -> None:
        """Store a graph without what packages load and node resolves."""
        self._store.put(GRAPH_RECORDS, _record_key(key), _dump(_document_of_graph(graph)))

    def save(self) -> None:
        """Write what is new; scripts that were not asked for belong to older trees and are dropped."""
        if self._changed:
            self._store.put(SCRIPT_RECORDS, self._key, _dump(self._used))
            self._changed = False


def _record_key(key: str) -> str:
    return hashlib.sha256(f"graph\0{key}".encode()).hexdigest()


def _dump(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _parse_object(data: bytes | None) -> dict[str, Any]:
    try:
        document = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _row_of_specifier(specifier: Specifier) -> list[Any]:
    return [specifier.form.value, specifier.text, specifier.line, int(specifier.certainty), specifier.source]


def _specifier_of_row(row: Sequence[Any]) -> Specifier:
    form, text, line, certainty, source = row
    return Specifier(Form(form), text, line, ImportCertainty(certainty), source)


def _row_of_script(script: ScriptSpecifiers) -> list[Any]:
    return [list(map(_row_of_specifier, script.specifiers)), script.has_module_syntax, script.incomplete]


def _script_of_row(row: Sequence[Any]) -> ScriptSpecifiers:
    specifiers, has_module_syntax, incomplete = row
    return ScriptSpecifiers(tuple(map(_specifier_of_row, specifiers)), bool(has_module_syntax), incomplete)


def _document_of_graph(graph: ModuleGraph) -> dict[str, Any]:
    files = [
        [file.path, file.system.value, int(file.certainty), file.asking, file.line, file.incomplete]
        for file in graph.files.values()
    ]
    edges = [
        [edge.asking, _row_of_specifier(edge.specifier), _row_of_answer(edge), int(edge.certainty), list(edge.targets)]
        for edge in graph.edges
        if edge.presence not in {Presence.RESOLVED, Presence.UNUSED} or not package_directory(edge.asking)
    ]
    return {"files": files, "edges": edges, "bounds": list(graph.bounds), "roots": list(graph.roots)}


def _row_of_answer(edge: ModuleEdge) -> list[str] | None:
    match edge.resolution:
        case None:
            return None
        case ResolvedFile(path, system):
            return ["file", path, system.value]
        case BuiltinModule(name):
            return ["builtin", name]
        case ProvidedPackage(name):
            return ["provided", name]
        case ResolutionError(code, message, path):
            return ["error", code, message, path]


def _answer_of_row(row: Sequence[str] | None) -> Resolution | None:
    if row is None:
        return None
    kind, *values = row
    if kind == "file":
        return ResolvedFile(values[0], ModuleSystem(values[1]))
    if kind == "error":
        return ResolutionError(*values)
    if kind == "provided":
        return ProvidedPackage(values[0])
    return BuiltinModule(values[0])


def _graph_of_document(document: dict[str, Any]) -> ModuleGraph:
    systems, certainties = {system.value: system for system in ModuleSystem}, tuple(ImportCertainty)
    files = {
        path: ReachedFile(path, systems[system], certainties[certainty], asking, line, incomplete)
        for path, system, certainty, asking, line, incomplete in document["files"]
    }
    edges = tuple(
        ModuleEdge(
            asking,
            _specifier_of_row(row),
            _answer_of_row(answer),
            certainties[certainty],
            tuple(targets),
        )
        for asking, row, answer, certainty, targets in document["edges"]
    )
    return ModuleGraph(edges, files, tuple(document["bounds"]), (), tuple(document["roots"]))
