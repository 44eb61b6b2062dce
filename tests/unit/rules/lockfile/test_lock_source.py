from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Severity, Target
from lambdapack.project.site import read_site
from lambdapack.rules.check import check_lockfile
from lambdapack.rules.lockfile.ready_tree import check_ready_tree
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


@pytest.mark.parametrize(("name", "manager"), [("bun.lock", "bun"), ("bun.lockb", "bun")])
@pytest.mark.proves("lock-foreign")
@pytest.mark.spares("lock-missing")
def test_another_managers_lockfile_is_named_with_what_works_today(tmp_path: Path, name: str, manager: str) -> None:
    finding = only(write_project(tmp_path, files={name: ""}))
    assert (finding.rule.name, finding.path) == ("lock-foreign", name)
    assert manager in finding.message
    assert "lambdapack verify" in finding.cure
    assert "--no-install" in finding.cure


@pytest.mark.proves("two-locks")
def test_two_locks_are_an_error_with_both_cures(tmp_path: Path) -> None:
    finding = only(write_project(tmp_path, {}, lock_of({}), {"yarn.lock": ""}))
    assert (finding.rule.name, finding.weight) == ("two-locks", Severity.ERROR)
    assert "npm pkg set packageManager" in finding.cure


@pytest.mark.spares("two-locks", "lock-foreign", "lock-of-another-manager")
def test_of_two_locks_the_one_of_the_named_manager_counts(tmp_path: Path) -> None:
    manifest = {"packageManager": "npm@10.9.9"}
    assert found(write_project(tmp_path, manifest, lock_of({}), {"yarn.lock": ""})) == ()


@pytest.mark.proves("lock-of-another-manager")
def test_a_lock_of_another_manager_than_the_named_one_is_refused(tmp_path: Path) -> None:
    finding = only(write_project(tmp_path, {"packageManager": "pnpm@10.34.9"}, lock_of({})))
    assert (finding.rule.name, finding.path) == ("lock-of-another-manager", "package-lock.json")
    assert "`pnpm install`" in finding.cure


@pytest.mark.proves("lock-old")
def test_an_old_lock_of_pnpm_is_told_with_the_command_that_renews_it(tmp_path: Path) -> None:
    finding = only(write_project(tmp_path, files={"pnpm-lock.yaml": "lockfileVersion: 5.4\n"}))
    assert finding.rule.name == "lock-old"
    assert "npx pnpm@10 install --lockfile-only" in finding.cure


@pytest.mark.proves("plug-n-play")
def test_yarn_without_node_modules_is_told_the_setting(tmp_path: Path) -> None:
    (finding,) = seen(
        write_project(tmp_path, files={"yarn.lock": "__metadata:\n  version: 8\n", "index.js": ""}), "index.handler"
    )
    assert finding.rule.name == "plug-n-play"


@pytest.mark.proves("workspace-member")
def test_a_handler_of_a_pnpm_member_is_built_in_its_directory(tmp_path: Path) -> None:
    lock = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n  packages/thumb: {}\n"
    write_project(tmp_path, files={"pnpm-workspace.yaml": "packages: [packages/*]\n", "pnpm-lock.yaml": lock})
    write_project(tmp_path / "packages" / "thumb", MEMBER, files={"src/thumb.js": ""})
    (finding,) = seen(tmp_path, "packages/thumb/src/thumb.handler")
    assert finding.rule.name == "workspace-member"
    assert f"lambdapack build {tmp_path.resolve()}/packages/thumb --handler src/thumb.handler" in finding.cure


@pytest.mark.proves("workspace-member")
def test_a_workspace_member_is_named_with_its_root(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, lock_of({}))
    finding = only(write_project(tmp_path / "fns" / "a", {"name": "a"}))
    assert finding.rule.name == "workspace-member"
    assert finding.message.startswith(f"a is the member fns/a of the workspace {tmp_path.resolve()}")
    assert f"`npm install --package-lock-only --prefix {tmp_path.resolve()}`" in finding.cure
    assert "--workspaces=false" in finding.cure


@pytest.mark.spares("workspace-member")
@pytest.mark.spares("lock-out-of-step")
def test_a_member_that_the_lock_knows_has_no_finding(tmp_path: Path) -> None:
    packages: dict[str, dict[str, Any]] = {
        "fns/a": {"name": "a", "version": "1.0.0"},
        "node_modules/a": {"resolved": "fns/a", "link": True},
    }
    write_project(tmp_path, {"workspaces": ["fns/*"]}, lock_of(packages))
    assert found(write_project(tmp_path / "fns" / "a", {"name": "a"})) == ()


@pytest.mark.spares("workspace-member")
def test_a_project_inside_a_workspace_that_does_not_name_it_is_none_of_its_members(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, lock_of({}))
    assert found(write_project(tmp_path / "other" / "a", {"name": "a"}, lock_of({}))) == ()


def test_a_member_that_another_manager_keeps_is_not_told_to_run_npm(tmp_path: Path) -> None:
    write_project(tmp_path, {"workspaces": ["fns/*"]}, files={"bun.lock": ""})
    finding = only(write_project(tmp_path / "fns" / "a"))
    assert "which bun manages" in finding.message
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


OUTSIDE: Mapping[str, Mapping[str, Any]] = {
    "../x": {"version": "1.0.0"},
    "node_modules/x": {"resolved": "../x", "link": True},
}


@pytest.mark.proves("local-dependency-unlocked")
def test_what_a_package_beside_the_project_needs_has_to_be_locked(tmp_path: Path) -> None:
    write_project(tmp_path / "x", {"name": "x", "dependencies": {"ms": "^2.1.3"}})
    finding = only(write_project(tmp_path / "fn", {"dependencies": {"x": "file:../x"}}, lock_of(OUTSIDE)))
    assert (finding.rule.name, finding.package) == ("local-dependency-unlocked", "x")
    assert "needs ms@^2.1.3" in finding.message


@pytest.mark.spares("local-dependency-unlocked")
@pytest.mark.spares("file-outside")
def test_a_package_beside_the_project_may_need_what_the_project_locks(tmp_path: Path) -> None:
    write_project(tmp_path / "x", {"name": "x", "dependencies": {"ms": "^2.1.3"}})
    lock = lock_of({**OUTSIDE, "node_modules/ms": {"version": "2.1.3"}})
    assert found(write_project(tmp_path / "fn", {"dependencies": {"x": "file:../x", "ms": "2.1.3"}}, lock)) == ()


def test_a_package_beside_the_project_may_have_a_lock_of_its_own(tmp_path: Path) -> None:
    write_project(tmp_path / "x", {"name": "x", "dependencies": {"ms": "^2.1.3"}}, lock_of({}))
    assert found(write_project(tmp_path / "fn", {"dependencies": {"x": "file:../x"}}, lock_of(OUTSIDE))) == ()


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


@pytest.mark.parametrize("resolved", ["https://r.example/a.tgz", "http://[::1", ""])
@pytest.mark.spares("lock-loopback")
def test_other_places_are_npms_matter(tmp_path: Path, resolved: str) -> None:
    lock = lock_of({"node_modules/a": {"version": "1.0.0", "resolved": resolved}})
    assert found(write_project(tmp_path, {}, lock)) == ()


def seen(directory: Path, handler: str) -> tuple[Finding, ...]:
    """The findings of a project whose surroundings were read, as a build reads them."""
    source = read_dependencies(directory)
    target = Target("nodejs22.x", Architecture.ARM64)
    site = read_site(source.repository, directory, handler)
    return check_lockfile(source, target, "10.9.9", ManagerSettings(), handler, site)


MEMBER = {"name": "@shop/thumb", "main": "src/thumb.js", "dependencies": {"sharp": "^0.34.0"}}


def test_a_lock_of_npm_beside_the_members_of_pnpm_is_refused(tmp_path: Path) -> None:
    files = {"pnpm-workspace.yaml": "packages:\n  - packages/*\n"}
    write_project(tmp_path, {"devDependencies": {}}, lock_of({}), files)
    write_project(tmp_path / "packages" / "thumb", MEMBER, files={"src/thumb.js": ""})
    (finding,) = seen(tmp_path, "packages/thumb/src/thumb.handler")
    assert (finding.rule.name, finding.path) == ("lock-foreign", "package-lock.json")
    (tmp_path / "pnpm-lock.yaml").write_text("")
    (finding,) = seen(tmp_path, "packages/thumb/src/thumb.handler")
    assert finding.rule.name == "two-locks"


@pytest.mark.proves("lock-out-of-step")
def test_a_nested_package_that_the_lock_does_not_know_is_built_in_its_own_directory(tmp_path: Path) -> None:
    write_project(tmp_path, {}, lock_of({}))
    write_project(tmp_path / "functions" / "resize", {"dependencies": {"nanoid": "^3"}}, files={"index.js": ""})
    (finding,) = seen(tmp_path, "functions/resize/index.handler")
    assert (finding.rule.name, finding.weight) == ("lock-out-of-step", Severity.WARNING)
    assert f"lambdapack build {tmp_path.resolve()}/functions/resize --handler index.handler" in finding.cure


@pytest.mark.parametrize(
    "nested", [{}, {"type": "module"}, {"dependencies": {"a": "1"}}, {"dependencies": {"@aws-sdk/x": "3"}}]
)
@pytest.mark.spares("lock-out-of-step", "lock-foreign")
def test_a_nested_package_json_whose_dependencies_the_root_has_is_no_matter(
    tmp_path: Path, nested: Mapping[str, Any]
) -> None:
    root = {"dependencies": {"a": "1"}}
    write_project(tmp_path, root, lock_of({"node_modules/a": {"version": "1.0.0"}}, root))
    write_project(tmp_path / "src", nested, files={"index.js": ""})
    assert seen(tmp_path, "src/index.handler") == ()


@pytest.mark.parametrize(
    ("resolved", "severity"),
    [
        pytest.param(
            "git+ssh://git@git.example/a.git#0123", Severity.ERROR, marks=pytest.mark.proves("git-dependency")
        ),
        ("git+ssh://git@github.com/a/a.git#0123", Severity.WARNING),
        ("git+https://git.example/a.git#0123", Severity.WARNING),
        pytest.param("https://r.example/a.tgz", None, marks=pytest.mark.spares("git-dependency")),
    ],
)
def test_what_git_fetches_is_named_before_any_container(
    tmp_path: Path, resolved: str, severity: Severity | None
) -> None:
    lock = lock_of({"node_modules/a": {"version": "1.0.0", "resolved": resolved}})
    findings = found(write_project(tmp_path, {}, lock))
    assert [finding.weight for finding in findings] == ([severity] if severity else [])
    assert all("npm pack" in finding.cure for finding in findings)


def ready(directory: Path, handler: str = "index.handler") -> list[str]:
    source = read_dependencies(directory)
    return [finding.rule.name for finding in check_ready_tree(source, read_site(source.repository, directory, handler))]


BERRY = "__metadata:\n  version: 8\n"
DEPENDS = {"dependencies": {"a": "1"}}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"yarn.lock": BERRY, ".pnp.cjs": ""}, marks=pytest.mark.proves("plug-n-play")),
        {"yarn.lock": BERRY},
        {"yarn.lock": BERRY, ".yarnrc.yml": "nodeLinker: pnp\n"},
    ],
)
def test_plug_n_play_has_nothing_to_pack(tmp_path: Path, files: Mapping[str, str]) -> None:
    assert ready(write_project(tmp_path, DEPENDS, files=files)) == ["plug-n-play"]


@pytest.mark.parametrize(
    ("manifest", "files"),
    [
        pytest.param(
            DEPENDS,
            {"yarn.lock": BERRY, ".yarnrc.yml": "nodeLinker: node-modules\n"},
            marks=pytest.mark.spares("plug-n-play"),
        ),
        (DEPENDS, {"yarn.lock": BERRY, ".yarnrc.yml": "nodeLinker: 'pnpm'\n"}),
        (DEPENDS, {"yarn.lock": BERRY, "node_modules/a/package.json": "{}"}),
        (DEPENDS, {"yarn.lock": "# yarn lockfile v1\n"}),
        ({}, {"yarn.lock": BERRY}),
    ],
)
def test_other_ways_of_yarn_make_a_node_modules(
    tmp_path: Path, manifest: Mapping[str, Any], files: Mapping[str, str]
) -> None:
    assert ready(write_project(tmp_path, manifest, files=files)) == []
