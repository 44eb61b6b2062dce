"""The tiers of the tests mean what they say: what is pure, and that the guards of tests/conftest.py see what is not."""

import ast
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import purity
from tests.compiled import SHELF, Recipe
from tests.house.source import ROOT

TESTS = ROOT / "tests"
NEEDS = {"engine", "registry", "podman", "peers"}
"""Marks of tests that need more than this package and its dependencies."""


def marks(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
    }


def test_nothing_in_unit_needs_more_than_python() -> None:
    modules = sorted((TESTS / "unit").rglob("test_*.py"))
    assert len(modules) > 100
    assert {path.name: needs for path in modules if (needs := marks(path) & NEEDS)} == {}


def test_what_needs_the_registry_says_so() -> None:
    modules = sorted((TESTS / "registry").glob("test_*.py"))
    assert modules
    assert [path.name for path in modules if "registry" not in marks(path)] == []


def test_test_modules_of_one_room_of_unit_are_that_rooms() -> None:
    rooms = {path.name for path in (ROOT / "lambdapack").iterdir() if path.is_dir() and path.name != "__pycache__"}
    found = {path.name for path in (TESTS / "unit").iterdir() if any(path.rglob("test_*.py"))}
    assert found - rooms == {"images"}, "images/lab is beside the package"


@pytest.mark.parametrize(
    "deed",
    [
        lambda: subprocess.run(["make", "--version"], check=True, capture_output=True),
        lambda: socket.create_connection(("192.0.2.1", 443), timeout=1),
        lambda: socket.getaddrinfo("www.example.com", 443),
        lambda: socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock"),
    ],
    ids=["a-program", "an-address", "a-name", "the-engine"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_pure_test_that_is_none_fails(deed: Callable[[], object]) -> None:
    with purity.kept("the test"), pytest.raises(pytest.fail.Exception, match="so it is not pure"):
        deed()


def test_a_pure_test_may_start_python_and_speak_to_itself(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    with purity.kept("the test"), socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        subprocess.run([sys.executable, "-c", ""], check=True)
        subprocess.run([own], check=True)
        with pytest.raises(FileNotFoundError):
            subprocess.run(["no-such-program-anywhere"], check=True)
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("registry.invalid", 443)


def test_a_pure_test_compiles_nothing() -> None:
    with SHELF.without_compiler(), pytest.raises(pytest.fail.Exception, match="--update-compiled"):
        SHELF.find(Recipe("new", "int unheard_of;", (), {}, ()))
