"""How likely a condition of a script holds on Lambda. Knows the syntax of the condition, and what it asks for.

Lambda is Linux: what asks `process.platform` is answered here. A test for something that Node.js may have itself
(`typeof fs.statfs === 'function'`) is most likely answered with yes: packages fill the gaps of older versions.
"""

import re
from collections.abc import Iterator

from lambdapack.script.specifier import Likelihood
from lambdapack.script.syntax import Frame, Node, Syntax, walk

MAX_NESTING = 20
"""Conditions in conditions that are followed."""

MAX_CONDITION_BYTES = 2000
"""Bytes of a condition that are read; nothing is said of a longer one."""

MAX_OPERANDS = 50
"""Operands of one chain of && or || that are looked at."""

_MODULES = r"(?:buffer|Buffer|child_process|crypto|dns|fs|globalThis|http2?|net|os|stream|tls|url|util|v8|vm|zlib)"
"""Modules of Node.js that grow, by the names that they are given when they are required."""

_MODULE = re.compile(_MODULES)
_MEMBER = re.compile(rf"{_MODULES}(?:\.\w+)+")
_SYSTEM = re.compile(r"(?:(?:process|os|require\(['\"](?:node:)?os['\"]\))\.)?platform(?:\(\))?")
_NAMED = re.compile(
    rb"\b(?:const|let|var)\s+(\w+)\s*=\s*"
    rb"(?=[(!]*(?:(?:process|os|require\(['\"](?:node:)?os['\"]\))\.platform|platform(?:\(\))?\s*[!=]=|typeof\s))"
)
"""A constant that begins as a condition does: `const isWindows = process.platform === 'win32'`."""

_COMPARISONS = {"===": True, "==": True, "!==": False, "!=": False}


class Conditions:
    """The conditions of one script."""

    def __init__(self, syntax: Syntax) -> None:
        """Keep the script; its constants are looked for when a condition names one."""
        self._syntax = syntax
        self._found: dict[str, Likelihood] | None = None

    def judge(self, condition: Node | None, depth: int = 0) -> Likelihood:
        """Return how likely a condition holds; PERHAPS for all that is not understood."""
        if condition is None or depth > MAX_NESTING or _is_too_long(condition):
            return Likelihood.PERHAPS
        if condition.type == "identifier":
            return self._names.get(self._syntax.text(condition), Likelihood.PERHAPS)
        return self._judge(condition, depth)

    def _judge(self, node: Node, depth: int) -> Likelihood:
        kind = node.type
        if kind == "parenthesized_expression":
            return self.judge(_inner(node), depth + 1)
        if kind == "unary_expression" and self._operator(node) == "!":
            return self.judge(node.child_by_field_name("argument"), depth + 1).opposite
        if kind == "member_expression":
            return Likelihood.MOSTLY if _MEMBER.fullmatch(self._syntax.text(node)) else Likelihood.PERHAPS
        if kind != "binary_expression":
            return Likelihood.PERHAPS
        operator = self._operator(node)
        if operator in {"||", "&&"}:
            worth = max if operator == "||" else min
            return worth(self.judge(operand, depth + 1) for operand in self._operands(node, operator))
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return Likelihood.PERHAPS
        if operator == "in":
            known = left.type == "string" and _MODULE.fullmatch(self._syntax.text(right))
            return Likelihood.MOSTLY if known else Likelihood.PERHAPS
        return self._compare(left, right, operator) if operator in _COMPARISONS else Likelihood.PERHAPS

    def _compare(self, left: Node, right: Node, operator: str) -> Likelihood:
        if right.type != "string":
            left, right = right, left
        if right.type != "string":
            return Likelihood.PERHAPS
        value, asked = self._syntax.text(right)[1:-1], self._syntax.text(left)
        likely = Likelihood.PERHAPS
        if _SYSTEM.fullmatch(asked):
            likely = Likelihood.ALWAYS if value == "linux" else Likelihood.NEVER
        elif value in {"function", "undefined"} and self._is_type_of_member(left):
            likely = Likelihood.MOSTLY if value == "function" else Likelihood.HARDLY
        return likely if _COMPARISONS[operator] else likely.opposite

    def _is_type_of_member(self, node: Node) -> bool:
        argument = node.child_by_field_name("argument")
        is_type = node.type == "unary_expression" and self._operator(node) == "typeof"
        return is_type and _MEMBER.fullmatch(self._syntax.text(argument)) is not None

    def _operands(self, node: Node, operator: str) -> Iterator[Node | None]:
        """Yield the operands of a chain, which leans to the left."""
        current: Node | None = node
        for _ in range(MAX_OPERANDS):
            if current is None or current.type != "binary_expression" or self._operator(current) != operator:
                break
            yield current.child_by_field_name("right")
            current = current.child_by_field_name("left")
        yield current

    def _operator(self, node: Node) -> str:
        return self._syntax.text(node.child_by_field_name("operator"))

    @property
    def _names(self) -> dict[str, Likelihood]:
        """The constants that stand for a condition; one may be made of those before it."""
        if self._found is not None:
            return self._found
        found = self._found = {}
        tree = self._syntax.tree
        matches = {match.start(1): match[1].decode() for match in _NAMED.finditer(self._syntax.data)}
        for place, frames in walk(tree.root_node, matches, None, _no_state) if tree and matches else ():
            declarator = frames[-2].node if len(frames) > 1 else None
            value = declarator.child_by_field_name("value") if declarator is not None else None
            if value is not None and value.type != "identifier" and not _is_too_long(value):
                likely = self._judge(value, 0)
                if likely is not Likelihood.PERHAPS:
                    found[matches[place]] = likely
        return found


def _no_state(_frames: list[Frame[None]], _node: Node, _part: str | None) -> None:
    """A walk that only looks needs no states."""


def _is_too_long(node: Node) -> bool:
    return node.end_byte - node.start_byte > MAX_CONDITION_BYTES


def _inner(node: Node) -> Node | None:
    return next((child for child in node.named_children[:3] if child.type != "comment"), None)
