"""Evaluates CloudFormation's intrinsic functions as far as the text of a template determines them. Never asks AWS.

cfn-lint evaluates them too, but its import takes 1.5 s and 41 MB (1.58.0, measured 2026-11); cfn-flip only rewrites
tags, and aws-sam-translator replaces parameters alone. A build needs two values of a function.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lambdapack.project.template_nodes import (
    MAX_VALUE_CHARACTERS,
    ResolutionBound,
    UnreadableError,
    child_node,
    mapping_items,
    scalar_text,
    text_node,
)

SUBSTITUTION = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
"""`${Name}`, `${Resource.Attribute}`, and `${!Literal}` in Fn::Sub."""

SHORT_FUNCTIONS = frozenset({"Ref", "Condition"})
"""Functions whose long form has no `Fn::`."""

_MAPPING_TAG, _SEQUENCE_TAG = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


def parse_intrinsic(node: Node | None) -> tuple[str, Node] | None:
    """Return name and argument of an intrinsic function in its short or long form; None for any other value."""
    if node is None:
        return None
    if node.tag.startswith("!") and len(node.tag) > 1:
        if isinstance(node, ScalarNode):
            return node.tag[1:], text_node(node.value, node)
        kind, tag = (MappingNode, _MAPPING_TAG) if isinstance(node, MappingNode) else (SequenceNode, _SEQUENCE_TAG)
        return node.tag[1:], kind(tag, node.value, node.start_mark, node.end_mark)
    entries = list(mapping_items(node))
    if len(entries) == 1:
        name, argument = entries[0]
        if name in SHORT_FUNCTIONS or (name.startswith("Fn::") and not name.startswith("Fn::ForEach")):
            return name.removeprefix("Fn::"), argument
    return None


class IntrinsicResolver(ResolutionBound):
    """Evaluates the values of one template."""

    def __init__(
        self, root: Node | None, overrides: Mapping[str, str], pseudo: Mapping[str, str], overrides_origin: str = ""
    ) -> None:
        """Take the template, the parameters that a deployment's settings state, and pseudo parameters by name."""
        super().__init__()
        self.root = root
        self._parameters = child_node(root, "Parameters")
        self._mappings = child_node(root, "Mappings")
        self._conditions = child_node(root, "Conditions")
        self._overrides, self._overrides_origin = overrides, overrides_origin
        self._pseudo = pseudo
        self._loop_variables: dict[str, Node] = {}

    def with_loop_variable(self, name: str, value: Node) -> "IntrinsicResolver":
        """Return a resolver for one turn of a Fn::ForEach."""
        inner = copy(self)
        inner._loop_variables = {**self._loop_variables, name: value}  # noqa: SLF001  # one of its own class
        return inner

    def with_pseudo_parameters(self, pseudo: Mapping[str, str]) -> "IntrinsicResolver":
        """Return a resolver that gives these values to pseudo parameters."""
        inner = copy(self)
        inner._pseudo = pseudo  # noqa: SLF001  # one of its own class
        return inner

    def resolve(self, node: Node | None) -> Node | None:
        """Return the node that a value comes out as, None for none (AWS::NoValue). UnreadableError."""
        if node is None:
            return None
        with self.step():
            call = parse_intrinsic(node)
            if call is None:
                if isinstance(node, ScalarNode) and "{{resolve:" in node.value:
                    raise UnreadableError("a dynamic reference is known only when the stack is deployed")
                return node
            name, argument = call
            function = _FUNCTIONS.get(name)
            if function is None:
                raise UnreadableError(f"{name} is known only when the stack is deployed")
            return function(self, argument)

    def child(self, node: Node | None, key: str) -> Node | None:
        """Return the value of a key of a mapping. UnreadableError."""
        return self.resolve(child_node(node, key))

    def text(self, node: Node | None) -> str:
        """Return a value that is one text. UnreadableError."""
        text = scalar_text(self.resolve(node))
        if text is None:
            raise UnreadableError("the value is not a text")
        return text

    def substitute(self, text: str) -> str:
        """Return a text with `${Loop}` of a Fn::ForEach filled in, and any other `${}` as it is."""
        for name, value in self._loop_variables.items():
            text = text.replace(f"${{{name}}}", scalar_text(value) or "")
        return text

    def members(self, node: Node | None) -> list[Node]:
        """Return the members of a list. UnreadableError."""
        resolved = self.resolve(node)
        if not isinstance(resolved, SequenceNode):
            raise UnreadableError("the value is not a list")
        return list(resolved.value)

    def plain(self, node: Node | None) -> object:
        """Return a value wholly evaluated, to be compared. UnreadableError."""
        resolved = self.resolve(node)
        if isinstance(resolved, MappingNode):
            return {name: self.plain(value) for name, value in mapping_items(resolved)}
        if isinstance(resolved, SequenceNode):
            return [self.plain(member) for member in resolved.value]
        return scalar_text(resolved)

    def is_created(self, resource: Node) -> bool:
        """Tell whether a resource is created, which its condition may prevent; true when that cannot be read."""
        condition = child_node(resource, "Condition")
        try:
            return condition is None or self._named_condition(condition)
        except UnreadableError:
            return True

    def _reference(self, argument: Node) -> Node | None:
        name = scalar_text(argument) or ""
        if name in self._loop_variables:
            return self._loop_variables[name]
        if name == "AWS::NoValue":
            return None
        if name in self._pseudo:
            return text_node(self._pseudo[name], argument)
        if name.startswith("AWS::"):
            raise UnreadableError(f"{name} is known only when the stack is deployed")
        parameter = child_node(self._parameters, name)
        if parameter is None:
            raise UnreadableError(f"the template has no parameter {name}")
        return self._parameter_value(name, parameter, argument)

    def _parameter_value(self, name: str, parameter: Node, argument: Node) -> Node:
        kind = scalar_text(child_node(parameter, "Type")) or "String"
        if kind.startswith("AWS::SSM::"):
            raise UnreadableError(f"parameter {name} is in AWS Systems Manager")
        if name in self._overrides:
            self.add_source(f"parameter {name} in {self._overrides_origin}")
            value: Node | None = text_node(self._overrides[name], argument)
        else:
            value = child_node(parameter, "Default")
            self.add_source(f"default of parameter {name}")
        if value is None or not isinstance(value, ScalarNode):
            raise UnreadableError(f"parameter {name} has no default")
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            parts = [text_node(part.strip(), value) for part in str(value.value).split(",")]
            return SequenceNode(_SEQUENCE_TAG, parts, value.start_mark, value.end_mark)
        return value

    def _substitution(self, argument: Node) -> Node:
        members = argument.value if isinstance(argument, SequenceNode) else [argument]
        own = members[1] if len(members) > 1 else None

        def fill(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return f"${{{name}}}"
            value = child_node(own, name)
            if value is None and "." in name:
                raise UnreadableError(f"{name} is known only when the stack is deployed")
            return self.text(value if value is not None else ScalarNode("!Ref", name, argument.start_mark))

        text = self.text(members[0]) if members else ""
        if len(text) > MAX_VALUE_CHARACTERS:
            raise UnreadableError("the text is too long")
        return text_node(SUBSTITUTION.sub(fill, text), argument)

    def _choice(self, argument: Node) -> Node | None:
        condition, positive, negative = self._arguments(argument, 3)
        try:
            met = self._named_condition(condition)
        except UnreadableError as error:
            return self._agreed([positive, negative], error)
        return self.resolve(positive if met else negative)

    def _agreed(self, candidates: Sequence[Node], error: UnreadableError) -> Node | None:
        """Return the value that comes out whichever candidate it is; the error where they differ."""
        first, *others = [self.plain(candidate) for candidate in candidates]
        if any(other != first for other in others):
            raise error
        return self.resolve(candidates[0])

    def _named_condition(self, name: Node) -> bool:
        with self.step():
            text = self.text(name)
            condition = child_node(self._conditions, text)
            if condition is None:
                raise UnreadableError(f"the template has no condition {text}")
            self.add_source(f"condition {text}")
            return self._is_met(condition)

    def _is_met(self, node: Node) -> bool:
        with self.step():
            name, argument = parse_intrinsic(node) or ("", node)
            if name == "Condition":
                return self._named_condition(argument)
            if name == "Equals":
                one, other = self._arguments(argument, 2)
                return self.plain(one) == self.plain(other)
            if name == "Not":
                return not self._is_met(*self._arguments(argument, 1))
            if name in {"And", "Or"}:
                return self._combined(self.members(argument), decisive=name == "Or")
            raise UnreadableError("the condition is known only when the stack is deployed")

    def _combined(self, conditions: Sequence[Node], *, decisive: bool) -> bool:
        """Evaluate Fn::And or Fn::Or: one decisive member settles it, whatever cannot be read beside it."""
        unreadable: UnreadableError | None = None
        for condition in conditions:
            try:
                if self._is_met(condition) is decisive:
                    return decisive
            except UnreadableError as error:
                unreadable = unreadable or error
        if unreadable:
            raise unreadable
        return not decisive

    def _map_value(self, argument: Node) -> Node | None:
        members = self.members(argument)
        if len(members) < 3:  # map, first and second key
            raise UnreadableError("FindInMap has not 3 arguments")
        name, first, second, *options = members
        table = child_node(self._mappings, self.text(name))
        unreadable: list[UnreadableError] = []
        rows = self._map_entries(table, first, unreadable)
        cells = [cell for row in rows for cell in self._map_entries(row, second, unreadable)]
        self.add_source(f"mapping {scalar_text(name)}")
        if not cells and options:
            return self.child(options[0], "DefaultValue")
        if not cells:
            raise UnreadableError(f"mapping {scalar_text(name)} has no such key")
        return self._agreed(cells, unreadable[0]) if unreadable else self.resolve(cells[0])

    def _map_entries(self, table: Node | None, key: Node, unreadable: list[UnreadableError]) -> list[Node]:
        """Return the entry of a key; all entries when the key cannot be read: they may be the same."""
        try:
            entry = child_node(table, self.text(key))
        except UnreadableError as error:
            unreadable.append(error)
            return [value for _key, value in mapping_items(table)]
        return [] if entry is None else [entry]

    def _selected(self, argument: Node) -> Node | None:
        index, members = self._arguments(argument, 2)
        values, position = self.members(members), self.text(index)
        if not position.isdecimal() or int(position) >= len(values):
            raise UnreadableError(f"the list has no member {position}")
        return self.resolve(values[int(position)])

    def _joined(self, argument: Node) -> Node:
        separator, members = self._arguments(argument, 2)
        return text_node(self.text(separator).join(self.text(member) for member in self.members(members)), argument)

    def _divided(self, argument: Node) -> Node:
        separator, text = self._arguments(argument, 2)
        delimiter = str(separator.value) if isinstance(separator, ScalarNode) else ""
        if not delimiter:
            raise UnreadableError("Split has no separator")
        parts = [text_node(part, argument) for part in self.text(text).split(delimiter)]
        return SequenceNode(_SEQUENCE_TAG, parts, argument.start_mark, argument.end_mark)

    def _arguments(self, argument: Node, count: int) -> list[Node]:
        if not isinstance(argument, SequenceNode) or len(argument.value) != count:
            raise UnreadableError(f"an intrinsic function has not {count} arguments")
        return list(argument.value)


_FUNCTIONS: Mapping[str, Callable[[IntrinsicResolver, Node], Node | None]] = {
    "Ref": IntrinsicResolver._reference,  # noqa: SLF001  # the table of this class's own methods
    "Sub": IntrinsicResolver._substitution,  # noqa: SLF001
    "If": IntrinsicResolver._choice,  # noqa: SLF001
    "FindInMap": IntrinsicResolver._map_value,  # noqa: SLF001
    "Select": IntrinsicResolver._selected,  # noqa: SLF001
    "Join": IntrinsicResolver._joined,  # noqa: SLF001
    "Split": IntrinsicResolver._divided,  # noqa: SLF001
}
