from pathlib import Path

import pytest

from lambdapack.install.writers import AllowedWrite, ScriptWriter, WriteRules, describe_changes, package_directories
from lambdapack.managers.lock import Lock, LockedPackage
from lambdapack.tree.compose import MemoryTree

TREE = MemoryTree(
    dict.fromkeys(
        (
            "node_modules/a/package.json",
            "node_modules/a/node_modules/b/package.json",
            "node_modules/a/node_modules/bundled/package.json",
            "node_modules/a/test/package.json",
            "node_modules/@scope/c/package.json",
            "node_modules/@scope/package.json",
            "lib/addon/package.json",
        ),
        b"{}",
    )
)
PACKAGES = (
    LockedPackage("1", "bundled", "1.0.0", 1, "node_modules/a/node_modules/bundled", in_bundle=True),
    LockedPackage("2", "addon", "1.0.0", 1, "node_modules/addon", link=True, local="lib/addon"),
)
LOCK = Lock("npm", Path("package-lock.json"), 3, {package.id: package for package in PACKAGES}, {}, {})
A = ScriptWriter("a@1.0.0", "a", "node_modules/a")


def test_packages_are_found_where_they_are_installed_or_linked() -> None:
    assert package_directories(TREE, LOCK) == {
        "node_modules/a",
        "node_modules/a/node_modules/b",
        "node_modules/@scope/c",
        "lib/addon",
    }


@pytest.mark.parametrize(
    ("path", "admitted"),
    [
        ("node_modules/a/build/Release/a.node", True),
        ("node_modules/a/node_modules/bundled/index.js", True),
        ("node_modules/a/node_modules/new/index.js", True),
        ("node_modules/a/node_modules/b/index.js", False),
        ("node_modules/@scope/c/index.js", False),
        ("node_modules/ab/index.js", False),
        ("node_modules/new/index.js", False),
        ("node_modules/.bin/a", False),
        ("node_modules/.cache/a/x", True),
        ("index.js", False),
        ("lib/addon/x", False),
    ],
)
def test_a_package_writes_in_its_own_directory(path: str, admitted: bool) -> None:
    assert WriteRules(package_directories(TREE, LOCK)).admits(A, path) is admitted


def test_what_the_user_allows_and_what_is_known_is_admitted() -> None:
    rules = WriteRules(package_directories(TREE, LOCK), (AllowedWrite("a", "generated/*.js", "why"),))
    assert rules.admits(A, "generated/x.js")
    assert not rules.admits(A, "generated/x.json")
    assert not rules.admits(ScriptWriter("c@1", "@scope/c", "node_modules/@scope/c"), "generated/x.js")
    prisma = ScriptWriter("@prisma/client@6.0.0", "@prisma/client", "node_modules/@prisma/client")
    assert rules.admits(prisma, "node_modules/.prisma/client/index.js")
    assert not rules.admits(A, "node_modules/.prisma/client/index.js")


def test_the_projects_own_scripts_write_anywhere() -> None:
    assert WriteRules(package_directories(TREE, LOCK)).admits(ScriptWriter("postinstall"), "node_modules/a/index.js")


def test_many_changes_are_counted() -> None:
    assert describe_changes({"b": "made", "a": "changed", "c": "removed"}, most=2) == "changed a, made b and 1 more"
