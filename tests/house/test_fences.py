"""The fences of the house: who may import what."""

import ast
import re
from pathlib import Path

import pytest

from lambdapack.install.strategy import STRATEGIES
from tests.house.source import MODULES, PACKAGE, ROOT, imports_of, parsed, relative

OWNERS = {
    "ahocorasick_rs": ("explain/passages.py",),
    "docker": ("engine/docker.py",),
    "elftools": ("binary/elf/definitions.py",),
    "tqdm": ("cli/output/progress.py",),
    "tree_sitter": ("script/",),
    "tree_sitter_javascript": ("script/",),
    "typer": ("cli/",),
    "boto3": ("aws/",),
    "botocore": ("aws/",),
    "s3transfer": ("aws/",),
    "unittest": (),
}

LADDER = (
    "credentials",
    "messages",
    "model",
    "errors",
    "events",
    "schema",
    "tree",
    "script",
    "binary",
    "runtimes",
    "engine",
    "project",
    "managers",
    "packages",
    "install",
    "book",
    "config",
    "pack",
    "store",
    "rules",
    "deploy",
    "aws",
    "prove",
    "inspection",
    "recipes",
    "explain",
    "report",
    "pipeline",
    "cli",
    "api",
    "__main__",
)
"""Lowest first, one room a rung: a room imports itself and lower rooms, so that there is no circle and no way up."""

MANAGER_FOLDERS = sorted(path.name for path in (PACKAGE / "managers").iterdir() if (path / "__init__.py").is_file())


def rung_of(name: str) -> int:
    return LADDER.index(name) if name in LADDER else -1


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_third_parties_are_imported_by_their_owner_alone(module: Path) -> None:
    for name in imports_of(parsed(module)):
        owners = OWNERS.get(name.partition(".")[0])
        assert owners is None or relative(module).startswith(owners or "-"), f"{relative(module)} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_lower_layers_never_import_upper_ones(module: Path) -> None:
    own = rung_of(relative(module).partition("/")[0].removesuffix(".py"))
    if relative(module) == "__init__.py":  # names the API for type checkers, and imports none of it
        return
    for name in imports_of(parsed(module)):
        if name.startswith("lambdapack."):
            assert rung_of(name.split(".")[1]) <= own, f"{relative(module)} imports {name}"


def test_every_module_stands_on_the_ladder() -> None:
    names = {relative(module).partition("/")[0].removesuffix(".py") for module in MODULES} - {"__init__"}
    assert {name for name in names if rung_of(name) < 0} == set()


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_only_the_registry_knows_a_package_manager(module: Path) -> None:
    """Everything else knows interface.py and lock.py, which are the same for all of them."""
    inside = relative(module).split("/")[:2]
    for name in imports_of(parsed(module)):
        parts = name.split(".")
        if parts[:2] == ["lambdapack", "managers"] and len(parts) > 2 and parts[2] in MANAGER_FOLDERS:
            # The others read .npmrc and run scripts as npm does.
            allowed = inside == ["managers", parts[2]] or relative(module) == "managers/registry.py"
            allowed = allowed or (inside[0] == "managers" and len(inside) > 1 and parts[2] == "npm")
            assert allowed, f"{relative(module)} imports {name}"


def test_only_the_tuple_of_strategies_knows_a_strategy() -> None:
    """install.py follows recipes: the name of a strategy in another module would be an `if` over strategies."""
    names = {strategy.name for strategy in STRATEGIES}
    rooms = ("install/", "pipeline/", "managers/", "engine/")
    others = [module for module in MODULES if relative(module).startswith(rooms) and module.parent.name != "strategy"]
    spoken = [
        f"{relative(module)}: {node.value}"
        for module in others
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    imported = [
        f"{relative(module)}: {name}"
        for module in MODULES
        if relative(module) != "install/strategy/__init__.py"
        for name in imports_of(parsed(module))
        if name.startswith("lambdapack.install.strategy.")
    ]
    assert spoken + imported == []


def test_nothing_in_the_engine_room_speaks_of_a_package_manager() -> None:
    words = re.compile(r"\bnpm\b|package-lock", re.IGNORECASE)
    offenders = [
        f"{relative(module)}: {line.strip()}"
        for module in MODULES
        if relative(module).startswith("engine/")
        for line in module.read_text(encoding="utf-8").splitlines()
        if words.search(line)
    ]
    assert offenders == []


def test_nothing_is_mocked() -> None:
    paths = sorted((ROOT / "tests").rglob("*.py"))
    assert Path(__file__) in paths
    offenders = [
        path.relative_to(ROOT).as_posix()
        for path in paths
        for name in imports_of(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith(("unittest", "pytest_mock", "mock"))
    ]
    assert offenders == []


def test_no_module_bears_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
    assert [relative(module) for module in MODULES if module.stem in vague] == []


def test_only_the_command_line_prints() -> None:
    printing = [
        relative(module)
        for module in MODULES
        if not relative(module).startswith("cli/")
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_the_top_level_is_what_the_design_says() -> None:
    allowed = {
        "pyproject.toml",
        "lambdapack",
        "images",
        "tests",
        "examples",
        "Makefile",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs",
    }
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert tracked <= allowed | {"node_modules", "PKG-INFO"}  # the latter in an unpacked sdist
