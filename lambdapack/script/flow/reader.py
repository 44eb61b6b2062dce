"""Reads the flow of one script: what each function surely loads and calls, and under which name it is exported."""

import re
from collections.abc import Iterator

from lambdapack.script import names
from lambdapack.script.calls import count_definitions
from lambdapack.script.evaluate import first_argument
from lambdapack.script.flow.bindings import TopLevelReader
from lambdapack.script.flow.choices import is_awaited
from lambdapack.script.flow.facts import FlowPlace, FlowValue, Reference, ScriptFlow, UnitCall, UnitLoad, Use
from lambdapack.script.reachability import PROGRAM, Scope, WalkState
from lambdapack.script.specifier import Form, ImportCertainty, Platform
from lambdapack.script.specifier_reader import SpecifierReader
from lambdapack.script.syntax import FUNCTIONS, Frame, Node, Syntax, walk

MAX_FLOW_BYTES = 2 * 1024 * 1024
MAX_USES = 40_000
MAX_DEPTH = 300
"""Bytes of a script whose flow is read, places in it that are looked at, and syntax nodes around one of them."""

LOADING_FORMS = frozenset((Form.REQUIRE, Form.IMPORT, Form.EXPORT_FROM, Form.DYNAMIC_IMPORT))

_CALLED = re.compile(rb"(?<![\w$.])([A-Za-z_$][\w$]*)(?:\s*\.\s*[\w$]+){0,3}\s*\)?\s*\(")
_NEW = re.compile(rb"(?<![\w$.])new\s+([A-Za-z_$][\w$]*)")

Frames = list[Frame[WalkState]]


def read_flow(data: bytes, *, module: bool, platform: Platform, installed: bool) -> ScriptFlow:
    """Return the flow of a script; of one that does not parse or is too big, nothing."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_FLOW_BYTES:
        return ScriptFlow()
    syntax = Syntax(data)
    if syntax.tree is None or syntax.tree.root_node.has_error:
        return ScriptFlow()
    return FlowReader(syntax, platform, module=module, installed=installed).read()


class FlowReader:
    """Reads one script once."""

    def __init__(self, syntax: Syntax, platform: Platform, *, module: bool, installed: bool) -> None:
        """Keep the script, and read its top level."""
        self._syntax = syntax
        loaders = names.loaders(syntax.data)
        self._places = names.places(syntax.data, loaders)
        self._specifiers = SpecifierReader(syntax, loaders, platform, module=module, installed=installed)
        self._walker = self._specifiers.walker
        self._top_reader = TopLevelReader(syntax)
        self._top = self._top_reader.read()
        self._definitions = count_definitions(syntax.data)

    def read(self) -> ScriptFlow:
        """Return the flow."""
        loads = tuple(
            UnitLoad(FlowPlace(located.unit, located.choices), located.specifier.text, located.specifier.line)
            for located in self._specifiers.locate(self._places)
            if located.given is ImportCertainty.AT_IMPORT
            and located.specifier.text is not None
            and located.specifier.form in LOADING_FORMS
        )
        calls = (*self._top_level_reads(), *self._uses())
        values = dict(self._local_values())
        exports = dict(self._exported_values())
        asynchronous = frozenset(index for index, unit in enumerate(self._walker.units) if unit.is_async)
        return ScriptFlow(loads, calls, values, exports, tuple(self._top.stars), asynchronous)

    def _top_level_reads(self) -> Iterator[UnitCall]:
        for _, reference in self._top.reads:
            if reference.specifier:
                yield UnitCall(FlowPlace(0), reference, Use.READ, awaited=False)

    def _offsets(self) -> list[int]:
        data = self._syntax.data
        found = {match.start(1) for pattern in (_CALLED, _NEW) for match in pattern.finditer(data)}
        wholes = (name for name, reference in self._top.bindings.items() if not reference.name and reference.specifier)
        words = b"|".join(re.escape(name.encode()) for name in wholes)
        if words:
            found.update(match.start() for match in re.finditer(rb"(?<![\w$.])(?:" + words + rb")\s*\.", data))
        return sorted(found)[:MAX_USES]

    def _uses(self) -> Iterator[UnitCall]:
        assert self._syntax.tree is not None  # noqa: S101  # read_flow has looked
        for _, frames in walk(self._syntax.tree.root_node, self._offsets(), PROGRAM, self._walker.enter):
            leaf = frames[-1]
            if leaf.type not in {"identifier", "super"} or len(frames) > MAX_DEPTH:
                continue
            state = self._walker.leave(frames)
            if state.given is not ImportCertainty.AT_IMPORT:
                continue
            place = FlowPlace(state.unit, state.choices)
            use, path, call = _use_of(frames, self._syntax)
            if use is None:
                continue
            is_waiting = use is Use.CALL and (is_awaited(call) or self._is_returned(call, state.scope))
            for reference, real_use in self._references(frames, path, use):
                yield UnitCall(place, reference, real_use, is_waiting)

    def _is_returned(self, call: Node, scope: Scope) -> bool:
        """Tell whether a function gives its caller the promise that it got."""
        parent = call.parent
        return parent is not None and (
            parent.type == "return_statement"
            or (scope.node is not None and parent.id == scope.node.id and parent.type == "arrow_function")
        )

    def _references(self, frames: Frames, path: tuple[str, ...], use: Use) -> Iterator[tuple[Reference, Use]]:
        leaf = frames[-1]
        if leaf.type == "super":
            parent = self._parent_class(frames)
            if parent is not None and not path:
                yield parent, Use.CONSTRUCT
            return
        word = self._syntax.text(leaf.node, 200)
        if word == "require":
            yield from self._required(frames, path)
            return
        binding = self._top.bindings.get(word)
        if binding is not None and self._walker.declaring_scope(frames, word) is None:
            yield from _part_of(binding, path, use)
            return
        if self._definitions.get(word, 0) > 1 or len(path) > 1 or use is Use.READ:
            return
        scope: Scope | None = leaf.state.scope
        while scope is not None:
            yield Reference("", f"{'.'.join((word, *path))}@{scope.start}"), use
            if scope.node is None or word in self._syntax.outline(scope.node).declared:
                break
            scope = scope.parent

    def _required(self, frames: Frames, path: tuple[str, ...]) -> Iterator[tuple[Reference, Use]]:
        """require("x")() and require("x").y(): the first call is require's own."""
        call = frames[-2] if len(frames) > 1 else None
        if call is None or call.type != "call_expression" or frames[-1].field != "function":
            return
        argument = first_argument(call.node)
        outer_use, outer_path, _ = _use_of(frames[:-1], self._syntax)
        if argument is not None and argument.type == "string" and outer_use is not None and not path:
            whole = Reference(self._syntax.text(argument, 300)[1:-1], "")
            yield from _part_of(whole, outer_path, outer_use)

    def _parent_class(self, frames: Frames) -> Reference | None:
        for frame in reversed(frames):
            if frame.type in {"class_declaration", "class"}:
                return self._heritage(frame.node)
        return None

    def _heritage(self, node: Node) -> Reference | None:
        heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
        parent = heritage.named_children[0] if heritage is not None and heritage.named_child_count else None
        if parent is None:
            return None
        reference = self._top_reader.reference_of(parent)
        if reference is None and parent.type == "identifier":
            name = self._syntax.text(parent, 200)
            return Reference("", f"{name}@-1") if self._definitions.get(name, 0) <= 1 else None
        return reference

    def _local_values(self) -> Iterator[tuple[str, FlowValue]]:
        by_name: dict[str, list[int]] = {}
        for index, unit in enumerate(self._walker.units):
            for name in unit.names:
                if "#" not in name:
                    by_name.setdefault(name, []).append(index)
        classes = {f"{name}@-1": nodes[0] for name, nodes in self._top.classes.items() if len(nodes) == 1}
        for name in {name.removeprefix("new ") for name in by_name} | set(classes):
            plain = name.partition("@")[0].partition(".")[0]
            if self._definitions.get(plain, 0) > 1:
                continue
            called = tuple(by_name.get(name, ()))
            constructed = tuple(by_name.get(f"new {name}", ())) or called
            if len(called) <= 1:
                parent = self._inherited(classes[name]) if name in classes else None
                yield name, FlowValue(called, constructed, parent=parent)

    def _inherited(self, node: Node) -> Reference | None:
        """Return the class whose constructor stands for a missing one."""
        return None if any(True for _ in self._constructors(node)) else self._heritage(node)

    def _constructors(self, node: Node) -> Iterator[Node]:
        body = node.child_by_field_name("body")
        for member in body.named_children if body is not None else ():
            name = self._syntax.text(member.child_by_field_name("name"), 20)
            if member.type == "method_definition" and name == "constructor":
                yield member

    def _exported_values(self) -> Iterator[tuple[str, FlowValue]]:
        top = self._top
        for name in {*top.exported, *top.getters, *top.aliases}:
            nodes, aliases = top.exported.get(name, []), list(dict.fromkeys(top.aliases.get(name, [])))
            getters = [self._walker.unit_at(node.start_byte) for node in top.getters.get(name, [])]
            read = tuple(unit for unit in getters if unit is not None)
            if len(nodes) + len(aliases) > 1 or len(getters) > 1:
                continue
            if nodes:
                yield name, self._value(nodes[0])
            else:
                alias = self._local_alias(aliases[0]) if aliases else None
                yield name, FlowValue(read=read, alias=alias)

    def _value(self, node: Node) -> FlowValue:
        if node.type in FUNCTIONS:
            unit = self._walker.unit_at(node.start_byte)
            units: tuple[int, ...] = () if unit is None else (unit,)
            return FlowValue(units, () if node.type in {"arrow_function", "method_definition"} else units)
        if node.type in {"class", "class_declaration"}:
            body = node.child_by_field_name("body")
            members = body.named_children if body is not None else []
            constructors = {member.start_byte for member in self._constructors(node)}
            starts = [
                member.start_byte
                for member in members
                if member.start_byte in constructors or member.type == "field_definition"
            ]
            members_run = tuple(unit for start in starts if (unit := self._walker.unit_at(start)) is not None)
            return FlowValue((), members_run, parent=self._inherited(node))
        if node.type == "identifier":
            return FlowValue(alias=self._local_alias(Reference("", self._syntax.text(node, 200))))
        return FlowValue(alias=self._top_reader.reference_of(node))

    def _local_alias(self, reference: Reference) -> Reference | None:
        if reference.specifier:
            return reference
        binding = self._top.bindings.get(reference.name)
        if binding is not None:
            return binding if binding.specifier else None
        is_sure = self._definitions.get(reference.name, 0) <= 1
        return Reference("", f"{reference.name}@-1") if is_sure else None


def _part_of(whole: Reference, path: tuple[str, ...], use: Use) -> Iterator[tuple[Reference, Use]]:
    """Yield what is used of an imported value, by the properties that follow its name."""
    if not whole.specifier:
        return
    if not path:
        yield whole, use
    elif not whole.name:
        name = path[0]
        if name == "default" and len(path) > 1:
            yield Reference(whole.specifier, path[1]), use if len(path) == 2 else Use.READ
        else:
            yield Reference(whole.specifier, name), use if len(path) == 1 else Use.READ
    elif whole.name == "default":
        yield Reference(whole.specifier, path[0]), use if len(path) == 1 else Use.READ
    else:
        yield whole, Use.READ


def _use_of(frames: Frames, syntax: Syntax) -> tuple[Use | None, tuple[str, ...], Node]:
    """Return what is done with the last frame, through which properties, and the call."""
    path: list[str] = []
    at = len(frames) - 1
    while at > 0:
        frame, outer = frames[at], frames[at - 1]
        if outer.type == "member_expression" and frame.field == "object":
            path.append(syntax.text(outer.node.child_by_field_name("property"), 200))
        elif outer.type == "parenthesized_expression":
            pass
        elif outer.type == "sequence_expression":
            if outer.node.named_children[-1].id != frame.node.id:
                return None, (), frame.node
        elif outer.type == "call_expression" and frame.field == "function":
            return _called(path, outer.node)
        elif outer.type == "new_expression" and frame.field == "constructor":
            return Use.CONSTRUCT, tuple(path), outer.node
        elif outer.type == "assignment_expression" and frame.field == "left":
            return None, (), frame.node
        else:
            return (Use.READ if path else None), tuple(path), frame.node
        at -= 1
    return None, (), frames[0].node


def _called(path: list[str], call: Node) -> tuple[Use, tuple[str, ...], Node]:
    """f.call(x) and f.apply(x) call f."""
    if path and path[-1] in {"call", "apply"}:
        path = path[:-1]
    return Use.CALL, tuple(path), call
