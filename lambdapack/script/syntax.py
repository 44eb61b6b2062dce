"""Walks a syntax tree only where something of interest stands: one descent per place, shared with the last one."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Tree, TreeCursor

__all__ = ["FUNCTIONS", "Frame", "Node", "Outline", "Syntax", "walk"]

MAX_PARSE_SECONDS = 10.0
"""Error recovery in hostile text has no bound of its own; 5 MB of real minified code take 1.1 s."""

FUNCTIONS = frozenset(
    (
        "function_declaration", "function_expression", "arrow_function", "method_definition",
        "generator_function", "generator_function_declaration",
    )
)  # fmt: skip

CHUNK_BYTES = 64 * 1024

_STATEMENTS = frozenset(
    (
        "statement_block", "if_statement", "else_clause", "for_statement", "for_in_statement", "while_statement",
        "do_statement", "switch_statement", "switch_body", "switch_case", "switch_default", "try_statement",
        "catch_clause", "finally_clause", "labeled_statement", "export_statement", "expression_statement",
        "class_static_block",
    )
)  # fmt: skip
"""Syntax that can hold a statement; expressions hold them only inside functions."""

_DECLARATIONS = frozenset(("variable_declaration", "lexical_declaration"))

_EXIT_CALL = re.compile(rb"process\.(?:exit|abort|reallyExit)\s*\(")

_MEMO_GUARD = re.compile(rb"if\s*\(\s*([\w$]+)\s*\)\s*\{?\s*return\b[^;{}]*;?\s*\}?\s*([\w$]+)\s*=\s*(?:1|true|!0)\b")
"""`if (hasRun) return foo.exports; hasRun = 1;`: rollup's wrapper runs its module on the first call."""

_NAME = re.compile(rb"[A-Za-z_$\x80-\xff][\w$\x80-\xff]*")


State = TypeVar("State")


@cache
def _language() -> Language:
    return Language(tree_sitter_javascript.language())


@dataclass(slots=True)
class Outline:
    """What a function's own statements say, without those of functions inside it."""

    exit_at: int  # offset from which an earlier return or process.exit() may have ended it; a throw ends the import too
    declared: frozenset[str]


class Syntax:
    """A parsed script."""

    def __init__(self, data: bytes) -> None:
        """Parse; `tree` is None when that takes too long."""
        self.data = data
        self.tree = _parse(data)
        self._outlines: dict[int, Outline] = {}

    def text(self, node: Node | None, limit: int = 4000) -> str:
        """Return the text of a node, cut short; "" for None."""
        if node is None:
            return ""
        return self.data[node.start_byte : min(node.end_byte, node.start_byte + limit)].decode("utf-8", "replace")

    def outline(self, scope: Node) -> Outline:
        """Return the outline of a function or of the program."""
        known = self._outlines.get(scope.start_byte)
        if known is None:
            known = self._outlines[scope.start_byte] = _outline(scope, self.data)
        return known

    def first_error(self) -> int:
        """Return the offset of the first text that is no JavaScript; the length of the text without one."""
        node = self.tree.root_node if self.tree else None
        if node is None or not node.has_error:
            return len(self.data)
        cursor = node.walk()
        while not (cursor.node and (cursor.node.is_error or cursor.node.is_missing)):
            if not cursor.goto_first_child():
                break
            while cursor.node is not None and not cursor.node.has_error:
                if not cursor.goto_next_sibling():
                    break
        return cursor.node.start_byte if cursor.node else 0


def _parse(data: bytes) -> Tree | None:
    """Parse from pieces: between two of them the time can be looked at. What comes late ends the text.

    An exception must not leave a piece: the parser goes on asking, and the interpreter fails with a SystemError.
    """
    end = time.monotonic() + MAX_PARSE_SECONDS
    is_late = False

    def piece(offset: int, _point: object) -> bytes:
        nonlocal is_late
        is_late = is_late or time.monotonic() > end
        return b"" if is_late else data[offset : offset + CHUNK_BYTES]

    tree = Parser(_language()).parse(piece)
    return None if is_late else tree


def _outline(scope: Node, data: bytes) -> Outline:
    body = scope.child_by_field_name("body") if scope.type in FUNCTIONS else scope
    declared: set[str] = set()
    exit_at = len(data) + 1
    parameters = scope.child_by_field_name("parameters") or scope.child_by_field_name("parameter")
    if parameters is not None and scope.type in FUNCTIONS:
        declared.update(_names(data[parameters.start_byte : min(parameters.end_byte, parameters.start_byte + 4000)]))
    guard = _memo_guard(body, data) if body is not None and scope.type in FUNCTIONS else -1
    for node in _statements(body):
        kind = node.type
        if kind == "return_statement" or (
            kind == "expression_statement" and _EXIT_CALL.match(data, node.start_byte, node.end_byte)
        ):
            if node.start_byte > guard:
                exit_at = min(exit_at, node.end_byte)
        elif kind in _DECLARATIONS:
            declared.update(_declared(node, data))
        elif kind in FUNCTIONS or kind == "class_declaration":
            name = node.child_by_field_name("name")
            if name is not None:
                declared.add(data[name.start_byte : name.end_byte].decode("utf-8", "replace"))
    return Outline(exit_at, frozenset(declared))


def _memo_guard(body: Node, data: bytes) -> int:
    """Return the end of a leading "only the first time" guard, -1 without one."""
    match = _MEMO_GUARD.search(data, body.start_byte, min(body.end_byte, body.start_byte + 300))
    return match.end() if match and match[1] == match[2] else -1


def _statements(body: Node | None) -> Iterator[Node]:
    """Yield statements in any depth, never those of an inner function."""
    if body is None or body.type not in {"program", "statement_block"}:
        return
    cursor = body.walk()
    depth = 0
    if not cursor.goto_first_child():
        return
    while True:
        node = cursor.node
        if node is not None and node.is_named:
            yield node
            if node.type in _STATEMENTS and node.type != "expression_statement" and cursor.goto_first_child():
                depth += 1
                continue
        while not cursor.goto_next_sibling():
            if depth == 0:
                return
            cursor.goto_parent()
            depth -= 1


def _declared(node: Node, data: bytes) -> Iterator[str]:
    cursor = node.walk()
    more = cursor.goto_first_child()
    while more:
        child = cursor.node
        target = child.child_by_field_name("name") if child and child.type == "variable_declarator" else None
        if target is not None:
            yield from _names(data[target.start_byte : min(target.end_byte, target.start_byte + 4000)])
        more = cursor.goto_next_sibling()


def _names(text: bytes) -> Iterator[str]:
    for match in _NAME.finditer(text):
        yield match[0].decode("utf-8", "replace")


class Frame(Generic[State]):
    """One node on the way from the program to a place, with what its consumer worked out for it."""

    __slots__ = ("end", "field", "node", "state", "type")

    def __init__(self, node: Node, field: str | None, state: State) -> None:
        self.node = node
        self.type = node.type
        self.field = field
        self.end = node.end_byte
        self.state = state


def walk(
    root: Node,
    places: Iterable[int],
    initial: State,
    enter: Callable[[list[Frame[State]], Node, str | None], State],
) -> Iterator[tuple[int, list[Frame[State]]]]:
    """Yield each place (ascending byte offsets) with the frames from the program to the leaf that holds it.

    A frame is worked out once for all places below it, so the whole takes one descent per place at most.
    """
    cursor: TreeCursor = root.walk()
    frames: list[Frame[State]] = [Frame(root, None, initial)]
    for place in places:
        while len(frames) > 1 and frames[-1].end <= place:
            cursor.goto_parent()
            frames.pop()
        while cursor.goto_first_child_for_byte(place) is not None:
            node = cursor.node
            if node is None or node.start_byte > place:
                cursor.goto_parent()
                break
            field = cursor.field_name
            frames.append(Frame(node, field, enter(frames, node, field)))
        yield place, frames
