import json
from collections.abc import Mapping

import pytest

from lambdapack.managers.relocate import RelocatedTree, with_portable_manifests
from lambdapack.model import Architecture
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import EntryKind, read_file


def tree_of(packages: Mapping[str, Mapping[str, object]], links: Mapping[str, str] | None = None) -> MemoryTree:
    files = {f"{path}/package.json".lstrip("/"): json.dumps(manifest).encode() for path, manifest in packages.items()}
    return MemoryTree(files, links=links)


def versions(tree: RelocatedTree) -> dict[str, str]:
    manifests = [path for path in tree.entries if path.endswith("/package.json")]
    return {path.removesuffix("/package.json"): json.loads(read_file(tree, path))["version"] for path in manifests}


def moved(tree: MemoryTree, member: str = "packages/a") -> RelocatedTree:
    return RelocatedTree(tree, member, Architecture.ARM64)


def package(version: str = "1.0.0", **needs: str) -> dict[str, object]:
    return {"version": version, "dependencies": {name.replace("_", "-"): spec for name, spec in needs.items()}}


def test_a_member_has_its_closure_and_nothing_else() -> None:
    tree = tree_of(
        {
            "packages/a": package(x="1"),
            "packages/b": package(z="1"),
            "node_modules/x": package(y="1"),
            "node_modules/y": package(),
            "node_modules/z": package(),
        }
    )
    assert versions(moved(tree)) == {"node_modules/x": "1.0.0", "node_modules/y": "1.0.0"}


def test_a_members_own_version_does_not_reach_those_that_need_another() -> None:
    """Hoisted y@2 serves x; the member has y@1 of its own."""
    tree = tree_of(
        {
            "packages/a": package(x="1", y="1"),
            "packages/a/node_modules/y": package("1.0.0"),
            "node_modules/x": package(y="2"),
            "node_modules/y": package("2.0.0"),
        }
    )
    assert versions(moved(tree)) == {
        "node_modules/x": "1.0.0",
        "node_modules/x/node_modules/y": "2.0.0",
        "node_modules/y": "1.0.0",
    }


def test_a_later_package_never_shadows_one_that_an_earlier_search_passed() -> None:
    tree = tree_of(
        {
            "packages/a": package(x="1", y="1"),
            "node_modules/y": package("1.0.0"),
            "node_modules/x": package(w="1", v="1"),
            "node_modules/w": package(y="1"),
            "node_modules/v": package(y="2"),
            "node_modules/v/node_modules/y": package("2.0.0"),
        }
    )
    assert versions(moved(tree))["node_modules/v/node_modules/y"] == "2.0.0"


def test_a_linked_package_is_a_directory_with_its_own_nested_versions() -> None:
    tree = tree_of(
        {
            "packages/a": package(lib="*", ms="1"),
            "packages/lib": package("3.0.0", ms="2"),
            "packages/lib/node_modules/ms": package("2.0.0"),
            "node_modules/ms": package("1.0.0"),
        },
        {"node_modules/lib": "../packages/lib"},
    )
    assert versions(moved(tree)) == {
        "node_modules/lib": "3.0.0",
        "node_modules/lib/node_modules/ms": "2.0.0",
        "node_modules/ms": "1.0.0",
    }


def test_a_store_of_links_becomes_plain_directories() -> None:
    """The isolated layout of pnpm: a link for each dependency, the packages' own side by side."""
    tree = tree_of(
        {
            "packages/a": package(x="1"),
            "node_modules/.pnpm/x@1.0.0/node_modules/x": package(y="1"),
            "node_modules/.pnpm/y@1.0.0/node_modules/y": package(),
        },
        {
            "packages/a/node_modules/x": "../../../node_modules/.pnpm/x@1.0.0/node_modules/x",
            "node_modules/.pnpm/x@1.0.0/node_modules/y": "../../y@1.0.0/node_modules/y",
        },
    )
    assert versions(moved(tree)) == {"node_modules/x": "1.0.0", "node_modules/y": "1.0.0"}


def test_a_circle_of_two_versions_ends_in_a_link() -> None:
    tree = tree_of(
        {
            "packages/a": package(a="1", b="1"),
            "node_modules/a": package("1.0.0", b="2"),
            "node_modules/b": package("1.0.0", a="2"),
            "node_modules/a/node_modules/b": package("2.0.0", a="1"),
            "node_modules/b/node_modules/a": package("2.0.0", b="1"),
        }
    )
    result = moved(tree)
    assert len(result.entries) < 20
    assert all(result.entries[path].kind is not EntryKind.SYMLINK or "/" in path for path in result.entries)


@pytest.mark.parametrize(
    ("field", "value", "ships"),
    [("cpu", ["arm64"], True), ("cpu", ["x64"], False), ("libc", ["musl"], False), ("os", ["!win32"], True)],
)
def test_only_packages_for_the_target_come_along(field: str, value: list[str], ships: bool) -> None:
    tree = tree_of({"packages/a": package(x="1"), "node_modules/x": {"version": "1.0.0", field: value}})
    assert ("node_modules/x" in versions(moved(tree))) is ships


def test_bundled_packages_stay_in_their_bundle() -> None:
    tree = tree_of(
        {
            "packages/a": package(x="1"),
            "node_modules/x": {**package(y="1"), "bundleDependencies": ["y"]},
            "node_modules/x/node_modules/y": package(z="1"),
            "node_modules/z": package(),
        }
    )
    assert set(versions(moved(tree))) == {"node_modules/x", "node_modules/x/node_modules/y", "node_modules/z"}


def test_programs_have_links_and_none_leaves_its_package() -> None:
    tool = {"version": "1.0.0", "bin": {"good": "./cli.js", "bad": "../../../etc/passwd", "../worse": "cli.js"}}
    entries = moved(tree_of({"packages/a": package(tool="1"), "node_modules/tool": tool})).entries
    assert entries["node_modules/.bin/good"].target == "../tool/cli.js"
    assert [path for path in entries if "/.bin/" in path] == ["node_modules/.bin/good"]


def test_specifiers_of_a_repository_become_versions() -> None:
    tree = MemoryTree(
        {
            "package.json": b'{"dependencies": {"lib": "workspace:*", "ms": "catalog:", "x": "^1.0.0"}}',
            "node_modules/lib/package.json": b'{"version": "1.2.0"}',
        }
    )
    manifest = json.loads(read_file(with_portable_manifests(tree), "package.json"))
    assert manifest["dependencies"] == {"lib": "1.2.0", "ms": "*", "x": "^1.0.0"}
