from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Target
from lambdapack.rules.check import check_lockfile
from tests.projects import lock_of, real_lock, write_project


def findings(
    directory: Path,
    manifest: Mapping[str, Any],
    lock: Mapping[str, Any],
    npm: str | None,
    settings: ManagerSettings | None = None,
) -> list[Finding]:
    project = read_dependencies(write_project(directory, manifest, lock))
    return list(check_lockfile(project, Target("nodejs24.x", Architecture.ARM64), npm, settings or ManagerSettings()))


SHARP = {"dependencies": {"sharp": "0.34.5"}}


@pytest.mark.parametrize("npm", ["10.9.9", "11.19.1", None])
@pytest.mark.spares("scripts-skipped")
def test_npm_before_12_runs_the_scripts(tmp_path: Path, npm: str | None) -> None:
    assert findings(tmp_path, SHARP, real_lock("sharp-0.34.5"), npm) == []


@pytest.mark.proves("scripts-skipped")
def test_npm_12_skips_what_nobody_allowed(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, SHARP, real_lock("sharp-0.34.5"), "12.2.0")
    assert (finding.rule.name, finding.package) == ("scripts-skipped", "sharp")
    assert "npm pkg set 'allowScripts[sharp]=true' --json" in finding.cure


@pytest.mark.parametrize(
    ("allow", "covered"),
    [
        ({"sharp": True}, True), ({"sharp@0.34.5": True}, True), ({"sharp@0.1.0 || 0.34.5": True}, True),
        ({"sharp@*": True}, True), ({"sharp": False}, True), ({"sharp@0.34.4": True}, False),
        ({"sharp@^0.34.0": True}, False), ({"sharp@latest": True}, False), ({"other": True}, False), ({}, False),
        ({"sharp": "yes"}, False), ([], False),
    ],
)  # fmt: skip
def test_allow_scripts_means_what_it_means_to_npm(tmp_path: Path, allow: object, covered: bool) -> None:
    found = findings(tmp_path, {**SHARP, "allowScripts": allow}, real_lock("sharp-0.34.5"), "12.2.0")
    assert (found == []) is covered


@pytest.mark.parametrize(
    "settings",
    [
        ManagerSettings(allow_scripts=("sharp",)),
        ManagerSettings(allow_all_scripts=True),
        ManagerSettings(ignore_scripts=True),
    ],
)
def test_npmrc_allows_as_well(tmp_path: Path, settings: ManagerSettings) -> None:
    assert findings(tmp_path, SHARP, real_lock("sharp-0.34.5"), "12.2.0", settings) == []


def test_package_json_goes_before_npmrc(tmp_path: Path) -> None:
    manifest = {**SHARP, "allowScripts": {"other": True}}
    assert findings(tmp_path, manifest, real_lock("sharp-0.34.5"), "12.2.0", ManagerSettings(allow_scripts=("sharp",)))


def test_packages_for_other_platforms_and_for_development_do_not_count(tmp_path: Path) -> None:
    packages: dict[str, dict[str, Any]] = {
        "node_modules/fsevents": {"version": "2.3.3", "hasInstallScript": True, "os": ["darwin"], "optional": True},
        "node_modules/tool": {"version": "1.0.0", "hasInstallScript": True, "dev": True},
        "node_modules/x86": {"version": "1.0.0", "hasInstallScript": True, "cpu": ["x64"]},
        "node_modules/bundled": {"version": "1.0.0", "hasInstallScript": True, "inBundle": True},
        "node_modules/other": {"version": "1.0.0", "hasInstallScript": True, "os": ["!win32"], "cpu": ["any"]},
    }
    assert [each.package for each in findings(tmp_path, {}, lock_of(packages), "12.2.0")] == ["other"]


@pytest.mark.parametrize(("key", "covered"), [("file:lib/x", True), ("./lib/x", True), ("x", False), ("lib/x", False)])
def test_a_file_target_is_allowed_by_its_path(tmp_path: Path, key: str, covered: bool) -> None:
    link = {"resolved": "lib/x", "link": True}
    lock = lock_of({"lib/x": {"hasInstallScript": True}, "node_modules/x": link})
    manifest = {"dependencies": {"x": "file:lib/x"}, "allowScripts": {key: True}}
    assert (findings(tmp_path, manifest, lock, "12.2.0") == []) is covered


TOOLS: dict[str, dict[str, Any]] = {
    "node_modules/prisma": {"version": "6.0.0", "dev": True, "bin": {"prisma": "build/index.js"}},
    "node_modules/husky": {"version": "9.0.0", "dev": True, "bin": {"husky": "bin.js"}},
    "node_modules/patch-package": {"version": "8.0.0", "bin": {"patch-package": "index.js"}},
    "node_modules/patch-package/node_modules/deep": {"version": "1.0.0", "dev": True, "bin": {"deep": "d.js"}},
}


@pytest.mark.parametrize(
    ("script", "tools"),
    [
        pytest.param("prisma generate", ["prisma"], marks=pytest.mark.proves("script-needs-dev")),
        ("npx prisma generate", ["prisma"]),
        ("node_modules/.bin/prisma generate", ["prisma"]),
        ("CI=1 prisma generate && husky", ["prisma", "husky"]),
        pytest.param("prisma generate || true", [], marks=pytest.mark.spares("script-needs-dev")),
        ("patch-package", []),
        ("node scripts/prisma", []),
        ("echo prisma", []),
        ("deep", []),
        ("", []),
    ],
)
def test_a_root_script_that_calls_a_dev_tool_is_named(tmp_path: Path, script: str, tools: list[str]) -> None:
    found = findings(tmp_path, {"scripts": {"postinstall": script, "prepare": "husky"}}, lock_of(TOOLS), "10.9.9")
    assert [(each.rule.name, each.package) for each in found] == [("script-needs-dev", tool) for tool in tools]
    assert all(each.path == "package.json" and each.line == 5 for each in found)
    assert all(f"npm install --save-prod {each.package}" in each.cure for each in found)


@pytest.mark.parametrize(
    ("script", "guarded"),
    [
        ("husky", True),
        ("prisma generate", False),
        ("husky && prisma generate", False),
    ],
)
def test_a_guard_is_offered_for_what_changes_nothing_that_ships(tmp_path: Path, script: str, guarded: bool) -> None:
    found = findings(tmp_path, {"scripts": {"postinstall": script}}, lock_of(TOOLS), "10.9.9")
    assert all("npm install --save-prod" in finding.cure for finding in found)
    assert {"|| true" in finding.cure for finding in found} == {guarded}
