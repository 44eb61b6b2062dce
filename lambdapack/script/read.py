"""Reads the facts of one JavaScript file: its module system, what it exports, which files of its own it requires.

A syntax that the grammar does not know gives no facts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from lambdapack.script.parse import (
    MAX_SCRIPT_BYTES,
    JavaScriptSource,
    ModuleSystemEvidence,
    NodeRanges,
    RequiredFile,
    Script,
)


def read_script(path: str, data: bytes) -> Script | None:
    """Return the facts of a script, None when it is too long or has syntax that is not understood."""
    if len(data) > MAX_SCRIPT_BYTES:
        return None
    source = JavaScriptSource(data.removeprefix(b"\xef\xbb\xbf"))
    if source.has_errors:
        return None
    module = find_module_syntax(source)
    if module is None:
        plain = read_commonjs_exports(source)
        names, complete = plain.names, plain.complete
    else:
        named = read_module_exports(source)
        names, complete = named.names, named.complete
    required = tuple(find_required_files(source))
    return Script(path, module, find_commonjs_identifier(source), frozenset(names), complete, required)


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


MAX_EXPORT_USES = 5000
"""Places that are looked at; a file with more is a bundle whose exports nobody can read off."""

EXPORTING_IDENTIFIERS = frozenset({"exports", "module"})

ESBUILD_COPY_FUNCTION = "__toCommonJS"
"""What esbuild assigns to module.exports; `0 && (module.exports = {...})` after it lists the names for node's lexer."""

FUNCTION_NODE_TYPES = frozenset({"function_expression", "arrow_function", "class", "generator_function"})


@dataclass(slots=True)
class CommonJsExports:
    """The names that were found."""

    names: set[str] = field(default_factory=set)
    complete: bool = True
    copied: bool = False  # by esbuild, whose list decides
    listed: bool = False


def read_commonjs_exports(source: JavaScriptSource) -> CommonJsExports:
    """Return what a file assigns to exports and module.exports."""
    exports = CommonJsExports()
    uses = list(_find_uses(source))
    functions = NodeRanges(source.nodes("function"))
    on_this = any(not functions.contains(node) for node in source.nodes("this"))
    if len(uses) > MAX_EXPORT_USES or source.nodes("shorthand") or source.nodes("dynamic") or on_this:
        exports.complete = False
    for use in uses[:MAX_EXPORT_USES]:
        _read_use(source, use, exports)
    exports.complete = exports.complete and (exports.listed or not exports.copied)
    return exports


def _find_uses(source: JavaScriptSource) -> Iterator[Node]:
    """Yield each use of the names that is not a function's own parameter: bundlers wrap every module in a function."""
    ranges: dict[str, list[Node]] = {}
    for parameter, inside in source.shadows:
        ranges.setdefault(source.text(parameter), []).append(inside)
    shadows = {name: NodeRanges(nodes) for name, nodes in ranges.items()}
    for node in source.nodes("commonjs"):
        name = source.text(node)
        shadow = shadows.get(name)
        if name in EXPORTING_IDENTIFIERS and (shadow is None or not shadow.contains(node)):
            yield node


def _read_use(source: JavaScriptSource, node: Node, exports: CommonJsExports) -> None:
    base = node
    if source.text(node) == "module":
        parent = node.parent
        if parent is None or parent.type != "member_expression" or parent.child_by_field_name("object") != node:
            _read_bare_identifier(source, node, exports, harmless=True)
            return
        if source.text(parent.child_by_field_name("property")) != "exports":
            return
        base = parent
    _read_exports_object(source, base, exports)


def _read_exports_object(source: JavaScriptSource, node: Node, exports: CommonJsExports) -> None:
    """Look at one place where `exports` or `module.exports` stands."""
    parent = node.parent
    if parent is None:
        return
    if parent.type in {"member_expression", "subscript_expression"} and parent.child_by_field_name("object") == node:
        _read_member(source, parent, exports)
    elif parent.type == "assignment_expression" and parent.child_by_field_name("left") == node:
        _read_assignment(source, parent, exports)
    elif parent.type == "arguments" and _read_define_property(source, parent, exports):
        pass
    else:
        _read_bare_identifier(source, node, exports, harmless=False)


def _read_member(source: JavaScriptSource, member: Node, exports: CommonJsExports) -> None:
    parent = member.parent
    writes = parent is not None and parent.type in {"assignment_expression", "augmented_assignment_expression"}
    if parent is None or not writes or parent.child_by_field_name("left") != member:
        return
    name = source.text(member.child_by_field_name("property"))
    index = member.child_by_field_name("index")
    if index is not None:
        name = source.text(index)[1:-1] if index.type == "string" else ""
    exports.names.add(name)
    exports.complete = exports.complete and bool(name)


def _read_assignment(source: JavaScriptSource, assignment: Node, exports: CommonJsExports) -> None:
    right = assignment.child_by_field_name("right")
    while right is not None and right.type == "assignment_expression":
        right = right.child_by_field_name("right")
    if right is None or right.type in FUNCTION_NODE_TYPES:
        return
    outer = assignment.parent and assignment.parent.parent
    if right.type == "object":
        _read_object_keys(source, right, exports)
        exports.listed = exports.listed or (outer is not None and source.text(outer).startswith("0 &&"))
    elif (
        right.type == "call_expression" and source.text(right.child_by_field_name("function")) == ESBUILD_COPY_FUNCTION
    ):
        exports.copied = True
    elif source.text(right) not in {"exports", "module.exports"}:
        exports.complete = False


def _read_object_keys(source: JavaScriptSource, literal: Node, exports: CommonJsExports) -> None:
    for child in literal.named_children:
        key = child.child_by_field_name("key") or child.child_by_field_name("name") or child
        if key.type in {"property_identifier", "shorthand_property_identifier"}:
            exports.names.add(source.text(key))
        elif key.type == "string":
            exports.names.add(source.text(key)[1:-1])
        elif key.type != "comment":
            exports.complete = False


def _read_define_property(source: JavaScriptSource, arguments: Node, exports: CommonJsExports) -> bool:
    """Take in Object.defineProperty(exports, "name", ...); False for any other call."""
    call = arguments.parent
    if call is None or source.text(call.child_by_field_name("function")) != "Object.defineProperty":
        return False
    second = arguments.named_children[1] if arguments.named_child_count > 1 else None
    if second is None or second.type != "string":
        return False
    exports.names.add(source.text(second)[1:-1])
    return True


def _read_bare_identifier(source: JavaScriptSource, node: Node, exports: CommonJsExports, *, harmless: bool) -> None:
    """A name by itself may go anywhere, but for `typeof exports`, `require.main === module` and the like."""
    parent = node.parent
    if parent is not None and parent.type in {"unary_expression", "formal_parameters"}:
        return
    if parent is not None and parent.type == "binary_expression" and harmless:
        return
    if (
        parent is not None
        and parent.type == "assignment_expression"
        and source.text(parent) == "exports = module.exports"
    ):
        return
    exports.complete = exports.complete and _is_right_of_exports(source, node)


def _is_right_of_exports(source: JavaScriptSource, node: Node) -> bool:
    """Tell whether it is assigned to the other name of the same object: `exports = module.exports = {...}`."""
    parent = node.parent
    if parent is None or parent.type != "assignment_expression":
        return False
    return source.text(parent.child_by_field_name("left")) in {"exports", "module.exports"}


CONDITIONAL_NODE_TYPES = frozenset(
    {
        "try_statement",
        "if_statement",
        "switch_statement",
        "ternary_expression",
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "labeled_statement",
        "catch_clause",
    }
)
"""What is inside of these may not run, or may fail and be caught."""

SHORT_CIRCUIT_OPERATORS = frozenset({"&&", "||", "??", "&&=", "||=", "??="})


def find_required_files(source: JavaScriptSource) -> Iterator[RequiredFile]:
    """Yield each file that is named by a plain relative path, in the order of the text."""
    functions = NodeRanges(source.nodes("function"))
    shadowed = _find_require_shadows(source)
    for node in source.nodes("required"):
        name = source.text(node)[1:-1]
        if name.startswith(("./", "../")) and not shadowed.contains(node) and not _is_conditional(source, node):
            yield RequiredFile(name, node.start_point.row + 1, at_once=not functions.contains(node))
    for node in source.nodes("imported"):
        name = source.text(node)[1:-1]
        if name.startswith(("./", "../")):
            yield RequiredFile(name, node.start_point.row + 1, at_once=True, exact=True)


def _find_require_shadows(source: JavaScriptSource) -> NodeRanges:
    """Return the functions that have a `require` of their own as a parameter: bundlers' registries of modules."""
    return NodeRanges(inside for parameter, inside in source.shadows if source.text(parameter) == "require")


def _is_conditional(source: JavaScriptSource, node: Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type in CONDITIONAL_NODE_TYPES:
            return True
        operator = above.child_by_field_name("operator")
        if operator is not None and source.text(operator) in SHORT_CIRCUIT_OPERATORS:
            return True
        above = above.parent
    return False
