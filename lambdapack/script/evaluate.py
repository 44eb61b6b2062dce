"""Says what an expression surely is on a platform: conditions, and strings, also paths beside the script."""

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from lambdapack.script.specifier import Platform
from lambdapack.script.syntax import Node, Syntax

UNKNOWN: Final = object()
"""The value of what only a run can tell."""

MAX_CONDITION_BYTES = 2000
MAX_DEPTH = 40
MAX_LOOKUP_BYTES = 64 * 1024 * 1024
"""Bytes and nesting of a condition that is worked out, and bytes that are searched for constants in one script."""

ABSENT = frozenset(
    ("window", "document", "self", "define", "importScripts", "Deno", "Bun", "WorkerGlobalScope", "HTMLElement",
     "__webpack_require__", "__non_webpack_require__", "EdgeRuntime", "XMLHttpRequest", "ActiveXObject",
     "localStorage", "location", "chrome", "nw", "__webpack_modules__", "$", "jQuery", "java", "load", "Packages")
)  # fmt: skip
"""Globals that node does not have (node 20 to 24, tried)."""

PRESENT = {"process": "object", "global": "object", "globalThis": "object", "Buffer": "function", "Promise": "function",
           "Symbol": "function", "console": "object", "setTimeout": "function", "setImmediate": "function",
           "URL": "function", "Uint8Array": "function", "Map": "function", "Object": "function"}  # fmt: skip
"""typeof of globals that every supported node has."""

COMMONJS = {
    "require": "function",
    "module": "object",
    "exports": "object",
    "module.exports": "object",
    "__dirname": "string",
    "__filename": "string",
}

_FOREIGN_VERSIONS = frozenset(("electron", "bun", "deno", "nw", "node-webkit", "chrome", "webcontainer"))

_FOREIGN_PROPERTIES = frozenset(
    ("process.type", "process.browser", "process.__nwjs", "process.pkg", "process.resourcesPath", "process.noAsar")
)
"""What only Electron, NW.js, pkg and bundlers for browsers put into `process`."""

_ASSIGNS = re.compile(rb"\s*(?:[-+*/%&|^?]{0,3}=(?![=>])|\+\+|--)\s*")
_DECLARES = re.compile(rb"(?:\b(?:const|let|var)\s+|,\s*)\Z")
_TAKEN_APART = re.compile(
    rb"\{[^{}]{0,150}\b(?:platform|arch)\b[^{}]{0,150}\}\s*=\s*(?:process\b(?!\s*\.)|require\(\s*['\"](?:node:)?process['\"]\s*\))"
)
"""`const { platform, arch } = process`."""

MIN_NAME_LENGTH = 3
"""Shorter names are a minifier's and stand for many things in one script."""


_VARIABLE = re.compile(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])")

_OFTEN_SET = re.compile(
    r"NODE_|AWS_|LAMBDA_|_?HANDLER|DEBUG|(?:LOG_?)?LEVEL|STAGE|ENV|PATH|HOME|TZ|LANG|TMP|PWD|.*(?:ENVIRONMENT|_ENV|_STAGE)\Z"
)
"""Variables that functions have, or that people give them: whether one equals a word cannot be presumed."""


class Evaluator:
    """Values of expressions in one script on one platform."""

    def __init__(
        self, syntax: Syntax, platform: Platform, *, module: bool, installed: bool = False, usual: bool = False
    ) -> None:
        """Keep the script; `module` is whether it runs as an ES module, which has no `require`.

        `usual`: a variable that only an installed package knows does not equal what the package compares it with.
        """
        self._syntax = syntax
        self._platform = platform
        self._module = module
        self._installed = installed
        self._usual = usual
        self._names: dict[str, object] = {}
        self._types: dict[str, object] = {}
        self._left = MAX_LOOKUP_BYTES

    def truth(self, node: Node | None) -> bool | None:
        """Return whether a condition holds, None when only a run can tell."""
        if node is None:
            return None
        value = self.value(node)
        return None if value is UNKNOWN else bool(value)

    def usual_truth(self, node: Node | None) -> bool | None:
        """Return whether a condition of an installed package holds unless somebody set a variable of the package's."""
        return self._usually.truth(node) if self._installed else None

    @cached_property
    def _usually(self) -> "Evaluator":
        return Evaluator(self._syntax, self._platform, module=self._module, usual=True)

    def value(self, node: Node, depth: int = 0) -> object:
        """Return an expression's value; undefined and null are None."""
        if depth > MAX_DEPTH or node.end_byte - node.start_byte > MAX_CONDITION_BYTES:
            return UNKNOWN
        kind = node.type
        if kind in {"string", "number", "true", "false", "null", "undefined", "template_string"}:
            return self._literal(node, kind)
        if kind == "parenthesized_expression":
            inner = [child for child in node.named_children if child.type != "comment"]
            return self.value(inner[-1], depth + 1) if inner else UNKNOWN
        if kind == "unary_expression":
            return self._unary(node, depth)
        if kind == "binary_expression":
            return self._binary(node, depth)
        if kind in {"member_expression", "call_expression", "subscript_expression"}:
            return self._member(re.sub(r"\s+", "", self._syntax.text(node)))
        if kind == "identifier":
            return self._named(self._syntax.text(node), depth)
        return UNKNOWN

    def _literal(self, node: Node, kind: str) -> object:
        text = self._syntax.text(node)
        if kind == "number":
            return float(text) if re.fullmatch(r"\d+(?:\.\d+)?", text) else UNKNOWN
        if kind in {"string", "template_string"}:
            return UNKNOWN if "\\" in text or "${" in text else text[1:-1]
        return {"true": True, "false": False}.get(kind)

    def _unary(self, node: Node, depth: int) -> object:
        operator = self._syntax.text(node.child_by_field_name("operator"))
        argument = node.child_by_field_name("argument")
        if argument is None:
            return UNKNOWN
        if operator == "typeof":
            return self._typeof(self._syntax.text(argument))
        if operator == "void":
            return None if argument.type == "number" else UNKNOWN
        value = self.value(argument, depth + 1)
        return not value if operator == "!" and value is not UNKNOWN else UNKNOWN

    def _typeof(self, name: str) -> object:
        if name not in self._types:
            self._types[name] = self._type_of(name)
        return self._types[name]

    def _type_of(self, name: str) -> object:
        if name in COMMONJS:
            if not self._module:
                return COMMONJS[name]
            declared = re.search(rb"\b(?:const|let|var|as|function)\s+" + name.encode() + rb"\b", self._syntax.data)
            return UNKNOWN if declared else "undefined"
        if name in PRESENT:
            return PRESENT[name]
        if name in ABSENT:
            declared = re.search(
                rb"\b(?:const|let|var|function)\s+" + re.escape(name).encode() + rb"\b", self._syntax.data
            )
            return UNKNOWN if declared else "undefined"
        return UNKNOWN

    def _binary(self, node: Node, depth: int) -> object:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = self._syntax.text(node.child_by_field_name("operator"))
        if left is None or right is None:
            return UNKNOWN
        known = self._compared(left, operator, right)
        if known is not None:
            return known
        first = self.value(left, depth + 1)
        if operator in {"&&", "||"}:
            decided = first is not UNKNOWN and bool(first) == (operator == "||")
            if decided:
                return first
            second = self.value(right, depth + 1)
            if first is UNKNOWN:
                settles = second is not UNKNOWN and bool(second) == (operator == "||")
                return second if settles else UNKNOWN
            return second
        second = self.value(right, depth + 1)
        if first is UNKNOWN or second is UNKNOWN:
            return UNKNOWN
        if operator in {"===", "=="}:
            return first == second
        if operator in {"!==", "!="}:
            return first != second
        if operator == "+" and isinstance(first, str) and isinstance(second, str):
            return first + second
        return UNKNOWN

    def _compared(self, left: Node, operator: str, right: Node) -> object:
        """Return the value of a comparison that is decided by what it compares, None for any other expression."""
        if {self._syntax.text(left), self._syntax.text(right)} == {"require.main", "module"}:
            return operator in {"!==", "!="} if operator in {"===", "==", "!==", "!="} else UNKNOWN
        is_equality = operator in {"===", "=="} and right.type == "string"
        return False if self._usual and is_equality and self._is_rare_variable(left) else None

    def _is_rare_variable(self, node: Node) -> bool:
        variable = _VARIABLE.fullmatch(self._syntax.text(node, 200))
        return variable is not None and _OFTEN_SET.match(variable[1] or variable[2]) is None

    def _member(self, text: str) -> object:
        if text in {"process.platform", "os.platform()", "require('os').platform()", 'require("os").platform()'}:
            return self._platform.system
        if text in {"process.arch", "os.arch()", "require('os').arch()", 'require("os").arch()'}:
            return self._platform.arch or UNKNOWN
        if text in _FOREIGN_PROPERTIES:
            return None
        if text == "module.exports" and not self._module:
            return True  # an object, as truthy as this
        known = re.fullmatch(r"process\.versions(?:\.(\w+)|\[['\"]([\w-]+)['\"]\])", text)
        if known:
            name = known[1] or known[2]
            return (
                None if name in _FOREIGN_VERSIONS else (self._platform.node or UNKNOWN) if name == "node" else UNKNOWN
            )
        variable = _VARIABLE.fullmatch(text)
        if variable and self._platform.environment is not None:
            return dict(self._platform.environment).get(variable[1] or variable[2])
        return UNKNOWN

    def _named(self, name: str, depth: int) -> object:
        if name not in self._names:
            self._names[name] = UNKNOWN  # a name that stands for itself has no value
            self._names[name] = self._constant(name, depth)
        return self._names[name]

    def _constant(self, name: str, depth: int) -> object:
        """Return what a name stands for that is assigned once in the whole script, when it is declared."""
        tree = self._syntax.tree
        if name == "undefined" or tree is None:
            return None if name == "undefined" else UNKNOWN
        data = self._syntax.data
        self._left -= len(data)
        if self._left < 0 or len(name) < MIN_NAME_LENGTH:
            return UNKNOWN
        uses = list(_uses(name.encode(), data))
        if name in {"platform", "arch"} and any(_TAKEN_APART.search(data, max(0, at - 200), at + 200) for at in uses):
            return self._platform.system if name == "platform" else self._platform.arch or UNKNOWN
        end = len(name.encode())
        assigned = [match.end() for at in uses if (match := _ASSIGNS.match(data, at + end))]
        declared = [at for at in uses if _DECLARES.search(data, max(0, at - 12), at)]
        if len(assigned) != 1 or any(_is_parameter(data, at, at + end) for at in uses):
            return UNKNOWN
        if not any(at + end < assigned[0] <= at + end + 8 for at in declared):
            return UNKNOWN
        return self._initial(tree.root_node.descendant_for_byte_range(assigned[0], assigned[0] + 1), depth)

    def _initial(self, node: Node | None, depth: int) -> object:
        """Return the value of the initializer that a node begins."""
        for _ in range(MAX_DEPTH):
            parent = node.parent if node is not None else None
            if node is None or parent is None:
                return UNKNOWN
            if parent.type == "variable_declarator":
                return self.value(node, depth + 1)
            node = parent
        return UNKNOWN


def _uses(name: bytes, data: bytes) -> Iterator[int]:
    for match in re.finditer(re.escape(name) + rb"(?![\w$])", data):
        before = data[match.start() - 1 : match.start()] if match.start() else b" "
        if not (before.isalnum() or before in b"_$."):
            yield match.start()


def _is_parameter(data: bytes, start: int, end: int) -> bool:
    """Tell whether a name may be a function's parameter here: then it stands for something else inside."""
    if re.match(rb"\s*=>", data[end : end + 10]):
        return True
    if not re.match(rb"\s*[,)=]", data[end : end + 10]) or not re.search(
        rb"[(,]\s*\Z", data[max(0, start - 10) : start]
    ):
        return False
    closes = re.match(rb"[^()]*\)\s*(?:\{|=>)", data[end : end + 300])
    asked = re.search(rb"(?:if|while|switch|for)\s*\([\s!]*\Z", data[max(0, start - 20) : start])
    return closes is not None and asked is None


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
