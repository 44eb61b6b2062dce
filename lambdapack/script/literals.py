"""Strings that an expression surely is: literals, sums, templates, and paths put together beside the script."""

import posixpath
import re

from lambdapack.script.evaluate import UNKNOWN, Evaluator
from lambdapack.script.syntax import Node, Syntax

MAX_PARTS = 10
"""Strings that are put together to one specifier; people write two or three."""

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\n|.))", re.DOTALL)


class Literals:
    """Reads expressions of one script."""

    def __init__(self, syntax: Syntax, evaluator: Evaluator) -> None:
        """Keep the script, and what knows its constants."""
        self._syntax = syntax
        self._evaluator = evaluator

    def text_of(self, node: Node, depth: int = 0) -> str | None:
        """Return a string that an expression surely is; a path beside this script begins with "./" or "../"."""
        if depth > MAX_PARTS:
            return None
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            return self.text_of(node.named_children[0], depth + 1)
        if node.type == "string" or (node.type == "template_string" and "${" not in self._syntax.text(node, 2000)):
            return _unescaped(self._syntax.text(node, 4000)[1:-1])
        if self._is_here(node):
            return "./"
        if node.type == "template_string":
            return self._template(node, depth)
        if node.type == "binary_expression" and self._syntax.text(node.child_by_field_name("operator")) == "+":
            return self._sum(node, depth)
        if node.type == "call_expression":
            return self._joined(node, depth)
        value = self._evaluator.value(node) if node.type == "identifier" else UNKNOWN
        return value if isinstance(value, str) else None

    def _is_here(self, node: Node) -> bool:
        return self._syntax.text(node, 40) in {"__dirname", "import.meta.dirname"}

    def _template(self, node: Node, depth: int) -> str | None:
        parts = []
        for child in node.named_children:
            if child.type == "template_substitution" and child.named_child_count == 1:
                parts.append(self.text_of(child.named_children[0], depth + 1))
            else:
                parts.append(self._syntax.text(child))
        return _together(parts)

    def _sum(self, node: Node, depth: int) -> str | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return None
        first = self.text_of(left, depth + 1)
        return None if first is None else _together([first, self.text_of(right, depth + 1)])

    def _joined(self, node: Node, depth: int) -> str | None:
        """path.join(__dirname, "a", "b") and path.resolve(...), under whatever name `path` has."""
        called = node.child_by_field_name("function")
        name = self._syntax.text(called.child_by_field_name("property")) if called is not None else ""
        if called is not None and called.type == "identifier":
            name = self._syntax.text(called)
        arguments = arguments_of(node)
        if name not in {"join", "resolve"} or not arguments:
            return None
        parts = [self.text_of(argument, depth + 1) for argument in arguments]
        if None in parts or parts[0] is None or not parts[0].startswith("."):
            return None
        if name == "resolve" and any(part is not None and part.startswith("/") for part in parts[1:]):
            return None
        path = posixpath.normpath("/".join(part for part in parts if part))
        return path if path.startswith("..") else f"./{path}"


def _together(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    text = "".join(known)
    return re.sub(r"\A\./+", "./", text)


def arguments_of(call: Node) -> list[Node]:
    """Return the first dozen arguments of a call, without comments."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return []
    found = []
    for index in range(min(arguments.named_child_count, 12)):
        child = arguments.named_child(index)
        if child is not None and child.type != "comment":  # type: ignore[redundant-expr]
            found.append(child)
    return found


def first_argument(call: Node) -> Node | None:
    """Return the first argument of a call, None without one."""
    arguments = arguments_of(call)
    return arguments[0] if arguments else None


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if digits:
            return chr(min(int(digits, 16), 0x10FFFF))
        return {"n": "\n", "t": "\t", "r": "\r", "\n": "", "0": "\0"}.get(match[4], match[4])

    return _ESCAPE.sub(plain, text)
