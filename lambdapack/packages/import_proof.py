"""Proves that a missing module ends the import: a function that asks for it is called while the start files load.

Goes backwards from what is missing: who loads the file, who calls the function, in this script or in another one, until
a file that surely loads. Reads nothing where nothing is missing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from lambdapack.packages.file_system import FileSystem
from lambdapack.packages.graph import ModuleEdge, ModuleGraph
from lambdapack.packages.resolution import ModuleSystem, ResolvedFile
from lambdapack.packages.resolver import package_name
from lambdapack.script.flow.facts import OTHER_SIDE, FlowPlace, FlowValue, Reference, ScriptFlow, UnitCall, Use
from lambdapack.script.specifier import ImportCertainty, Platform

MAX_FLOW_FILES = 600
MAX_FLOW_BYTES = 24 * 1024 * 1024
MAX_STEPS = 20_000
"""Scripts whose flow is read for one graph, their bytes, and places that are followed; beyond that no proof."""

_EXPORTS_ALL = re.compile(rb"export\s*\*|__exportStar|module\.exports\s*=\s*require|\.\.\.\s*require")

Node = tuple[str, FlowPlace]
Seen = set[tuple[str, ...]]
Matches = Callable[[FlowValue], bool]


def with_proved_edges(graph: ModuleGraph, files: FileSystem, platform: Platform) -> ModuleGraph:
    """Return the graph with the certainty that follows from who calls what; the same one where nothing is missing."""
    if next(graph.missing_edges(), None) is None:
        return graph
    proved = {id(edge) for edge in ImportProof(graph, files, platform).certain_edges()}
    if not proved:
        return graph
    edges = tuple(
        replace(edge, certainty=ImportCertainty.AT_IMPORT) if id(edge) in proved else edge for edge in graph.edges
    )
    return ModuleGraph(edges, graph.files, graph.bounds, graph.absent, graph.roots)


@dataclass(slots=True)
class ImportProof:
    """The flow of the scripts of one graph, read as far as it is asked for."""

    graph: ModuleGraph
    files: FileSystem
    platform: Platform
    _flows: dict[str, ScriptFlow] = field(default_factory=dict)
    _texts: dict[str, bytes] = field(default_factory=dict)
    _targets: dict[tuple[str, str], str] = field(default_factory=dict)
    _bytes: int = 0
    _steps: int = 0

    def certain_edges(self) -> Iterator[ModuleEdge]:
        """Yield the missing edges that fail the import although they stand in a function or on one of two sides."""
        for edge in self.graph.edges:
            if isinstance(edge.resolution, ResolvedFile) and edge.specifier.text is not None:
                self._targets[edge.asking, edge.specifier.text] = edge.resolution.path
        groups: dict[tuple[str, str], list[ModuleEdge]] = {}
        for edge in self.graph.missing_edges():
            text = edge.specifier.text or ""
            key = package_name(text) or text
            owner = "" if package_name(text) else edge.asking
            groups.setdefault((owner, key), []).append(edge)
        for edges in groups.values():
            if any(edge.certainty is ImportCertainty.AT_IMPORT and edge.asking for edge in edges):
                continue
            proved = self._proved(edges)
            if proved is not None:
                yield proved

    def _proved(self, edges: Sequence[ModuleEdge]) -> ModuleEdge | None:
        """Return the first of some edges, one of which surely fails the import."""
        starts = [(edge, place) for edge in edges if edge.asking for place in self._places_of(edge)]
        seen: set[Node] = set()
        pending: list[Node] = []
        for edge, place in starts:
            _add((edge.asking, place), seen, pending)
        while pending and self._steps < MAX_STEPS:
            self._steps += 1
            path, place = pending.pop()
            if place.choices:
                continue  # one side alone proves nothing
            if place.unit == 0 and self._is_sure(path):
                return starts[0][0]
            callers = self._loaders(path) if place.unit == 0 else self._callers(path, place.unit)
            for caller in callers:
                _add(caller, seen, pending)
        return None

    def _is_sure(self, path: str) -> bool:
        reached = self.graph.files.get(path)
        return reached is not None and reached.certainty is ImportCertainty.AT_IMPORT

    def _places_of(self, edge: ModuleEdge) -> Iterator[FlowPlace]:
        for load in self._flow(edge.asking).loads:
            if load.text == edge.specifier.text and load.line == edge.specifier.line:
                yield load.place

    def _loaders(self, path: str) -> Iterator[Node]:
        """Yield the places that load a script."""
        for edge in self.graph.askers(path):
            if edge.asking:
                yield from ((edge.asking, place) for place in self._places_of(edge))

    def _callers(self, path: str, unit: int) -> Iterator[Node]:
        """Yield the places that surely enter a function: in its own script, and through its exported names."""
        is_async = unit in self._flow(path).asynchronous
        for use in Use:

            def holds(value: FlowValue, use: Use = use) -> bool:
                return unit in _units(value, use)

            for asking, call in self._uses_of(path, holds, use, set()):
                if call.awaited or not is_async:
                    yield asking, call.place

    def _uses_of(self, path: str, holds: Matches, use: Use, seen: Seen) -> Iterator[tuple[str, UnitCall]]:
        """Yield the uses of the values of a script for which something holds."""
        flow = self._flow(path)
        names = {name for name, value in flow.values.items() if holds(value)}
        exported = [
            name
            for name, value in flow.exports.items()
            if holds(value) or (value.alias is not None and not value.alias.specifier and value.alias.name in names)
        ]
        key = (path, *sorted(names), *exported)
        if key in seen or not (names or exported):
            return
        for call in flow.calls:
            if not call.target.specifier and call.target.name in names and call.use is use:
                yield path, call
        for name in exported:
            for asking, call in self._users(path, name, set()):
                if use is Use.READ or call.use is use:
                    yield asking, call
        if use is Use.CONSTRUCT:
            yield from self._uses_of_children(path, names, exported, seen | {key})

    def _uses_of_children(
        self, path: str, names: Iterable[str], exported: Sequence[str], seen: Seen
    ) -> Iterator[tuple[str, UnitCall]]:
        """Yield where classes are constructed that have no constructor of their own and whose parent is one of some."""
        wanted = {Reference("", name) for name in names}
        local = any(value.parent in wanted for value in self._flow(path).values.values())
        if wanted and local:
            yield from self._uses_of(path, lambda value: value.parent in wanted, Use.CONSTRUCT, seen)
        for asking in dict.fromkeys(edge.asking for edge in self.graph.askers(path)) if exported else ():
            if asking and b"extends" in self._text(asking):

                def inherits(value: FlowValue, asking: str = asking) -> bool:
                    parent = value.parent
                    return parent is not None and any(self._is_meant(asking, parent, path, name) for name in exported)

                yield from self._uses_of(asking, inherits, Use.CONSTRUCT, seen)

    def _users(self, path: str, name: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, UnitCall]]:
        """Yield the uses of an exported name, through scripts that export it again."""
        if (path, name) in seen:
            return
        seen.add((path, name))
        for asking in dict.fromkeys(edge.asking for edge in self.graph.askers(path)):
            if not asking or not self._may_use(asking, name):
                continue
            flow = self._flow(asking)
            for call in flow.calls:
                if self._is_meant(asking, call.target, path, name):
                    yield asking, call
            for again, value in flow.exports.items():
                if value.alias is not None and self._is_meant(asking, value.alias, path, name):
                    yield from self._users(asking, again, seen)
            if name and name != "default" and self._exports_all(asking, flow, path):
                yield from self._users(asking, name, seen)

    def _exports_all(self, asking: str, flow: ScriptFlow, path: str) -> bool:
        """Tell whether a script exports whatever another one does: `export *`, `module.exports = require("./x")`."""
        whole = flow.exports.get("")
        alias = whole.alias if whole is not None else None
        wholes = (alias.specifier,) if alias is not None and alias.specifier and not alias.name else ()
        return any(self._targets.get((asking, specifier)) == path for specifier in (*flow.stars, *wholes))

    def _is_meant(self, asking: str, reference: Reference, path: str, name: str) -> bool:
        if not reference.specifier or self._targets.get((asking, reference.specifier)) != path:
            return False
        if reference.name == name:
            return True
        return {reference.name, name} == {"", "default"} and "default" not in self._flow(path).exports

    def _may_use(self, asking: str, name: str) -> bool:
        """Tell whether a script has a name in its text, before it is parsed."""
        text = self._text(asking)
        return name in {"", "default"} or name.encode() in text or _EXPORTS_ALL.search(text) is not None

    def _text(self, path: str) -> bytes:
        if path not in self._texts:
            self._texts[path] = self.files.read(path) if self.files.is_file(path) else b""
        return self._texts[path]

    def _flow(self, path: str) -> ScriptFlow:
        known = self._flows.get(path)
        if known is None:
            known = self._flows[path] = self._read(path)
        return known

    def _read(self, path: str) -> ScriptFlow:
        reached = self.graph.files.get(path)
        scripts = {ModuleSystem.COMMONJS, ModuleSystem.MODULE, ModuleSystem.DETECT}
        data = self._text(path)
        self._bytes += len(data)
        too_much = len(self._flows) >= MAX_FLOW_FILES or self._bytes > MAX_FLOW_BYTES
        if reached is None or reached.system not in scripts or too_much:
            return ScriptFlow()
        from lambdapack.script.flow.reader import read_flow  # noqa: PLC0415  # few trees lack anything

        module = reached.system is ModuleSystem.MODULE
        return read_flow(data, module=module, platform=self.platform, installed="/node_modules/" in path)


def _units(value: FlowValue, use: Use) -> tuple[int, ...]:
    return {Use.CALL: value.called, Use.CONSTRUCT: value.constructed, Use.READ: value.read}[use]


def _add(node: Node, seen: set[Node], pending: list[Node]) -> None:
    """Add a place; where the other side of its innermost choice fails as well, what is around both."""
    while node not in seen:
        seen.add(node)
        pending.append(node)
        path, place = node
        if not place.choices:
            return
        *outer, (offset, side) = place.choices
        sibling = FlowPlace(place.unit, (*outer, (offset, OTHER_SIDE[side])))
        if (path, sibling) not in seen:
            return
        node = (path, FlowPlace(place.unit, tuple(outer)))
