"""How big a room and a module may be, and that no two modules import each other."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.house.source import MODULES, PACKAGE, parsed, relative

MAX_ROOM_MODULES = 15
MAX_MODULE_LINES = 400
MIN_MODULE_LINES = 40
MAX_FUNCTION_LINES = 60
"""Of a body with its docstring: the signature of a typer command is a table of its options."""

SHORT_ROOMS = {
    "cli/command": "one command, one module: its name and its options",
    "report/ci": "one format, one module",
    "install/strategy": "one strategy, one module",
}
"""Rooms whose modules are alike and as short as what they hold."""

SHORT_MODULES = {
    "binary/budget.py": "what the scan and the ELF reader share, below both, light to import",
    "__main__.py": "what `python -m lambdapack` starts; cli/main.py does it",
    "binary/registration/code.py": "the protocol that the readers of both CPUs satisfy, below them",
    "errors/registry.py": "the one list of all failures, above the modules that hold them",
    "explain/symbols.py": "what a missing symbol means; read by the signs and by a rule's advice",
    "managers/npm/registry.py": "one download with its credentials; npmrc.py is what every build needs",
    "managers/npm/versions.py": "what npm.py, npmrc.py and commands.py share, below all three",
    "tree/identity.py": "light to import: an unchanged run needs nothing else of its room",
    "project/exclusions.py": "names that the packer, the installer and verify share, below all three",
    "rules/commands.py": "commands that rules and explain name alike, light to import",
    "rules/selection/prune.py": "the build's question to the selection; verify never loads it",
    "rules/lockfile/repository_records.py": "records.py has no room for the rules of repositories",
}
"""Modules of less than MIN_MODULE_LINES, each with the reason why it is no part of another."""


def length(module: Path) -> int:
    return len(module.read_text(encoding="utf-8").splitlines())


def test_no_room_has_too_many_modules_beside_each_other() -> None:
    rooms = Counter(module.parent.relative_to(PACKAGE).as_posix() for module in MODULES if module.stem != "__init__")
    assert len(rooms) > 10
    assert {room: modules for room, modules in rooms.items() if modules > MAX_ROOM_MODULES} == {}


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_modules_and_functions_are_short(module: Path) -> None:
    assert length(module) <= MAX_MODULE_LINES
    long = [
        f"{node.name} has {lines} lines"
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.body[0].lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_a_module_that_is_very_short_has_a_reason() -> None:
    short = {
        relative(module)
        for module in MODULES
        if module.stem != "__init__"
        and length(module) < MIN_MODULE_LINES
        and relative(module).rpartition("/")[0] not in SHORT_ROOMS
    }
    assert short == set(SHORT_MODULES), "give a reason in SHORT_MODULES, or take the reason away"


def reexports(tree: ast.Module) -> list[str]:
    """Return the names that a package imports for others: it never uses them itself."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = [
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    return [name for name in imported if name not in used]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from lambdapack.errors.record import Failure", ["Failure"]),
        ("from lambdapack.errors.record import Failure\n__all__ = ['Failure']", ["Failure"]),
        ("import lambdapack.model as model", ["model"]),
        ("from lambdapack.errors.record import *", ["*"]),
        ("from lambdapack.install.emulated import Emulated\nSTRATEGIES = (Emulated(),)", []),
        ('"""A room."""', []),
    ],
)
def test_a_reexport_is_recognised(source: str, names: list[str]) -> None:
    assert reexports(ast.parse(source)) == names


def test_no_package_reexports_anything() -> None:
    packages = [module for module in MODULES if module.stem == "__init__" and relative(module) != "__init__.py"]
    assert packages  # the package itself names the API: __init__.py
    assert {relative(package): names for package in packages if (names := reexports(parsed(package)))} == {}


def imported_at_once(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield the full names that a module imports while it is imported itself."""
    for statement in statements:
        match statement:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(name), names=names, level=0):
                yield name
                yield from (f"{name}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                yield from imported_at_once(otherwise)
            case ast.If(body=body, orelse=otherwise):
                yield from imported_at_once([*body, *otherwise])
            case ast.Try(body=body, handlers=handlers, orelse=otherwise, finalbody=final):
                handled = [child for handler in handlers for child in handler.body]
                yield from imported_at_once([*body, *handled, *otherwise, *final])
            case ast.With(body=body) | ast.ClassDef(body=body):
                yield from imported_at_once(body)
            case _:
                pass


def circle(imports: Mapping[str, frozenset[str]]) -> list[str]:
    """Return modules that import each other, in a row; empty without any."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for imported in sorted(imports.get(name, ())):
            if found := visit(imported, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(imports) if (found := visit(name, []))), [])


def test_a_circle_is_recognised() -> None:
    row = {"a": frozenset({"b", "d"}), "b": frozenset({"c"}), "c": frozenset({"d"}), "d": frozenset[str]()}
    assert circle(row) == []
    assert circle({**row, "d": frozenset({"b"})}) == ["b", "c", "d", "b"]
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import a\ndef f():\n    import b\ntry:\n    from c import d\nexcept E: ..."
    )
    assert list(imported_at_once(tree.body)) == ["c", "c.d"]


def test_no_two_modules_import_each_other() -> None:
    names = {
        ".".join(("lambdapack", *module.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): module
        for module in MODULES
    }
    imports = {
        name: frozenset(imported_at_once(parsed(module).body)) & (names.keys() - {name})
        for name, module in names.items()
    }
    assert sum(map(len, imports.values())) > 500
    assert circle(imports) == []
