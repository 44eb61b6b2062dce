"""Which files of its own package a script loads in any case. Where it is a matter of chance, nothing is said."""

from collections.abc import Iterator

from lambdapack.script.facts import Required
from lambdapack.script.parse import Node, Ranges, Source

CHANCE = frozenset(
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

SHORT_CIRCUITS = frozenset({"&&", "||", "??", "&&=", "||=", "??="})


def required_files(source: Source) -> Iterator[Required]:
    """Yield each file that is named by a plain relative path, in the order of the text."""
    functions = Ranges(source.nodes("function"))
    own = _shadowed(source)
    for node in source.nodes("required"):
        name = source.text(node)[1:-1]
        if name.startswith(("./", "../")) and not own.hold(node) and not _by_chance(source, node):
            yield Required(name, node.start_point.row + 1, at_once=not functions.hold(node))
    for node in source.nodes("imported"):
        name = source.text(node)[1:-1]
        if name.startswith(("./", "../")):
            yield Required(name, node.start_point.row + 1, at_once=True, exact=True)


def _shadowed(source: Source) -> Ranges:
    """Return the functions that have a `require` of their own as a parameter: bundlers' registries of modules."""
    return Ranges(inside for parameter, inside in source.shadows if source.text(parameter) == "require")


def _by_chance(source: Source, node: Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type in CHANCE:
            return True
        operator = above.child_by_field_name("operator")
        if operator is not None and source.text(operator) in SHORT_CIRCUITS:
            return True
        above = above.parent
    return False
