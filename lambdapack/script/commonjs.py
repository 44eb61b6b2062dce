"""What a CommonJS file exports, as far as its text says so. Whatever is not plain makes the answer incomplete."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdapack.script.parse import Node, Ranges, Source

MOST = 5000
"""Places that are looked at; a file with more is a bundle whose exports nobody can read off."""

NAMES = frozenset({"exports", "module"})

BUNDLER_COPY = "__toCommonJS"
"""What esbuild assigns to module.exports; `0 && (module.exports = {...})` after it lists the names for node's lexer."""

FUNCTIONS = frozenset({"function_expression", "arrow_function", "class", "generator_function"})


@dataclass(slots=True)
class Exports:
    """The names that were found."""

    names: set[str] = field(default_factory=set)
    complete: bool = True
    copied: bool = False  # by esbuild, whose list decides
    listed: bool = False


def exports_of(source: Source) -> Exports:
    """Return what a file assigns to exports and module.exports."""
    found = Exports()
    uses = list(_uses(source))
    functions = Ranges(source.nodes("function"))
    on_this = any(not functions.hold(node) for node in source.nodes("this"))
    if len(uses) > MOST or source.nodes("shorthand") or source.nodes("dynamic") or on_this:
        found.complete = False
    for each in uses[:MOST]:
        _use(source, each, found)
    found.complete = found.complete and (found.listed or not found.copied)
    return found


def _uses(source: Source) -> Iterator[Node]:
    """Yield each use of the names that is not a function's own parameter: bundlers wrap every module in a function."""
    ranges: dict[str, list[Node]] = {}
    for parameter, inside in source.shadows:
        ranges.setdefault(source.text(parameter), []).append(inside)
    shadows = {name: Ranges(nodes) for name, nodes in ranges.items()}
    for node in source.nodes("commonjs"):
        name = source.text(node)
        shadow = shadows.get(name)
        if name in NAMES and (shadow is None or not shadow.hold(node)):
            yield node


def _use(source: Source, node: Node, found: Exports) -> None:
    base = node
    if source.text(node) == "module":
        parent = node.parent
        if parent is None or parent.type != "member_expression" or parent.child_by_field_name("object") != node:
            _bare(source, node, found, harmless=True)
            return
        if source.text(parent.child_by_field_name("property")) != "exports":
            return
        base = parent
    _exports(source, base, found)


def _exports(source: Source, node: Node, found: Exports) -> None:
    """Look at one place where `exports` or `module.exports` stands."""
    parent = node.parent
    if parent is None:
        return
    if parent.type in {"member_expression", "subscript_expression"} and parent.child_by_field_name("object") == node:
        _member(source, parent, found)
    elif parent.type == "assignment_expression" and parent.child_by_field_name("left") == node:
        _assigned(source, parent, found)
    elif parent.type == "arguments" and _defines(source, parent, found):
        pass
    else:
        _bare(source, node, found, harmless=False)


def _member(source: Source, member: Node, found: Exports) -> None:
    parent = member.parent
    writes = parent is not None and parent.type in {"assignment_expression", "augmented_assignment_expression"}
    if parent is None or not writes or parent.child_by_field_name("left") != member:
        return
    name = source.text(member.child_by_field_name("property"))
    index = member.child_by_field_name("index")
    if index is not None:
        name = source.text(index)[1:-1] if index.type == "string" else ""
    found.names.add(name)
    found.complete = found.complete and bool(name)


def _assigned(source: Source, assignment: Node, found: Exports) -> None:
    right = assignment.child_by_field_name("right")
    while right is not None and right.type == "assignment_expression":
        right = right.child_by_field_name("right")
    if right is None or right.type in FUNCTIONS:
        return
    outer = assignment.parent and assignment.parent.parent
    if right.type == "object":
        _keys(source, right, found)
        found.listed = found.listed or (outer is not None and source.text(outer).startswith("0 &&"))
    elif right.type == "call_expression" and source.text(right.child_by_field_name("function")) == BUNDLER_COPY:
        found.copied = True
    elif source.text(right) not in {"exports", "module.exports"}:
        found.complete = False


def _keys(source: Source, literal: Node, found: Exports) -> None:
    for each in literal.named_children:
        key = each.child_by_field_name("key") or each.child_by_field_name("name") or each
        if key.type in {"property_identifier", "shorthand_property_identifier"}:
            found.names.add(source.text(key))
        elif key.type == "string":
            found.names.add(source.text(key)[1:-1])
        elif key.type != "comment":
            found.complete = False


def _defines(source: Source, arguments: Node, found: Exports) -> bool:
    """Take in Object.defineProperty(exports, "name", ...); False for any other call."""
    call = arguments.parent
    if call is None or source.text(call.child_by_field_name("function")) != "Object.defineProperty":
        return False
    second = arguments.named_children[1] if arguments.named_child_count > 1 else None
    if second is None or second.type != "string":
        return False
    found.names.add(source.text(second)[1:-1])
    return True


def _bare(source: Source, node: Node, found: Exports, *, harmless: bool) -> None:
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
    found.complete = found.complete and _is_right_of_exports(source, node)


def _is_right_of_exports(source: Source, node: Node) -> bool:
    """Tell whether it is assigned to the other name of the same object: `exports = module.exports = {...}`."""
    parent = node.parent
    if parent is None or parent.type != "assignment_expression":
        return False
    return source.text(parent.child_by_field_name("left")) in {"exports", "module.exports"}
