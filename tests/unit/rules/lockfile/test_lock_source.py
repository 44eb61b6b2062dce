from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.rules.check import check_lockfile
from tests.projects import lock_of, write_project


def found(directory: Path, npm: str | None = "10.9.9") -> tuple[Finding, ...]:
    return check_lockfile(
        read_dependencies(directory), Target("nodejs22.x", Architecture.ARM64), npm, ManagerSettings()
    )


def only(directory: Path) -> Finding:
    (finding,) = found(directory)
    return finding


def test_a_sound_project_has_no_finding(tmp_path: Path) -> None:
    assert found(write_project(tmp_path, {}, lock_of({}))) == ()


@pytest.mark.proves("lock-missing")
def test_no_lockfile_is_told_with_the_command_that_makes_one(tmp_path: Path) -> None:
    finding = only(write_project(tmp_path))
    assert (finding.rule.name, finding.weight, finding.path) == ("lock-missing", Severity.ERROR, "package.json")
    assert "npm install --package-lock-only" in finding.cure


@pytest.mark.parametrize("lock", [{"lockfileVersion": 1, "dependencies": {}}, {}])
@pytest.mark.proves("lock-old")
def test_the_format_of_npm_6_is_told_with_the_command_that_renews_it(tmp_path: Path, lock: Mapping[str, Any]) -> None:
    finding = only(write_project(tmp_path, {"dependencies": {"a": "1"}}, lock))
    assert finding.rule.name == "lock-old"
    assert "--lockfile-version 3" in finding.cure


@pytest.mark.proves("lock-unknown")
def test_a_format_from_the_future_is_a_warning(tmp_path: Path) -> None:
    finding = only(write_project(tmp_path, {}, {**lock_of({}), "lockfileVersion": 4}))
    assert (finding.rule.name, finding.weight) == ("lock-unknown", Severity.WARNING)


@pytest.mark.parametrize(("name", "manager"), [("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm"), ("bun.lock", "bun")])
@pytest.mark.proves("lock-foreign")
@pytest.mark.spares("lock-missing")
def test_another_managers_lockfile_is_named_with_what_works_today(tmp_path: Path, name: str, manager: str) -> None:
    finding = only(write_project(tmp_path, files={name: ""}))
    assert (finding.rule.name, finding.path) == ("lock-foreign", name)
    assert manager in finding.message
    assert "lambdapack verify" in finding.cure
    assert "--no-install" in finding.cure


@pytest.mark.spares("lock-foreign")
def test_another_managers_lockfile_beside_npms_is_no_matter(tmp_path: Path) -> None:
    assert found(write_project(tmp_path, {}, lock_of({}), {"yarn.lock": ""})) == ()


@pytest.mark.proves("workspace-member")
def test_a_workspace_member_is_named_with_its_root(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, lock_of({}))
    finding = only(write_project(tmp_path / "fns" / "a", {"name": "a"}))
    assert finding.rule.name == "workspace-member"
    assert finding.message == f"a is the member fns/a of the workspace {tmp_path.resolve()}"
    assert f"`lambdapack build {tmp_path.resolve()} --handler fns/a/index.handler`" in finding.cure
    assert "--workspaces=false" in finding.cure


@pytest.mark.spares("workspace-member")
def test_a_project_inside_a_workspace_that_does_not_name_it_is_none_of_its_members(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, lock_of({}))
    assert found(write_project(tmp_path / "other" / "a", {"name": "a"}, lock_of({}))) == ()


def test_a_member_that_another_manager_keeps_is_not_told_to_run_npm(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, files={"yarn.lock": ""})
    finding = only(write_project(tmp_path / "fns" / "a"))
    assert "which yarn manages" in finding.message
    assert "--workspaces=false" not in finding.cure


@pytest.mark.proves("file-outside")
def test_a_file_target_outside_is_named_with_its_line(tmp_path: Path) -> None:
    lock = lock_of({"../x": {"version": "1.0.0"}, "node_modules/x": {"resolved": "../x", "link": True}})
    finding = only(write_project(tmp_path / "fn", {"dependencies": {"x": "file:../x"}}, lock))
    assert (finding.rule.name, finding.package, finding.path) == ("file-outside", "x", "package-lock.json")
    assert finding.line is not None
    text = (tmp_path / "fn" / "package-lock.json").read_text().splitlines()
    assert '"node_modules/x"' in text[finding.line - 1]


@pytest.mark.spares("lock-out-of-step")
def test_what_a_file_target_outside_wants_in_turn_is_no_second_finding(tmp_path: Path) -> None:
    outside = {"version": "1.0.0", "dependencies": {"ms": "^2.1.3"}}
    lock = lock_of({"../x": outside, "node_modules/x": {"resolved": "../x", "link": True}})
    assert only(write_project(tmp_path / "fn", {"dependencies": {"x": "file:../x"}}, lock)).rule.name == "file-outside"


@pytest.mark.spares("file-outside")
def test_a_file_target_outside_for_development_is_left_alone(tmp_path: Path) -> None:
    # npm ci --omit=dev of 10.9.9, 11.19.1 and 12.2.0 ends well without the directory (tried 2026-11).
    lock = lock_of({"../x": {"dev": True}, "node_modules/x": {"resolved": "../x", "link": True}})
    assert found(write_project(tmp_path / "fn", {"devDependencies": {"x": "file:../x"}}, lock)) == ()


@pytest.mark.parametrize("spec", ["workspace:*", "catalog:", "link:../x", "portal:../x", "patch:a@1#b"])
@pytest.mark.proves("foreign-protocol")
def test_protocols_that_npm_lacks_are_named_at_their_line(tmp_path: Path, spec: str) -> None:
    lock = lock_of({"node_modules/a": {"version": "1.0.0"}})
    finding = only(write_project(tmp_path, {"dependencies": {"a": spec}}, lock))
    assert (finding.rule.name, finding.path, finding.package) == ("foreign-protocol", "package.json", "a")
    assert finding.line == 5


@pytest.mark.proves("lock-loopback")
def test_a_lock_made_with_a_registry_on_this_machine_is_told_once(tmp_path: Path) -> None:
    packages = {
        f"node_modules/{name}": {"version": "1.0.0", "resolved": f"http://localhost:4873/{name}/-/{name}-1.0.0.tgz"}
        for name in ("a", "b")
    }
    project = read_dependencies(write_project(tmp_path, {}, lock_of(packages)))
    target = Target("nodejs22.x", Architecture.ARM64)
    (finding,) = check_lockfile(project, target, None, ManagerSettings())
    assert finding.rule.name == "lock-loopback"
    assert finding.message == "node_modules/a is fetched from localhost, and 1 more are"
    for host in ("always", "localhost"):
        assert check_lockfile(project, target, None, ManagerSettings(replaced_host=host)) == ()


@pytest.mark.parametrize("resolved", ["https://r.example/a.tgz", "git+ssh://git@localhost/a.git", "http://[::1", ""])
@pytest.mark.spares("lock-loopback")
def test_other_places_are_npms_matter(tmp_path: Path, resolved: str) -> None:
    lock = lock_of({"node_modules/a": {"version": "1.0.0", "resolved": resolved}})
    assert found(write_project(tmp_path, {}, lock)) == ()
