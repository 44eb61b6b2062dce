"""Parses JavaScript with tree-sitter and holds the facts of one script. Nothing else imports tree-sitter."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

MAX_SCRIPT_BYTES = 2 * 1024 * 1024
"""Bytes of a script that are read: a dense megabyte takes 0.5 to 0.9 s, and bigger ones are bundles that export what
their bundler made sure of."""


@dataclass(frozen=True, slots=True)
class ModuleSystemEvidence:
    """A place that only one of the two module systems has, with what node says of it in the other one."""

    line: int  # 1-based
    words: str  # node's own


@dataclass(frozen=True, slots=True)
class RequiredFile:
    """A file that a script loads whatever happens: not in a try, an if, a switch or a choice."""

    name: str  # as written: "./lib/db", "../addon.node"
    line: int  # 1-based
    at_once: bool  # when the script itself is loaded; else when a function of it is called
    exact: bool = False  # by `import`, which adds no ending


@dataclass(frozen=True, slots=True)
class Script:
    """One file of JavaScript."""

    path: str  # relative to the tree it is from
    module: ModuleSystemEvidence | None  # the first syntax that CommonJS does not have
    commonjs: (
        ModuleSystemEvidence | None
    )  # the first name of CommonJS that is used whenever the file runs, and that an ES module lacks
    exports: frozenset[str]
    complete: bool  # nothing but `exports` can be exported: no re-export, no assignment that could be anything
    required: tuple[RequiredFile, ...] = ()  # files of its own package


QUERY_PATTERNS = """
[(jsx_element) (jsx_self_closing_element)] @jsx
(program [(import_statement) (export_statement)] @module)
(meta_property) @module
(await_expression) @module
[(function_declaration) (function_expression) (arrow_function) (method_definition) (generator_function)
 (generator_function_declaration) (class_static_block) (field_definition)] @function
((identifier) @commonjs (#any-of? @commonjs "require" "module" "exports" "__dirname" "__filename"))
((shorthand_property_identifier) @shorthand (#any-of? @shorthand "exports" "module"))
(_ parameters: (formal_parameters (identifier) @shadow (#any-of? @shadow "exports" "module"))) @shadowed
(arrow_function parameter: (identifier) @shadow (#any-of? @shadow "exports" "module" "require")) @shadowed
((call_expression function: (identifier) @dynamic) (#eq? @dynamic "eval"))
(assignment_expression left: (member_expression object: (this)) @this)
(arguments (this) @this)
((call_expression function: (identifier) @_name arguments: (arguments . (string) @required .))
 (#eq? @_name "require"))
(import_statement source: (string) @imported)
(variable_declarator name: (identifier) @declared)
(shorthand_property_identifier_pattern) @declared
(pair_pattern value: (identifier) @declared)
(import_clause (identifier) @declared)
(namespace_import (identifier) @declared)
(import_specifier name: (identifier) @declared)
(import_specifier alias: (identifier) @declared)
(function_declaration name: (identifier) @declared)
(class_declaration name: (identifier) @declared)
"""
"""All that is asked of a file, in one query: each pass over a bundle of 5 MB takes half a second."""


@cache
def _language() -> Language:
    return Language(tree_sitter_javascript.language())


@cache
def _query() -> Query:
    return Query(_language(), QUERY_PATTERNS)


class JavaScriptSource:
    """A parsed file."""

    def __init__(self, data: bytes) -> None:
        """Parse; text that is no JavaScript has errors and is a tree all the same."""
        self.data = data
        self.root = Parser(_language()).parse(data).root_node
        self._found: dict[str, list[Node]] = {}
        self.shadows: list[tuple[Node, Node]] = []  # a parameter and its function
        if self.root.has_error:
            return  # a query over error nodes takes quadratic time, and nobody asks for what it finds
        for _pattern, captures in QueryCursor(_query()).matches(self.root):
            if "shadow" in captures:
                self.shadows.append((captures["shadow"][0], captures["shadowed"][0]))
            else:
                for name, nodes in captures.items():
                    self._found.setdefault(name, []).extend(nodes)

    @property
    def has_errors(self) -> bool:
        """Whether some of it is no JavaScript that node knows; the grammar has JSX as well."""
        return self.root.has_error or bool(self.nodes("jsx"))

    def nodes(self, name: str) -> list[Node]:
        """Return what PATTERNS calls by a name, in the order of the text."""
        return sorted(self._found.get(name, ()), key=lambda node: node.start_byte)

    def text(self, node: Node | None) -> str:
        """Return the text of a node, "" for None."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace") if node else ""


class NodeRanges:
    """Parts of a text, to ask quickly whether a node lies in one of them."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Keep the outermost parts alone; syntax is nested, so parts never overlap by half."""
        spans = sorted({(node.start_byte, -node.end_byte) for node in nodes})
        outer: list[tuple[int, int]] = []
        for start, end in spans:
            if not outer or start >= outer[-1][1]:
                outer.append((start, -end))
        self._starts = [start for start, _ in outer]
        self._ends = [end for _, end in outer]

    def contains(self, node: Node) -> bool:
        """Tell whether a node lies in one of the parts."""
        index = bisect_right(self._starts, node.start_byte) - 1
        return index >= 0 and node.end_byte <= self._ends[index]
