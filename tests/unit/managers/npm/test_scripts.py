import json
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ScriptedPackage
from lambdapack.managers.npm.scripts import find_package_scripts, mark_scripts
from lambdapack.managers.npm.versions import INSTALLED_LOCKFILE
from lambdapack.managers.registry import read_dependencies
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import read_file
from tests.projects import lock_of, write_project


def scripts_of(directory: Path, tree: MemoryTree, locked: dict[str, Any] | None = None) -> tuple[ScriptedPackage, ...]:
    return find_package_scripts(read_dependencies(write_project(directory, {}, lock_of(locked or {}))), tree)


def fetched(packages: dict[str, Any], **files: bytes) -> MemoryTree:
    """Return a tree with npm's own list of `packages`, by their paths."""
    document = json.dumps({"lockfileVersion": 3, "packages": packages}).encode()
    return MemoryTree({INSTALLED_LOCKFILE: document, **files})


def manifest(**fields: Any) -> bytes:
    return json.dumps({"name": "a", "version": "1.0.0", **fields}).encode()


@pytest.mark.parametrize(
    ("fields", "has_gyp", "runs"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"gypfile": True}, True, True),
        ({"gypfile": False}, True, False),
        ({"gypfile": "no"}, True, True),
        ({"gypfile": True}, False, False),
        ({"gypfile": False, "scripts": {"postinstall": "node x"}}, True, True),
        ({"scripts": {"install": "node-gyp-build"}}, True, True),
        ({"scripts": {"preinstall": "node x"}}, False, True),
        ({"scripts": {"test": "x", "prepare": "x", "install": ""}}, False, False),
        ({"scripts": ["install"]}, False, False),
    ],
)
def test_a_package_says_itself_what_runs(tmp_path: Path, fields: dict[str, Any], has_gyp: bool, runs: bool) -> None:
    files = {"node_modules/a/package.json": manifest(**fields)}
    if has_gyp:
        files["node_modules/a/binding.gyp"] = b"{}"
    found = scripts_of(tmp_path, fetched({"node_modules/a": {"version": "1.0.0"}}, **files))
    assert bool(found) is runs


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"null"])
def test_of_a_manifest_that_npm_cannot_read_nothing_runs(tmp_path: Path, text: bytes) -> None:
    files = {"node_modules/a/package.json": text, "node_modules/a/binding.gyp": b"{}"}
    assert scripts_of(tmp_path, fetched({"node_modules/a": {"version": "1.0.0"}}, **files)) == ()


def test_a_link_is_built_where_it_leads_with_its_prepare(tmp_path: Path) -> None:
    tree = fetched(
        {"node_modules/a": {"resolved": "lib/a", "link": True}, "lib/a": {"version": "1.0.0"}},
        **{"lib/a/package.json": manifest(scripts={"prepare": "tsc"})},
    )
    assert scripts_of(tmp_path, tree) == (ScriptedPackage("a@1.0.0", "node_modules/a", "lib/a"),)


def test_without_npms_own_list_the_lock_names_the_packages(tmp_path: Path) -> None:
    tree = MemoryTree({"node_modules/a/package.json": manifest(), "node_modules/a/binding.gyp": b"{}"})
    locked = {"node_modules/a": {"version": "1.0.0", "optional": True}, "node_modules/b": {"version": "1.0.0"}}
    assert scripts_of(tmp_path, tree, locked) == (
        ScriptedPackage("a@1.0.0", "node_modules/a", "node_modules/a", optional=True),
    )


def test_npm_is_told_which_scripts_to_read_and_which_binding_gyp_to_leave(tmp_path: Path) -> None:
    files = {
        "node_modules/a/package.json": manifest(scripts={"postinstall": "node x"}, gypfile=False),
        "node_modules/a/binding.gyp": b"{}",
    }
    tree = fetched({"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"}}, **files)
    marked = json.loads(read_file(mark_scripts(tree, scripts_of(tmp_path, tree)), INSTALLED_LOCKFILE))
    assert marked["packages"] == {
        "node_modules/a": {"version": "1.0.0", "hasInstallScript": True, "gypfile": False},
        "node_modules/b": {"version": "1.0.0"},
    }
    bare = MemoryTree(files)
    assert mark_scripts(bare, scripts_of(tmp_path / "bare", bare)) is bare
