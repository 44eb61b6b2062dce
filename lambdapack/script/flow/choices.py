"""Which part of a statement runs: conditions, cases, `try`, and what waits for a promise. Looks at single nodes."""

from collections.abc import Iterator, Sequence
from typing import Any

from lambdapack.script.specifier import ImportCertainty
from lambdapack.script.syntax import Frame, Node

LOOP_PARTS = {
    "for_statement": frozenset(("body", "increment")),
    "for_in_statement": frozenset(("body",)),
    "while_statement": frozenset(("body",)),
    "do_statement": frozenset(("body",)),
    "labeled_statement": frozenset(("body",)),
    "assignment_pattern": frozenset(("right",)),
    "object_assignment_pattern": frozenset(("right",)),
}
"""Parts that may run never, or not to their end."""


def certainty_in_try(node: Node, part: str | None) -> ImportCertainty:
    """Return how surely a part of a `try` runs; one that throws again catches nothing."""
    handler = node.child_by_field_name("handler")
    if part == "handler":
        return ImportCertainty.IN_BRANCH
    if part != "body" or handler is None:
        return ImportCertainty.AT_IMPORT
    body = handler.child_by_field_name("body")
    first = body.named_children[:8] if body is not None else []
    throws = bool(first) and all(child.type in {"comment", "expression_statement"} for child in first[:-1])
    again = throws and first[-1].type == "throw_statement" and body is not None and body.named_child_count == len(first)
    return ImportCertainty.AT_IMPORT if again else ImportCertainty.IN_TRY


_CHOICES = {
    "if_statement": frozenset(("consequence", "alternative")),
    "ternary_expression": frozenset(("consequence", "alternative")),
    "try_statement": frozenset(("body", "handler")),
}
"""Syntax of which one of two sides runs, or the second one once the first has thrown."""


def is_choice(parent: Frame[Any], part: str | None) -> bool:
    """Tell whether a part is one of two sides, both of which are there."""
    sides = _CHOICES.get(parent.type, frozenset())
    return part in sides and all(parent.node.child_by_field_name(side) is not None for side in sides)


AWAIT = "await"
"""The parser takes `await (f)()` at the top level for two calls, the first one of a function `await`."""


def _is_called_await(node: Node) -> bool:
    called = node.child_by_field_name("function") if node.type == "call_expression" else None
    inner = called.child_by_field_name("function") if called is not None and called.type == "call_expression" else None
    return inner is not None and inner.text == AWAIT.encode()


def is_awaited(call: Node) -> bool:
    """Tell whether the place of a call waits for its promise: `await f()`, `await Promise.all([f(), g()])`."""
    node: Node = call
    for _ in range(6):
        parent = node.parent
        if parent is None:
            return False
        if parent.type == "await_expression" or _is_called_await(node):
            return True
        if parent.type == "call_expression" and parent.child_by_field_name("function") != node:
            called = parent.child_by_field_name("function")
            text = called.text if called is not None else None
            if text != b"Promise.all":
                return False
        elif parent.type not in {"parenthesized_expression", "array", "arguments"}:
            return False
        node = parent
    return False


def parents_within(node: Node, outer: Node) -> Iterator[int]:
    """Yield where the next few nodes around a node begin, inside another one."""
    parent = node.parent
    for _ in range(4):
        if parent is None or parent.start_byte <= outer.start_byte:
            return
        yield parent.start_byte
        parent = parent.parent


def certainty_of(holds: bool | None) -> ImportCertainty:  # noqa: FBT001  # three-valued
    """Return how surely the part runs whose condition holds, or not, or nobody knows."""
    if holds is None:
        return ImportCertainty.IN_BRANCH
    return ImportCertainty.AT_IMPORT if holds else ImportCertainty.NEVER


def ends_case(case: Node) -> bool:
    """Tell whether a case does not run into the next one."""
    last = case.named_children[-1] if case.named_child_count > 1 else None
    return last is not None and last.type in {
        "break_statement", "return_statement", "throw_statement", "continue_statement",
    }  # fmt: skip


def outside(frames: Sequence[Frame[Any]], part: str | None) -> tuple[int, str | None]:
    """Return the index of the last frame that is no parenthesis, and the part of it that the child is."""
    at = len(frames) - 1
    while at > 0 and frames[at].type == "parenthesized_expression":
        part = frames[at].field
        at -= 1
    return at, part
