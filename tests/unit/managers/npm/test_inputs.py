import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.interface import InstallScripts
from lambdapack.managers.npm.inputs import file_targets, find_install_scripts, install_inputs
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture
from lambdapack.tree.entry import EntryKind, read_file
from tests.projects import lock_of, write_project


def files(
    tmp_path: Path,
    manifest: Mapping[str, Any],
    packages: Mapping[str, Mapping[str, Any]],
    written: Mapping[str, str],
    globs: tuple[str, ...] = (),
) -> list[str]:
    project = read_dependencies(write_project(tmp_path, manifest, lock_of(packages), written))
    entries = install_inputs(project, globs).entries
    return [path for path, entry in entries.items() if entry.kind is not EntryKind.DIRECTORY]


def link(target: str) -> dict[str, Any]:
    return {"resolved": target, "link": True}


def test_only_what_npm_needs_goes_in(tmp_path: Path) -> None:
    written = {
        "index.js": "",
        "src/a.js": "",
        "node_modules/x/index.js": "",
        "patches/x.patch": "",
        "prisma/schema.prisma": "",
        ".npmrc": "//r/:_authToken=x",
        ".env": "SECRET=1",
    }
    assert files(tmp_path, {}, {}, written) == [
        "package-lock.json",
        "package.json",
        "patches/x.patch",
        "prisma/schema.prisma",
    ]


def test_the_authors_scripts_are_taken_out_and_the_others_stay(tmp_path: Path) -> None:
    scripts = {
        "prepare": "husky",
        "prepublish": "tsc",
        "preprepare": "a",
        "postprepare": "b",
        "postinstall": "prisma generate",
        "prepublishOnly": "c",
        "test": "jest",
    }
    project = read_dependencies(write_project(tmp_path, {"scripts": scripts, "dependencies": {}}, lock_of({})))
    tree = install_inputs(project)
    assert json.loads(read_file(tree, "package.json"))["scripts"] == {
        "postinstall": "prisma generate",
        "prepublishOnly": "c",
        "test": "jest",
    }
    assert project.manifest.install_scripts() == {"postinstall": "prisma generate"}
    assert json.loads((tmp_path / "package.json").read_text())["scripts"] == scripts


def test_the_lockfile_goes_in_byte_for_byte_under_its_own_name(tmp_path: Path) -> None:
    text = "\ufeff" + json.dumps(lock_of({}))
    project = read_dependencies(write_project(tmp_path, files={"npm-shrinkwrap.json": text}))
    assert read_file(install_inputs(project), "npm-shrinkwrap.json") == text.encode()


def test_a_file_target_comes_without_its_node_modules_and_compiled_output(tmp_path: Path) -> None:
    written = {
        "lib/x/package.json": "{}",
        "lib/x/binding.gyp": "{}",
        "lib/x/src/a.cc": "",
        "lib/x/build/Release/x.node": "",
        "lib/x/node_modules/y/i.js": "",
        "lib/x/.git/HEAD": "",
        "lib/other/a.js": "",
        "lib/b.js": "",
    }
    found = files(tmp_path, {}, {"lib/x": {}, "node_modules/x": link("lib/x")}, written)
    assert [each for each in found if each.startswith("lib/")] == [
        "lib/x/binding.gyp",
        "lib/x/package.json",
        "lib/x/src/a.cc",
    ]


def test_build_is_kept_where_nothing_compiles_into_it(tmp_path: Path) -> None:
    written = {"lib/x/package.json": "{}", "lib/x/build/index.js": ""}
    assert "lib/x/build/index.js" in files(tmp_path, {}, {"lib/x": {}, "node_modules/x": link("lib/x")}, written)


def test_tarballs_beside_package_json_go_in(tmp_path: Path) -> None:
    packages = {"node_modules/x": {"version": "1.0.0", "resolved": "file:vendor/x-1.0.0.tgz"}}
    assert "vendor/x-1.0.0.tgz" in files(tmp_path, {}, packages, {"vendor/x-1.0.0.tgz": "", "vendor/y.tgz": ""})


def test_targets_of_development_are_left_out_even_when_missing(tmp_path: Path) -> None:
    packages = {"lib/x": {"dev": True}, "node_modules/x": link("lib/x")}
    assert files(tmp_path, {}, packages, {}) == ["package-lock.json", "package.json"]


def test_targets_that_need_each_other_are_no_trouble(tmp_path: Path) -> None:
    a = {"lib/a/package.json": '{"name":"a","dependencies":{"b":"file:../b"}}'}
    b = {"lib/b/package.json": '{"name":"b","dependencies":{"a":"file:../a"}}'}
    packages = {"lib/a": {}, "lib/b": {}, "node_modules/a": link("lib/a"), "node_modules/b": link("lib/b")}
    assert {"lib/a/package.json", "lib/b/package.json"} <= set(files(tmp_path, {}, packages, {**a, **b}))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("lib/gone", "is not there"),
        ("", "is the project itself"),
        (".", "is the project itself"),
        ("/etc", "leads out of the project"),
        ("lib/sneaky", "leads out of the project"),
    ],
)
def test_a_target_that_cannot_be_taken_along_is_refused(tmp_path: Path, target: str, words: str) -> None:
    write_project(tmp_path / "out")
    (tmp_path / "fn" / "lib").mkdir(parents=True)
    (tmp_path / "fn" / "lib" / "sneaky").symlink_to(tmp_path / "out")
    with pytest.raises(LambdapackError, match="LP003") as caught:
        files(tmp_path / "fn", {}, {target: {}, "node_modules/x": link(target)}, {})
    assert words in caught.value.detail
    assert "package-lock.json:" in caught.value.detail


def test_a_linked_target_brings_what_it_points_at(tmp_path: Path) -> None:
    write_project(tmp_path, files={"real/package.json": "{}"})
    (tmp_path / "lib").symlink_to("real")
    assert {"lib", "real/package.json"} <= set(files(tmp_path, {}, {"lib": {}, "node_modules/x": link("lib")}, {}))


def test_globs_add_files_but_never_node_modules_or_secrets(tmp_path: Path) -> None:
    written = {"config/a.json": "", "config/b.txt": "", "config/.npmrc": "", "node_modules/x/a.json": "", "a.json": ""}
    found = files(tmp_path, {}, {}, written, ("config/*.json",))
    assert [each for each in found if not each.startswith("package")] == ["config/a.json"]


def test_a_script_that_the_root_runs_goes_in(tmp_path: Path) -> None:
    scripts = {"postinstall": "node ./scripts/setup.js && node ../out.js", "prepare": "node scripts/dev.js"}
    found = files(
        tmp_path, {"scripts": scripts}, {}, {"scripts/setup.js": "", "scripts/dev.js": "", "scripts/c.js": ""}
    )
    assert [each for each in found if each.startswith("scripts")] == ["scripts/setup.js"]


def test_modes_are_those_of_any_umask(tmp_path: Path) -> None:
    project = read_dependencies(write_project(tmp_path, {}, lock_of({}), {"patches/a.sh": "", "patches/b": ""}))
    (tmp_path / "patches" / "a.sh").chmod(0o700)
    (tmp_path / "patches" / "b").chmod(0o600)
    modes = {path: entry.mode for path, entry in install_inputs(project).entries.items()}
    assert (modes["patches/a.sh"], modes["patches/b"], modes["package.json"]) == (0o755, 0o644, 0o644)


def test_a_root_with_a_binding_gyp_among_its_inputs_compiles(tmp_path: Path) -> None:
    project = read_dependencies(write_project(tmp_path, {}, lock_of({}), {"binding.gyp": "{}"}))
    without, inputs = install_inputs(project), install_inputs(project, ["/binding.gyp"])
    assert find_install_scripts(project, without, Architecture.ARM64).nothing
    assert find_install_scripts(project, inputs, Architecture.ARM64) == InstallScripts(root=("install",))
    assert json.loads(read_file(inputs, "package.json"))["scripts"] == {"install": "node-gyp rebuild"}
    assert "scripts" not in json.loads(read_file(without, "package.json"))
    assert project.manifest.install_scripts(has_gyp=True) == {"install": "node-gyp rebuild"}


def test_without_a_lockfile_there_is_nothing_to_install(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError, match="there is no lockfile"):
        install_inputs(read_dependencies(write_project(tmp_path)))
    assert file_targets(read_dependencies(tmp_path)) == ()
