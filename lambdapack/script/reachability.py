"""How surely a place in a script runs when the script is loaded: branches, functions, and what the top level calls."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdapack.script.bundles import Bundle
from lambdapack.script.evaluate import UNKNOWN, Evaluator
from lambdapack.script.flow.choices import (
    AWAIT,
    LOOP_PARTS,
    certainty_in_try,
    certainty_of,
    ends_case,
    is_awaited,
    is_choice,
    outside,
    parents_within,
)
from lambdapack.script.specifier import ImportCertainty, Unit
from lambdapack.script.syntax import FUNCTIONS, Frame, Node, Syntax

MAX_SCOPES = 200
"""Functions in functions; beyond that nothing is called certain."""

MAX_CHOICES = 8
"""Choices in choices of which both sides are looked at."""

_RUNS_ARGUMENT = frozenset(("createCommonjsModule",))
"""Functions of older bundlers (rollup's commonjs plugin below 18) that call their argument at once."""


@dataclass(slots=True)
class Scope:
    """A function on the way, or the program."""

    node: Node | None  # None: the program
    parent: "Scope | None" = None
    start: int = -1
    call: Node | None = None  # the call that runs it where it stands
    names: tuple[str, ...] = ()
    depth: int = 0


@dataclass(slots=True)
class WalkState:
    """What holds at a node."""

    unit: int
    certainty: ImportCertainty
    scope: Scope
    given: ImportCertainty = ImportCertainty.AT_IMPORT  # certainty inside its unit, when the choices fall so
    choices: tuple[tuple[int, str], ...] = ()  # sides of `if`, `? :` and `try` around it in its unit


PROGRAM = WalkState(0, ImportCertainty.AT_IMPORT, Scope(None))


@dataclass(slots=True)
class Walker:
    """Works out states on the way down, and remembers functions that run only when they are called."""

    syntax: Syntax
    evaluator: Evaluator
    bundle: Bundle
    units: list[Unit] = field(default_factory=lambda: [Unit(-1, (), ImportCertainty.AT_IMPORT)])
    wrapped: set[str] = field(default_factory=set)  # names that a bundler's wrapper defines, once each
    _by_start: dict[int, int] = field(default_factory=dict)
    _given: dict[int, bool] = field(default_factory=dict)
    _elements: dict[int, dict[int, int]] = field(default_factory=dict)

    def enter(self, frames: list[Frame[WalkState]], node: Node, part: str | None) -> WalkState:
        """Return the state of a child of the last frame."""
        parent = frames[-1]
        state = parent.state
        branch = self._branch(frames, parent, node, part)
        if branch is not ImportCertainty.AT_IMPORT:
            state = self._in_branch(state, parent, branch, part)
        if node.type in FUNCTIONS:
            return self._function(frames, node, part, state)
        if node.type == "field_definition" and not self.syntax.data.startswith(b"static", node.start_byte):
            names = tuple(f"new {name}" for name in self._class_names(frames, state.scope))
            return self._unit(node, names, state.scope, ImportCertainty.AT_IMPORT)
        return state

    def _in_branch(
        self, state: WalkState, parent: Frame[WalkState], branch: ImportCertainty, part: str | None
    ) -> WalkState:
        """Return the state in a part that may not run; one of two sides is a choice."""
        certainty = state.certainty.then(branch)
        is_simple = branch in {ImportCertainty.IN_BRANCH, ImportCertainty.IN_TRY} and len(state.choices) < MAX_CHOICES
        if is_simple and is_choice(parent, part):
            choices = (*state.choices, (parent.node.start_byte, part or ""))
            return WalkState(state.unit, certainty, state.scope, state.given, choices)
        return WalkState(state.unit, certainty, state.scope, state.given.then(branch), state.choices)

    def leave(self, frames: list[Frame[WalkState]]) -> WalkState:
        """Return the state of the last frame, with what may have ended its function before."""
        state = frames[-1].state
        after = self._after_exit(frames[-1].node, state.scope)
        certainty, given = state.certainty.then(after), state.given.then(after)
        return WalkState(state.unit, certainty, state.scope, given, state.choices)

    def _after_exit(self, node: Node, scope: Scope) -> ImportCertainty:
        is_after = node.start_byte >= self.syntax.outline(self._scope_node(scope)).exit_at
        return ImportCertainty.IN_BRANCH if is_after else ImportCertainty.AT_IMPORT

    def _scope_node(self, scope: Scope) -> Node:
        if scope.node is not None:
            return scope.node
        assert self.syntax.tree is not None  # noqa: S101  # a walk needs one
        return self.syntax.tree.root_node

    def declaring_scope(self, frames: list[Frame[WalkState]], name: str) -> Scope | None:
        """Return the innermost function around the last frame that declares a name, None: none but the program."""
        scope: Scope | None = frames[-1].state.scope
        while scope is not None and scope.node is not None:
            if name in self.syntax.outline(scope.node).declared:
                return scope
            scope = scope.parent
        return None

    def declares(self, frames: list[Frame[WalkState]], name: str) -> bool:
        """Tell whether any scope around the last frame, the program too, declares a name."""
        if self.declaring_scope(frames, name) is not None:
            return True
        return name in self.syntax.outline(self._scope_node(PROGRAM.scope)).declared

    def is_given_require(self, scope: Scope) -> bool:
        """Tell whether a function's parameter `require` is node's: by its call, as a factory, or from AMD's define."""
        if scope.start not in self._given:
            self._given[scope.start] = self._gives_require(scope)
        return self._given[scope.start]

    def _gives_require(self, scope: Scope) -> bool:
        index = next((at for at, name in enumerate(self._parameters(scope.node)) if name == "require"), None)
        if index is None:
            return False
        if scope.call is not None:
            arguments = scope.call.child_by_field_name("arguments")
            given = arguments.named_child(index) if arguments and arguments.named_child_count > index else None
            return self.syntax.text(given, 10) == "require"
        words = (re.escape(name.partition("@")[0]).encode() for name in scope.names if "@" in name)
        return any(re.search(rb"(?<![\w$.])" + word + rb"\(\s*require\b", self.syntax.data) for word in words)

    def _parameters(self, function: Node | None) -> list[str]:
        if function is None:
            return []
        single = function.child_by_field_name("parameter")
        if single is not None:
            return [self.syntax.text(single, 100)]
        parameters = function.child_by_field_name("parameters")
        return [self.syntax.text(child, 100) for child in parameters.named_children[:20]] if parameters else []

    def _branch(
        self, frames: list[Frame[WalkState]], parent: Frame[WalkState], node: Node, part: str | None
    ) -> ImportCertainty:
        kind = parent.type
        if kind in {"if_statement", "ternary_expression"} and part in {"consequence", "alternative"}:
            condition = parent.node.child_by_field_name("condition")
            holds = self.evaluator.truth(condition)
            if holds is None and part == "alternative" and self.evaluator.usual_truth(condition) is False:
                return ImportCertainty.AT_IMPORT
            return certainty_of(holds if part == "consequence" or holds is None else not holds)
        if kind == "binary_expression" and part == "right":
            return self._short_circuit(parent.node)
        if kind == "augmented_assignment_expression" and part == "right":
            operator = self.syntax.text(parent.node.child_by_field_name("operator"))
            return certainty_of(None) if operator in {"&&=", "||=", "??="} else ImportCertainty.AT_IMPORT
        if kind in LOOP_PARTS and part in LOOP_PARTS[kind]:
            return ImportCertainty.IN_BRANCH
        if kind == "switch_body":
            return self._case(frames, node)
        if kind == "try_statement":
            return certainty_in_try(parent.node, part)
        if kind == "call_expression" and part == "arguments":
            called = parent.node.child_by_field_name("function")
            is_short = called is not None and called.type == "member_expression"
            return (
                ImportCertainty.IN_BRANCH
                if is_short and "?." in self.syntax.text(called, 400)
                else ImportCertainty.AT_IMPORT
            )
        return ImportCertainty.IN_TRY if kind == "ERROR" else ImportCertainty.AT_IMPORT

    def _short_circuit(self, node: Node) -> ImportCertainty:
        operator = self.syntax.text(node.child_by_field_name("operator"))
        if operator == "??":
            return ImportCertainty.IN_BRANCH
        if operator not in {"&&", "||"}:
            return ImportCertainty.AT_IMPORT
        left = self.evaluator.truth(node.child_by_field_name("left"))
        return certainty_of(left if operator == "&&" or left is None else not left)

    def _case(self, frames: list[Frame[WalkState]], case: Node) -> ImportCertainty:
        """Return NEVER for a case that cannot match and that no other one runs into."""
        switch = frames[-2].node if len(frames) > 1 else None
        subject = switch.child_by_field_name("value") if switch is not None else None
        value = self.evaluator.value(subject) if subject is not None else UNKNOWN
        before: Node | None = case
        for _ in range(20):
            label = before.child_by_field_name("value") if before is not None else None
            if before is None or label is None or value is UNKNOWN:
                return ImportCertainty.IN_BRANCH
            wanted = self.evaluator.value(label)
            if wanted is UNKNOWN or wanted == value:
                return ImportCertainty.IN_BRANCH
            before = before.prev_named_sibling
            while before is not None and before.type == "comment":
                before = before.prev_named_sibling
            if before is None or ends_case(before):
                return ImportCertainty.NEVER
        return ImportCertainty.IN_BRANCH

    def _function(self, frames: list[Frame[WalkState]], node: Node, part: str | None, state: WalkState) -> WalkState:
        is_async = self.syntax.data.startswith(b"async", node.start_byte)
        inner = ImportCertainty.IN_BRANCH if is_async else ImportCertainty.AT_IMPORT
        at, outer_part = outside(frames, part)
        call = self._immediate(frames, at, outer_part) if not node.type.startswith("generator") else None
        if call is not None:
            if is_async and state.scope.depth < MAX_SCOPES and is_awaited(call):
                inner = ImportCertainty.AT_IMPORT
            inner = inner.then(self._after_exit(node, state.scope))
            scope = Scope(node, state.scope, node.start_byte, call, depth=state.scope.depth + 1)
            return WalkState(state.unit, state.certainty.then(inner), scope, state.given.then(inner), state.choices)
        names = tuple(self._names(frames, at, outer_part, node, state.scope))
        return self._unit(node, names, state.scope, inner, is_async=is_async)

    def unit_at(self, start: int) -> int | None:
        """Return the unit of the function that begins at an offset, None where nothing in it was looked at."""
        return self._by_start.get(start)

    def _unit(
        self, node: Node, names: tuple[str, ...], outer: Scope, inner: ImportCertainty, *, is_async: bool = False
    ) -> WalkState:
        index = self._by_start.get(node.start_byte)
        if index is None:
            index = self._by_start[node.start_byte] = len(self.units)
            self.units.append(Unit(node.start_byte, names, is_async=is_async))
        if outer.depth > MAX_SCOPES:
            inner = ImportCertainty.IN_FUNCTION
        is_function = node.type in FUNCTIONS
        scope = Scope(node, outer, node.start_byte, None, names, outer.depth + 1) if is_function else outer
        too_deep = inner is ImportCertainty.IN_FUNCTION or node.type.startswith("generator")
        given = ImportCertainty.IN_FUNCTION if too_deep else ImportCertainty.AT_IMPORT
        return WalkState(index, inner, scope, given)

    def _immediate(self, frames: list[Frame[WalkState]], at: int, part: str | None) -> Node | None:
        """Return the call that runs a function where it stands."""
        top = frames[at]
        if (top.type == "call_expression" and part == "function") or (
            top.type == "new_expression" and part == "constructor"
        ):
            return top.node
        if at == 0:
            return None
        above = frames[at - 1]
        if top.type == "member_expression" and part == "object" and above.type == "call_expression":
            name = self.syntax.text(top.node.child_by_field_name("property"), 20)
            return above.node if name in {"call", "apply"} and top.field == "function" else None
        if top.type == "arguments" and above.type == "call_expression":
            called = self.syntax.text(above.node.child_by_field_name("function"), 40)
            if called == AWAIT:
                outer = frames[at - 2] if at > 1 else None
                is_called = outer is not None and outer.type == "call_expression" and above.field == "function"
                return outer.node if outer is not None and is_called else None
            return above.node if called in _RUNS_ARGUMENT else None
        return None

    def _names(
        self, frames: list[Frame[WalkState]], at: int, part: str | None, node: Node, scope: Scope
    ) -> Iterator[str]:
        """Yield by what a function can be called from elsewhere in the script."""
        top = frames[at]
        if node.type == "function_declaration":
            yield f"{self.syntax.text(node.child_by_field_name('name'), 200)}@{scope.start}"
        elif top.type in {"variable_declarator", "assignment_expression"} and part in {"value", "right"}:
            yield from self._assigned(top.node, scope)
        elif top.type == "pair" and part == "value":
            yield from self._member(frames, at - 1, self.syntax.text(top.node.child_by_field_name("key"), 300), scope)
        elif node.type == "method_definition" and top.type == "object":
            yield from self._member(frames, at, self.syntax.text(node.child_by_field_name("name"), 300), scope)
        elif node.type == "method_definition" and top.type == "class_body":
            yield from self._class_member(frames, node, scope)
        elif top.type == "array":
            yield from self._member(frames, at, str(self._position(top.node, node)), scope)
        elif top.type == "arguments" and at > 0:
            yield from self._argument(frames, at, node, scope)

    def _class_member(self, frames: list[Frame[WalkState]], node: Node, scope: Scope) -> Iterator[str]:
        """Yield `new C` for a constructor, `C.m` for a static method; others need an instance."""
        name = self.syntax.text(node.child_by_field_name("name"), 200)
        is_static = self.syntax.data.startswith(b"static", node.start_byte)
        for class_name in self._class_names(frames, scope):
            if is_static:
                yield f"{class_name.replace('@', f'.{name}@')}"
            elif name == "constructor":
                yield f"new {class_name}"

    def _class_names(self, frames: list[Frame[WalkState]], scope: Scope) -> Iterator[str]:
        """Yield the names of the class whose body is the last frame."""
        holder = frames[-2] if len(frames) > 1 else None
        if holder is None or not holder.type.startswith("class"):
            return
        name = self.syntax.text(holder.node.child_by_field_name("name"), 200)
        if holder.type == "class_declaration" and name:
            yield f"{name}@{scope.start}"
        elif len(frames) > 2 and frames[-3].type in {"variable_declarator", "assignment_expression"}:
            yield from self._assigned(frames[-3].node, scope)

    def _assigned(self, holder: Node, scope: Scope) -> Iterator[str]:
        target = holder.child_by_field_name("name") or holder.child_by_field_name("left")
        if target is None or target.type != "identifier":
            return
        name = self.syntax.text(target, 200)
        home: Scope | None = scope
        if holder.type == "assignment_expression":
            while home is not None and home.node is not None and name not in self.syntax.outline(home.node).declared:
                home = home.parent
        yield f"{name}@{home.start if home is not None else -1}"

    def _argument(self, frames: list[Frame[WalkState]], at: int, node: Node, scope: Scope) -> Iterator[str]:
        """A function that is given to a call: to a bundler's wrapper, or as a factory to a function called at once."""
        call = frames[at - 1]
        called = call.node.child_by_field_name("function")
        if called is not None and called.type == "identifier":
            if self.bundle.runs_module(self.syntax.text(called, 200)):
                yield from self._wrapped(frames, at - 1, scope)
            return
        yield from self._parameter_of(called, frames[at].node, node)

    def _wrapped(self, frames: list[Frame[WalkState]], at: int, scope: Scope) -> Iterator[str]:
        """Yield the name that gets what a wrapper's call (the frame at an index) returns."""
        near = frames[max(0, at - 8) : at]
        frame = near[outside(near, None)[0]] if near else frames[0]
        if frame.type in {"variable_declarator", "assignment_expression"}:
            for name in self._assigned(frame.node, scope):
                self.wrapped.add(name.partition("@")[0])
                yield name

    def _member(self, frames: list[Frame[WalkState]], at: int, key: str, scope: Scope) -> Iterator[str]:
        """A function in an object or array: a bundler's module by its key."""
        key = key.strip("'\"")
        near = frames[max(0, at - 8) : at]
        if not near:
            return
        holder, part = outside(near, frames[at].field)
        frame = near[holder]
        if frame.type == "arguments":
            index = max(0, at - 8) + holder - 1
            call = frames[index]
            called = call.node.child_by_field_name("function")
            if called is not None and called.type == "identifier":
                if self.bundle.runs_module(self.syntax.text(called, 200)):
                    yield from self._wrapped(frames, index, scope)
                return
            for name in self._parameter_of(called, frame.node, frames[at].node):
                yield from self._registered(name.partition("@")[0], key)
        elif frame.type in {"variable_declarator", "assignment_expression"} and part in {"value", "right"}:
            for name in self._assigned(frame.node, scope):
                yield from self._registered(name.partition("@")[0], key)

    def _registered(self, registry: str, key: str) -> Iterator[str]:
        loader = self.bundle.loader_of(registry)
        if loader is not None:
            yield f"{key}#{loader}"

    def _parameter_of(self, called: Node | None, arguments: Node, node: Node) -> Iterator[str]:
        """Yield the parameter that an argument becomes in a function that is called at once."""
        while called is not None and called.type in {"parenthesized_expression", "member_expression"}:
            called = called.named_children[0] if called.named_child_count else None
        if called is None or called.type not in FUNCTIONS:
            return
        given = [child.start_byte for child in arguments.named_children[:20] if child.type != "comment"]
        index = max((at for at, start in enumerate(given) if start <= node.start_byte), default=None)
        names = self._parameters(called)
        if index is not None and index < len(names):
            yield f"{names[index]}@{called.start_byte}"

    def _position(self, array: Node, node: Node) -> int:
        """Return the index of an element; holes count."""
        known = self._elements.get(array.start_byte)
        if known is None:
            known = self._elements[array.start_byte] = {}
            cursor, index = array.walk(), 0
            more = cursor.goto_first_child()
            while more:
                child = cursor.node
                if child is not None and child.type == ",":
                    index += 1
                elif child is not None and child.is_named:
                    known[child.start_byte] = index
                more = cursor.goto_next_sibling()
        starts = [start for start in (node.start_byte, *parents_within(node, array)) if start in known]
        return known[starts[0]] if starts else -1
