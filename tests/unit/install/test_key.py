from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambdapack.install.request import DependencyKey, dependency_key
from lambdapack.managers.npm.inputs import install_inputs
from lambdapack.managers.npm.key import project_parts
from lambdapack.managers.registry import read_dependencies
from tests.projects import lock_of, write_project


def key(
    directory: Path, manifest: Mapping[str, Any] | None = None, lock: Mapping[str, Any] | None = None, text: str = "x"
) -> DependencyKey:
    written = {"patches/a.patch": text}
    project = read_dependencies(write_project(directory, manifest or {}, lock or lock_of({}), written))
    return dependency_key(project_parts(project, install_inputs(project), ""))


def test_the_same_project_elsewhere_has_the_same_key(tmp_path: Path) -> None:
    assert key(tmp_path / "one") == key(tmp_path / "two")


def test_name_version_and_description_are_no_dependencies(tmp_path: Path) -> None:
    lock = {**lock_of({}), "version": "2.0.0"}
    other = key(tmp_path / "two", {"version": "2.0.0", "description": "d", "scripts": {"test": "t"}}, lock)
    assert other == key(tmp_path / "one")


def test_each_change_that_counts_moves_the_key_and_names_its_part(tmp_path: Path) -> None:
    plain = key(tmp_path / "plain")
    changes = {
        "package.json": key(tmp_path / "a", {"overrides": {"a": "1"}}),
        "package-lock.json": key(tmp_path / "b", lock=lock_of({"node_modules/a": {"version": "1.0.0"}})),
        "file patches/a.patch": key(tmp_path / "c", text="y"),
    }
    for part, changed in changes.items():
        assert changed.digest != plain.digest
        assert {name for name in changed.parts if changed.parts[name] != plain.parts.get(name)} == {part}


def test_root_install_scripts_and_allow_scripts_count(tmp_path: Path) -> None:
    plain = key(tmp_path / "a")
    assert key(tmp_path / "b", {"scripts": {"postinstall": "x"}}) != plain
    assert key(tmp_path / "c", {"allowScripts": {"sharp": True}}) != plain


def test_the_order_of_parts_does_not_count_and_their_borders_do() -> None:
    assert dependency_key({"a": b"1", "b": b"2"}) == dependency_key({"b": b"2", "a": b"1"})
    assert dependency_key({"a": b"12", "b": b""}).digest != dependency_key({"a": b"1", "b": b"2"}).digest
