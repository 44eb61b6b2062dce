import json
from pathlib import Path
from typing import Any

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.lock import Lock
from lambdapack.managers.npm.lockfile import find_lockfile, parse_lock
from tests.projects import LOCKS, lock_of, real_lock


def read(directory: Path, lock: Any, name: str = "package-lock.json") -> Lock:
    (directory / name).write_text(json.dumps(lock, indent=2))
    path = find_lockfile(directory)
    assert path is not None
    return parse_lock(path.read_text(), path)


def test_no_lockfile_is_none(tmp_path: Path) -> None:
    assert find_lockfile(tmp_path) is None


def test_a_real_lockfile_gives_platforms_scripts_and_lines(tmp_path: Path) -> None:
    lock = read(tmp_path, real_lock("sharp-0.34.5"))
    sharp = lock.packages["node_modules/sharp"]
    arm = lock.packages["node_modules/@img/sharp-linux-arm64"]
    assert lock.version == 3
    assert (sharp.name, sharp.version, sharp.has_install_script) == ("sharp", "0.34.5", True)
    assert (arm.name, arm.os, arm.cpu, arm.libc, arm.optional) == (
        "@img/sharp-linux-arm64", ("linux",), ("arm64",), ("glibc",), True,
    )  # fmt: skip
    lines = (LOCKS / "sharp-0.34.5.json").read_text().splitlines()
    assert len(lock.packages) == len(real_lock("sharp-0.34.5")["packages"])
    assert all(f'"{path}": {{' in lines[each.line - 1] for path, each in lock.packages.items())


def test_shrinkwrap_goes_before_package_lock_as_in_npm(tmp_path: Path) -> None:
    read(tmp_path, lock_of({"node_modules/a": {}}))
    assert list(read(tmp_path, lock_of({"node_modules/b": {}}), "npm-shrinkwrap.json").packages) == [
        "",
        "node_modules/b",
    ]


def test_version_one_is_read_as_such(tmp_path: Path) -> None:
    lock = read(tmp_path, {"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}}})
    assert (lock.version, dict(lock.packages)) == (1, {})


def test_a_lockfile_without_a_version_counts_as_npm_counts_it(tmp_path: Path) -> None:
    assert read(tmp_path, {"packages": {}}).version == 3
    assert read(tmp_path, {}).version == 1


def test_an_alias_has_the_name_that_it_stands_for(tmp_path: Path) -> None:
    lock = read(tmp_path, lock_of({"node_modules/old": {"name": "@real/pkg", "version": "1.0.0"}}))
    assert lock.packages["node_modules/old"].name == "@real/pkg"


def test_nested_and_scoped_places_give_the_package_name(tmp_path: Path) -> None:
    lock = read(tmp_path, lock_of({"node_modules/a/node_modules/@s/b": {}, "lib/x": {}}))
    assert [each.name for path, each in lock.packages.items() if path] == ["@s/b", "x"]


def test_a_link_takes_flags_and_scripts_from_its_target(tmp_path: Path) -> None:
    target = {"version": "2.0.0", "dev": True, "hasInstallScript": True, "bin": {"tool": "t.js"}}
    lock = read(tmp_path, lock_of({"lib/x": target, "node_modules/x": {"resolved": "lib/x", "link": True}}))
    link = lock.packages["node_modules/x"]
    assert (link.version, link.dev, link.has_install_script, link.commands) == ("2.0.0", True, True, ("tool",))
    assert lock.production == ()


def test_production_is_what_is_not_dev(tmp_path: Path) -> None:
    packages = {"node_modules/a": {}, "node_modules/b": {"dev": True}, "node_modules/c": {"devOptional": True}}
    assert [each.name for each in read(tmp_path, lock_of(packages)).production] == ["a", "c"]


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ({"lockfileVersion": "3", "packages": {}}, "lockfileVersion"),
        ({"lockfileVersion": 3, "packages": []}, '"packages" is not an object'),
        (
            {"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": 7}},
            'the entry "node_modules/a" is not an object',
        ),
    ],
)
def test_what_npm_could_not_read_is_refused(tmp_path: Path, lock: Any, words: str) -> None:
    with pytest.raises(LambdapackError, match="LP003") as caught:
        read(tmp_path, lock)
    assert words in caught.value.detail


def test_odd_field_types_are_passed_over(tmp_path: Path) -> None:
    odd = {"os": "linux", "cpu": [1, "x64"], "engines": ["node >= 4"], "dependencies": [], "bin": 3, "version": 7,
           "peerDependenciesMeta": {"p": True}, "bundleDependencies": True}  # fmt: skip
    found = read(tmp_path, lock_of({"node_modules/a": odd})).packages["node_modules/a"]
    assert (found.os, found.cpu, found.engines_node, found.version) == (("linux",), ("x64",), "", "")


@pytest.mark.parametrize(
    ("resolved", "target"),
    [("lib/x", "lib/x"), ("./lib/../lib/x", "lib/x"), ("../x", "../x"), ("", ""), (".", ""), ("lib\\x", "lib/x")],
)
def test_a_link_points_where_npm_would_go(tmp_path: Path, resolved: str, target: str) -> None:
    lock = read(tmp_path, lock_of({"node_modules/x": {"resolved": resolved, "link": True}}))
    assert lock.packages["node_modules/x"].local == target
