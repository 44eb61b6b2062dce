"""One name, one thing: classes are named once, functions are verbs, loop variables say what they hold."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.house.source import MODULES, parsed, relative

PARTICIPLE = re.compile(r"[a-z]{2,}(?:ed|ing)")

IRREGULAR = """
begun bound broken brought built bought caught chosen done drawn driven fallen felt forgotten found frozen given gone
gotten grown heard held hidden kept known laid led left lent lost made meant met paid said seen sent shaken shown sold
spent spoken stolen stood stuck sworn taken taught thought thrown told torn undone understood won worn wound written
"""
"""Participles that are no base form; `read`, `put`, `set`, `run`, `cut` and `split` are verbs as they stand."""

NO_PARTICIPLES = """
embed exceed feed need proceed seed shed speed bring ping ring
bearing binding encoding finding heading listing mapping padding rating setting spelling string warning
"""
"""Verbs that end so in their base form, and nouns of the field."""

IRREGULAR_WORDS, ALLOWED_WORDS = frozenset(IRREGULAR.split()), frozenset(NO_PARTICIPLES.split())


def public_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield functions and methods that somebody calls; a property is read like a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
            if not decorators & {"property", "cached_property", "setter"}:
                yield node


def participles(tree: ast.AST) -> list[str]:
    """Return the public functions whose whole name is a participle: they return a noun and do not say which."""
    return [
        function.name
        for function in public_functions(tree)
        if function.name not in ALLOWED_WORDS
        and (PARTICIPLE.fullmatch(function.name) or function.name in IRREGULAR_WORDS)
    ]


def bindings_of_each(tree: ast.AST) -> list[int]:
    """Return the lines that bind `each`: in a loop, a comprehension, an assignment or as a parameter."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == "each")
        or (isinstance(node, ast.arg) and node.arg == "each")
    ]


def test_a_public_class_name_exists_once() -> None:
    places = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(parsed(module)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(relative(module))
    assert places
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("judged", True),
        ("proved", True),
        ("brought", True),
        ("told", True),
        ("closing", True),
        ("held", True),
        ("read", False),
        ("feed", False),
        ("listing", False),
        ("judged_packages", False),
        ("_told", False),
        ("judge_package", False),
    ],
)
def test_a_bare_participle_is_recognised(name: str, is_one: bool) -> None:
    for source in (f"def {name}(): ...", f"class Judge:\n    async def {name}(self): ..."):
        assert participles(ast.parse(source)) == [name] * is_one
    assert participles(ast.parse(f"class Judge:\n    @property\n    def {name}(self): ...")) == []


def test_no_public_function_is_a_bare_participle() -> None:
    assert {relative(module): names for module in MODULES if (names := participles(parsed(module)))} == {}


@pytest.mark.parametrize(
    "source",
    ["for each in x: ...", "[each for each in x]", "f = lambda each: each", "for at, each in x: ...", "each = 1"],
)
def test_each_is_recognised_wherever_it_is_bound(source: str) -> None:
    assert bindings_of_each(ast.parse(source)) == [1]
    assert bindings_of_each(ast.parse(source.replace("each", "entry"))) == []


def test_nothing_is_called_each() -> None:
    assert {relative(module): lines for module in MODULES if (lines := bindings_of_each(parsed(module)))} == {}
