import json
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.lock import packages_with_install_scripts
from lambdapack.managers.registry import MANAGERS, find_manager, read_dependencies
from lambdapack.model import Architecture
from lambdapack.project.function import read_function
from lambdapack.project.repository import LOCKFILE_MANAGERS, read_manifest, read_repository
from tests.projects import lock_of, write_project


def test_a_repository_has_a_root_and_a_manager_and_its_function_a_name_and_a_handler(tmp_path: Path) -> None:
    directory = write_project(tmp_path / "fn", {"name": "@me/fn"}, lock_of({}), {"template.yaml": "", "yarn.lock": ""})
    repository = read_repository(directory)
    function = read_function(repository, directory, "app.main")
    assert (function.name, function.handler, function.importer) == ("@me/fn", "app.main", ".")
    assert repository.root == function.directory == (tmp_path / "fn").resolve()
    assert (repository.manager, repository.lockfiles) == ("npm", ("package-lock.json", "yarn.lock"))
    assert repository.templates == ("template.yaml",)


def test_a_repository_without_a_lockfile_is_npms(tmp_path: Path) -> None:
    repository = read_repository(write_project(tmp_path))
    assert (repository.manager, repository.lockfiles) == ("npm", ())


def test_a_repository_of_another_manager_is_served_by_npm_whose_preflight_says_so(tmp_path: Path) -> None:
    repository = read_repository(write_project(tmp_path, files={"bun.lock": ""}))
    assert repository.manager == "bun"
    assert find_manager(repository).name == "npm"


def test_every_manager_has_a_name_of_its_own_and_its_lockfiles_are_known() -> None:
    assert len({manager.name for manager in MANAGERS}) == len(MANAGERS)
    known = {name: manager.name for manager in MANAGERS for name in manager.lockfiles}
    assert known
    assert known.items() <= LOCKFILE_MANAGERS.items()


def test_a_nameless_project_is_called_like_its_directory(tmp_path: Path) -> None:
    write_project(tmp_path / "resize", {"name": ""})
    assert read_manifest(tmp_path / "resize").name == "resize"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere", "there is no such directory"),
        ("empty", "package.json: there is no such file"),
        ("file", "a directory is needed"),
    ],
)
def test_without_package_json_the_failure_says_where_it_looked(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(LambdapackError, match="LP002") as caught:
        read_dependencies(tmp_path / place)
    assert str(tmp_path / place) in caught.value.detail
    assert words in caught.value.detail


def test_broken_package_json_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x",}')
    with pytest.raises(LambdapackError, match=r"LP003.*package.json:1:\d+"):
        read_dependencies(tmp_path)


def test_lines_of_dependencies_and_scripts_are_known(tmp_path: Path) -> None:
    text = '{\n  "scripts": {\n    "prepare": "husky"\n  },\n  "dependencies": {\n    "a": "1",\n    "b": "2"\n  }\n}'
    write_project(tmp_path, files={"package.json": text})
    lines = read_manifest(tmp_path).lines
    assert lines == {"scripts.prepare": 3, "dependencies.a": 6, "dependencies.b": 7}


def test_foreign_lockfiles_are_named(tmp_path: Path) -> None:
    write_project(tmp_path, files={"yarn.lock": "", "bun.lockb": ""})
    assert read_dependencies(tmp_path).foreign_lockfiles == ("bun.lockb",)


@pytest.mark.parametrize("workspaces", [["packages/*"], {"packages": ["packages/*"]}, ["./packages/fn/"], ["pack*/**"]])
def test_a_workspace_member_knows_its_root(tmp_path: Path, workspaces: object) -> None:
    write_project(tmp_path, {"workspaces": workspaces}, lock_of({}))
    write_project(tmp_path / "packages" / "fn", {"name": "member"})
    project = read_dependencies(tmp_path / "packages" / "fn")
    assert (project.repository.root, project.importer, project.manifest.name) == (
        tmp_path.resolve(),
        "packages/fn",
        "member",
    )
    function = read_function(project.repository, tmp_path / "packages" / "fn")
    assert function.directory == (tmp_path / "packages" / "fn").resolve()
    assert function.importer == "packages/fn"
    assert project.lock is not None


def test_a_lockfile_of_its_own_makes_a_member_independent(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["packages/*"]}, lock_of({}))
    write_project(tmp_path / "packages" / "fn", lock=lock_of({}))
    assert read_dependencies(tmp_path / "packages" / "fn").importer == "."


def test_a_package_that_no_workspace_includes_is_its_own_root(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["packages/*", "!packages/fn"]}, lock_of({}))
    write_project(tmp_path / "packages" / "fn")
    assert read_dependencies(tmp_path / "packages" / "fn").importer == "."


def test_a_pnpm_workspace_is_a_root_too(tmp_path: Path) -> None:
    write_project(tmp_path / "apps" / "fn")
    (tmp_path / "pnpm-workspace.yaml").write_text("packages: ['apps/*']\n")
    (tmp_path / "pnpm-lock.yaml").write_text("")
    project = read_dependencies(tmp_path / "apps" / "fn")
    assert (project.importer, project.manager, project.foreign_lockfiles) == ("apps/fn", "pnpm", ())


def test_a_broken_file_above_the_project_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{")
    write_project(tmp_path / "fn")
    assert read_dependencies(tmp_path / "fn").importer == "."


def test_a_package_that_moved_into_dependencies_is_production_whatever_the_lock_says(tmp_path: Path) -> None:
    packages = {
        "node_modules/a": {"version": "1.0.0", "dev": True, "dependencies": {"b": "1"}},
        "node_modules/b": {"version": "1.0.0", "dev": True},
        "node_modules/c": {"version": "1.0.0", "dev": True},
    }
    lock = lock_of(packages, {"devDependencies": {"a": "1", "c": "1"}})
    project = read_dependencies(
        write_project(tmp_path, {"dependencies": {"a": "1"}, "devDependencies": {"c": "1"}}, lock)
    )
    assert project.lock is not None
    assert [each.name for each in project.lock.production] == ["a", "b"]


def test_a_file_target_is_read_from_disk_as_npm_does(tmp_path: Path) -> None:
    lock = lock_of({"lib/x": {"version": "1.0.0"}, "node_modules/x": {"resolved": "lib/x", "link": True}})
    target = {"lib/x/package.json": json.dumps({"name": "x", "dependencies": {"new": "1"}})}
    project = read_dependencies(write_project(tmp_path, {"dependencies": {"x": "file:lib/x"}}, lock, target))
    assert project.lock is not None
    assert project.lock.packages["lib/x"].dependencies == {"new": "1"}


@pytest.mark.parametrize(
    ("manifest", "gyp", "runs"),
    [
        ({}, True, True),
        ({"gypfile": False}, True, False),
        ({}, False, False),
        ({"scripts": {"install": "make"}}, False, True),
    ],
)
def test_an_addon_beside_the_function_compiles_though_the_lock_does_not_tell(
    tmp_path: Path, manifest: dict[str, object], gyp: bool, runs: bool
) -> None:
    # npm 11.19.1 writes hasInstallScript for a link target only when a script is spelled out (tried 2026-11).
    lock = lock_of({"lib/x": {"version": "1.0.0"}, "node_modules/x": {"resolved": "lib/x", "link": True}})
    files = {"lib/x/package.json": json.dumps({"name": "x", **manifest})} | ({"lib/x/binding.gyp": "{}"} if gyp else {})
    project = read_dependencies(write_project(tmp_path, {"dependencies": {"x": "file:lib/x"}}, lock, files))
    assert project.lock is not None
    assert bool(packages_with_install_scripts(project.lock, Architecture.ARM64)) is runs
