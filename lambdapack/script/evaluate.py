"""Works out a condition where the platform or constants decide it. Whatever is not understood stays UNKNOWN."""

import re
from typing import Final

from lambdapack.script.specifier import Platform
from lambdapack.script.syntax import Node, Syntax

UNKNOWN: Final = object()
"""The value of what only a run can tell."""

MAX_CONDITION_BYTES = 2000
MAX_DEPTH = 40
MAX_LOOKUP_BYTES = 16 * 1024 * 1024
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

COMMONJS = {"require": "function", "module": "object", "exports": "object", "__dirname": "string", "__filename": "string"}

_FOREIGN_VERSIONS = frozenset(("electron", "bun", "deno", "nw", "node-webkit", "chrome", "webcontainer"))

_DECLARATION = r"\b(?:const|let|var)\s+{name}\s*=(?!=)|,\s*{name}\s*=(?![=>])"
_TAKEN_APART = r"\{{[^{{}}]*\b{name}\b[^{{}}]*\}}\s*=\s*(?:process\b(?!\s*\.)|require\(\s*['\"](?:node:)?(?:process|os)['\"]\s*\))"

_PARAMETER = r"\bfunction\b[^(){{}}]*\([^(){{}}]*\b{name}\b|\([^(){{}}]*\b{name}\b[^(){{}}]*\)\s*=>|(?<![\w$.]){name}\s*=>"


class Evaluator:
    """Values of expressions in one script on one platform."""

    def __init__(self, syntax: Syntax, platform: Platform, *, module: bool) -> None:
        """Keep the script; `module` is whether it runs as an ES module, which has no `require`."""
        self._syntax = syntax
        self._platform = platform
        self._module = module
        self._names: dict[str, object] = {}
        self._types: dict[str, object] = {}
        self._left = MAX_LOOKUP_BYTES

    def truth(self, node: Node | None) -> bool | None:
        """Return whether a condition holds, None when only a run can tell."""
        if node is None:
            return None
        value = self.value(node)
        return None if value is UNKNOWN else bool(value)

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
            declared = re.search(rb"\b(?:const|let|var|function)\s+" + re.escape(name).encode() + rb"\b", self._syntax.data)
            return UNKNOWN if declared else "undefined"
        return UNKNOWN

    def _binary(self, node: Node, depth: int) -> object:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = self._syntax.text(node.child_by_field_name("operator"))
        if left is None or right is None:
            return UNKNOWN
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

    def _member(self, text: str) -> object:
        if text in {"process.platform", "os.platform()", "require('os').platform()", 'require("os").platform()'}:
            return self._platform.system
        if text in {"process.arch", "os.arch()", "require('os').arch()", 'require("os").arch()'}:
            return self._platform.arch or UNKNOWN
        if text == "process.type" or text == "process.browser":
            return None
        known = re.fullmatch(r"process\.versions(?:\.(\w+)|\[['\"]([\w-]+)['\"]\])", text)
        if known:
            name = known[1] or known[2]
            return None if name in _FOREIGN_VERSIONS else (self._platform.node or UNKNOWN) if name == "node" else UNKNOWN
        variable = re.fullmatch(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])", text)
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
        word = re.escape(name).encode()
        data = self._syntax.data
        self._left -= len(data)
        if self._left < 0:
            return UNKNOWN
        if name in {"platform", "arch"} and re.search(_TAKEN_APART.format(name=name).encode(), data):
            return self._platform.system if name == "platform" else self._platform.arch or UNKNOWN
        assigned = [match.end() for match in re.finditer(rb"(?<![\w$.])" + word + rb"\s*(?:[-+*/%&|^?]{0,3}=(?![=>])|\+\+|--)", data)]
        declared = re.search(_DECLARATION.format(name=re.escape(name)).encode(), data)
        if re.search(_PARAMETER.format(name=re.escape(name)).encode(), data):
            return UNKNOWN
        if len(assigned) != 1 or declared is None or declared.end() != assigned[0]:
            return UNKNOWN
        start = declared.end() + len(data[declared.end() :][:40]) - len(data[declared.end() :][:40].lstrip())
        node = tree.root_node.descendant_for_byte_range(start, start + 1)
        while node is not None and node.parent is not None and node.parent.type != "variable_declarator":
            node = node.parent
            depth += 1
            if depth > MAX_DEPTH:
                return UNKNOWN
        return self.value(node, depth + 1) if node is not None and node.parent is not None else UNKNOWN
