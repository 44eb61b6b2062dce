from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Finding, Target
from lambdapack.rules.check import check_lockfile
from tests.projects import lock_of, write_project

A = {"version": "1.2.3", "resolved": "https://r.example/a/-/a-1.2.3.tgz"}


def findings(
    directory: Path, manifest: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]], *, legacy: bool = False
) -> tuple[Finding, ...]:
    project = read_dependencies(write_project(directory, manifest, lock_of(packages)))
    target = Target("nodejs22.x", Architecture.X86_64)
    found = check_lockfile(project, target, None, ManagerSettings(legacy_peer_deps=legacy))
    return tuple(each for each in found if each.rule.name == "lock-out-of-step")


def messages(*args: Any, **kwargs: Any) -> list[str]:
    return [each.message for each in findings(*args, **kwargs)]


@pytest.mark.parametrize("section", ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"])
@pytest.mark.proves("lock-out-of-step")
def test_what_package_json_wants_and_the_lock_lacks_is_missing(tmp_path: Path, section: str) -> None:
    (finding,) = findings(tmp_path, {section: {"a": "^1"}}, {})
    assert finding.message == "Missing: a@^1 from lock file (required by package.json)"
    assert (finding.path, finding.line) == ("package.json", 5)
    assert finding.cure == "Run `npm install --package-lock-only` and commit package-lock.json."


@pytest.mark.parametrize(
    "spec",
    [
        "^1.2.0",
        "1.2.3",
        "*",
        "",
        "latest",
        "1 || 2",
        "npm:a@^1",
        "https://r.example/a.tgz",
        "github:me/a",
        "me/a",
        "git+ssh://g/a.git",
    ],
)
@pytest.mark.spares("lock-out-of-step", "foreign-protocol")
def test_a_wish_that_the_entry_meets_or_that_text_cannot_decide_is_fine(tmp_path: Path, spec: str) -> None:
    assert messages(tmp_path, {"dependencies": {"a": spec}}, {"node_modules/a": A}) == []


@pytest.mark.parametrize("spec", ["^2", "1.2.4", "<1", "npm:b@^1", "npm:a@2"])
def test_a_wish_that_the_entry_does_not_meet_is_invalid(tmp_path: Path, spec: str) -> None:
    assert messages(tmp_path, {"dependencies": {"a": spec}}, {"node_modules/a": A}) == [
        f"Invalid: lock file's a@1.2.3 does not satisfy a@{spec} (required by package.json)"
    ]


def test_an_entry_that_nobody_wants_any_more_is_fine(tmp_path: Path) -> None:
    assert messages(tmp_path, {}, {"node_modules/a": {**A, "dependencies": {"gone": "1"}}}) == []


def test_a_dependency_of_a_dependency_is_missing_at_the_line_of_its_owner(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, {"dependencies": {"a": "1"}}, {"node_modules/a": {**A, "dependencies": {"b": "2"}}})
    assert finding.message == "Missing: b@2 from lock file (required by node_modules/a)"
    text = (tmp_path / "package-lock.json").read_text().splitlines()
    assert '"node_modules/a"' in text[(finding.line or 0) - 1]


def test_lookups_climb_as_node_does(tmp_path: Path) -> None:
    packages = {
        "node_modules/a": {**A, "dependencies": {"b": "1", "c": "1"}},
        "node_modules/a/node_modules/b": {"version": "1.0.0", "dependencies": {"c": "1"}},
        "node_modules/c": {"version": "1.0.0"},
    }
    assert messages(tmp_path, {"dependencies": {"a": "1"}}, packages) == []


def test_optional_wishes_of_dependencies_are_the_platform_rules_matter(tmp_path: Path) -> None:
    packages = {"node_modules/a": {**A, "optionalDependencies": {"b": "1"}, "dependencies": {"b": "1"}}}
    assert messages(tmp_path, {"dependencies": {"a": "1"}}, packages) == []


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ({"peerDependencies": {"p": "1"}}, True),
        ({"peerDependencies": {"p": "1"}, "peerDependenciesMeta": {"p": {"optional": True}}}, False),
        ({"dependencies": {"p": "1"}, "bundleDependencies": ["p"]}, False),
        ({"dependencies": {"p": "1"}, "inBundle": True}, True),
        ({"dependencies": {"p": "1"}, "hasShrinkwrap": True}, False),
        ({"dependencies": {"p": "1"}, "optional": True, "os": ["win32"]}, True),
    ],
)
def test_missing_means_what_npm_means(tmp_path: Path, entry: Mapping[str, Any], missing: bool) -> None:
    # Each row was tried with npm 10.9.9 and 11.19.1 (2026-11), hasShrinkwrap read in arborist's build-ideal-tree.js.
    assert bool(messages(tmp_path, {"dependencies": {"a": "1"}}, {"node_modules/a": {**A, **entry}})) is missing


def test_missing_peers_are_fine_with_legacy_peer_deps_and_told_with_it_otherwise(tmp_path: Path) -> None:
    packages = {"node_modules/a": {**A, "peerDependencies": {"p": "1"}}}
    (finding,) = findings(tmp_path / "one", {"dependencies": {"a": "1"}}, packages)
    assert "legacy-peer-deps" in finding.cure
    assert messages(tmp_path / "two", {"dependencies": {"a": "1"}}, packages, legacy=True) == []


def test_overridden_packages_are_left_to_npm(tmp_path: Path) -> None:
    manifest = {"dependencies": {"a": "^2", "@s/b": "^2"}, "overrides": {"x": {"a@1": "1.2.3", "@s/b": "1.0.0"}}}
    packages = {"node_modules/a": A, "node_modules/@s/b": {"version": "1.0.0"}}
    assert messages(tmp_path, manifest, packages) == []


def test_a_link_is_followed_to_its_target(tmp_path: Path) -> None:
    packages = {
        "lib/x": {"version": "1.0.0", "dependencies": {"b": "1"}},
        "node_modules/x": {"resolved": "lib/x", "link": True},
    }
    assert messages(tmp_path, {"dependencies": {"x": "file:lib/x"}}, packages) == [
        "Missing: b@1 from lock file (required by lib/x)"
    ]


def test_circles_end(tmp_path: Path) -> None:
    packages = {
        "node_modules/a": {**A, "dependencies": {"b": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1"}},
    }
    assert messages(tmp_path, {"dependencies": {"a": "1"}}, packages) == []


def test_the_lockfile_of_another_project_gives_a_list_that_ends(tmp_path: Path) -> None:
    found = findings(tmp_path, {"dependencies": {f"p{number}": "1" for number in range(100)}}, {})
    assert len(found) == 20
    assert found[-1].message.startswith("81 more packages are missing or invalid")
