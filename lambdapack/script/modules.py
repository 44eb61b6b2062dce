"""Finds syntax that only an ES module has, reads its exports, and finds the CommonJS names that it uses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from lambdapack.script.parse import JavaScriptSource, ModuleSystemEvidence, NodeRanges

MODULE_ONLY_SYNTAX = {
    "import_statement": "SyntaxError: Cannot use import statement outside a module",
    "export_statement": "SyntaxError: Unexpected token 'export'",
    "meta_property": "SyntaxError: Cannot use 'import.meta' outside a module",
    "await_expression": "SyntaxError: await is only valid in async functions and the top level bodies of modules",
}
"""By the syntax node of tree-sitter; the words are node's (22.23.3, tried 2026-11)."""

GLOBAL_ASSIGNMENT = re.compile(rb"\bglobal(?:This)?\.(require|module|exports|__dirname|__filename)\b")

UNCONDITIONAL_NODE_TYPES = frozenset(
    (
        "program", "expression_statement", "lexical_declaration", "variable_declaration", "variable_declarator",
        "assignment_expression", "member_expression", "subscript_expression", "call_expression", "new_expression",
        "arguments", "object", "pair", "array", "await_expression", "parenthesized_expression", "export_statement",
        "spread_element", "sequence_expression", "template_string", "template_substitution",
    )
)  # fmt: skip
"""Syntax around a name that leaves it no way not to be looked up when the file runs."""


@dataclass(slots=True)
class ModuleExports:
    """The names that a module exports."""

    names: set[str] = field(default_factory=set)
    complete: bool = True


def find_module_syntax(source: JavaScriptSource) -> ModuleSystemEvidence | None:
    """Return the first syntax that a CommonJS file must not have."""
    functions = NodeRanges(source.nodes("function"))
    for node in source.nodes("module"):
        if node.type == "meta_property" and source.text(node) != "import.meta":
            continue
        if node.type == "await_expression" and functions.contains(node):
            continue
        return ModuleSystemEvidence(node.start_point[0] + 1, MODULE_ONLY_SYNTAX[node.type])
    return None


def find_commonjs_identifier(source: JavaScriptSource) -> ModuleSystemEvidence | None:
    """Return the first name of CommonJS that is looked up whenever the file runs and that it does not declare."""
    functions = NodeRanges(source.nodes("function"))
    declared: set[str] | None = None
    for node in source.nodes("commonjs"):
        name = source.text(node)
        if functions.contains(node) or not _always_runs(node):
            continue
        declared = _read_declared_names(source) if declared is None else declared
        if name not in declared:
            advice = ", you can use import instead" if name == "require" else ""
            return ModuleSystemEvidence(
                node.start_point[0] + 1, f"ReferenceError: {name} is not defined in ES module scope{advice}"
            )
    return None


def _read_declared_names(source: JavaScriptSource) -> set[str]:
    """Return the names that the file itself declares or makes global."""
    declared = {source.text(node) for node in source.nodes("declared")}
    global_names = GLOBAL_ASSIGNMENT.findall(source.data)
    return declared | {name.decode() for name in global_names}


def _always_runs(node: Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.type not in UNCONDITIONAL_NODE_TYPES:
            return False
        parent = parent.parent
    return True


def read_module_exports(source: JavaScriptSource) -> ModuleExports:
    """Return what the export statements name; `export default` and `export *` may hold anything."""
    exports = ModuleExports()
    for statement in source.root.named_children:
        if statement.type == "export_statement":
            _read_export_statement(source, statement, exports)
    return exports


def _read_export_statement(source: JavaScriptSource, statement: Node, exports: ModuleExports) -> None:
    words = source.text(statement)[:64].split(None, 2)
    declaration = statement.child_by_field_name("declaration")
    parts = [child for child in statement.named_children if child.type in {"export_clause", "namespace_export"}]
    if len(words) > 1 and words[1].startswith("default"):
        exports.complete = False
    elif declaration is not None:
        names = list(_find_declared_identifiers(declaration))
        exports.names.update(source.text(name) for name in names)
        exports.complete = exports.complete and bool(names)
    elif parts:
        exports.names.update(_read_specifier_names(source, parts[0]))
    else:
        exports.complete = False


def _find_declared_identifiers(declaration: Node) -> Iterator[Node]:
    """Yield the names of a declaration; those in a pattern by the pattern's own leaves."""
    name = declaration.child_by_field_name("name")
    if name is not None:
        yield name
    for child in declaration.named_children:
        target = child.child_by_field_name("name") if child.type == "variable_declarator" else None
        if target is not None:
            yield from _find_pattern_identifiers(target)


def _find_pattern_identifiers(target: Node) -> Iterator[Node]:
    if target.type in {"identifier", "shorthand_property_identifier_pattern"}:
        yield target
    for child in target.named_children:
        inner = child.child_by_field_name("value") if child.type == "pair_pattern" else child
        if inner is not None:
            yield from _find_pattern_identifiers(inner)


def _read_specifier_names(source: JavaScriptSource, part: Node) -> Iterator[str]:
    if part.type == "namespace_export":
        yield source.text(part.named_children[0]).strip("\"'")
        return
    for child in part.named_children:
        if child.type == "export_specifier":
            name = child.child_by_field_name("alias") or child.child_by_field_name("name")
            yield source.text(name).strip("\"'")
