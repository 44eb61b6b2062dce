"""Which test shows a rule at work and which one shows its absence: two marks, read without running anything.

`@pytest.mark.proves("wrong-cpu")` stands on a test in which a real binary, tree or lockfile triggers the rule,
`@pytest.mark.spares("wrong-cpu")` on one in which something real and near to it does not. A mark may name several
rules and may stand on one row of a parametrized test (`pytest.param(..., marks=...)`). tests/house/test_proofs.py
demands both for every rule; tests/conftest.py holds each marked test to its word when it runs.
"""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lambdapack.model import Finding

TESTS = Path(__file__).resolve().parent
PROVES, SPARES = "proves", "spares"

HOW = (
    'Mark a test in which something real triggers it with @pytest.mark.proves("{name}"), '
    'and one in which something near to it does not with @pytest.mark.spares("{name}") (tests/proofs.py).'
)


@dataclass(frozen=True, slots=True)
class Mark:
    verb: str
    name: str  # of the rule
    place: str  # "tests/unit/tree/test_x.py:12"


def marks() -> tuple[Mark, ...]:
    """Return every mark of every test module."""
    return tuple(mark for path in sorted(TESTS.rglob("test_*.py")) for mark in _marks_of(path))


def _marks_of(path: Path) -> Iterator[Mark]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr=("proves" | "spares") as verb)):
                for argument in node.args:
                    name = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
                    yield Mark(verb, str(name), f"{path.relative_to(TESTS.parent).as_posix()}:{node.lineno}")
            case _:
                pass


_watching: list[set[str]] = []


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collect the names of all rules that find something meanwhile, in this process or in one that `told` of it."""
    seen: set[str] = set()
    made = Finding.__init__

    def remembering(self: Finding, *args: Any, **fields: Any) -> None:
        made(self, *args, **fields)
        seen.add(self.rule.name)

    _watching.append(seen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Finding, "__init__", remembering)
        yield seen
    _watching.remove(seen)


def told(names: Iterable[str]) -> None:
    """Count findings that another process reported."""
    for seen in _watching:
        seen.update(names)


def wanted(item: pytest.Item, verb: str) -> set[str]:
    """Return the rules that a test is marked with."""
    return {str(name) for mark in item.iter_markers(verb) for name in mark.args}
