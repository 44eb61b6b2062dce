"""The fences of the house: who may import what."""

import ast
from pathlib import Path

import pytest

from tests.house.source import MODULES, ROOT, imports_of, parsed, relative

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
    ("model", "errors", "events", "messages", "schema"),
    ("tree",),
    ("binary", "script"),
    ("engine", "project", "managers", "packages", "install", "book"),
    ("runtimes", "store", "config"),
    ("rules", "pack", "deploy", "aws"),
    ("prove", "inspection", "recipes"),
    ("report", "explain"),
    ("pipeline",),
    ("cli",),
    ("__main__",),
)
"""Lowest first. A rung imports its own folder and lower rungs; folders of one rung may look at each other."""


def rung_of(name: str) -> int:
    return next((index for index, rung in enumerate(LADDER) if name in rung), -1)


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_third_parties_are_imported_by_their_owner_alone(module: Path) -> None:
    for name in imports_of(parsed(module)):
        owners = OWNERS.get(name.partition(".")[0])
        assert owners is None or relative(module).startswith(owners or "-"), f"{relative(module)} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_lower_layers_never_import_upper_ones(module: Path) -> None:
    own = rung_of(relative(module).partition("/")[0].removesuffix(".py"))
    for name in imports_of(parsed(module)):
        if name.startswith("lambdapack."):
            assert rung_of(name.split(".")[1]) <= own, f"{relative(module)} imports {name}"


def test_every_module_stands_on_the_ladder() -> None:
    names = {relative(module).partition("/")[0].removesuffix(".py") for module in MODULES} - {"__init__"}
    assert {name for name in names if rung_of(name) < 0} == set()


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
