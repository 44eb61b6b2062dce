from collections.abc import Mapping

import pytest

from lambdapack.pack.source import IgnoreRules
from lambdapack.pipeline.package.made import bound_tree
from lambdapack.pipeline.package.request import BoundedTree
from lambdapack.tree.compose import MemoryTree

SOURCE = MemoryTree({"index.js": b"own", "src/a.js": b"own", "same.js": b"same"})
AUTHOR = "postinstall script of this project"


def bounded(files: Mapping[str, bytes], *, owned: tuple[str, ...] = ("node_modules",)) -> BoundedTree:
    ignore = IgnoreRules(["logs/", "*.tmp"])
    return bound_tree(MemoryTree(files), dict.fromkeys(files, AUTHOR), owned, SOURCE, ignore)


@pytest.mark.parametrize(
    ("path", "data", "kept"),
    [
        ("index.js", b"evil", True),
        ("same.js", b"same", False),
        ("src", b"a file in place of a directory", True),
        ("index.js/below", b"a directory in place of a file", True),
    ],
)
def test_the_source_is_never_replaced(path: str, data: bytes, kept: bool) -> None:
    made = bounded({path: data, "gen.js": b"1"})
    assert list(made.tree.entries) == ["gen.js"]
    assert made.kept == (((path, AUTHOR),) if kept else ())


@pytest.mark.parametrize("path", [".env", "a/.npmrc", "logs/x.txt", "a/x.tmp", "terraform.tfstate"])
def test_what_never_ships_does_not_ship_because_a_script_made_it(path: str) -> None:
    made = bounded({path: b"1", "gen.js": b"1"})
    assert list(made.tree.entries) == ["gen.js"]
    assert [excluded for excluded, _reason in made.excluded] == [path]
    assert made.excluded[0][1].endswith(f"; the {AUTHOR} made it")


def test_dependencies_and_what_is_built_in_place_are_the_installs() -> None:
    files = {"node_modules/a/.env": b"1", "logs/addon/build/Release/a.node": b"1", "logs/addon/.env": b"1"}
    made = bounded(files, owned=("node_modules", "logs/addon"))
    assert list(made.tree.entries) == ["logs/addon/build/Release/a.node", "node_modules/a/.env"]


def test_what_no_script_made_is_left_as_it_is() -> None:
    tree = MemoryTree({"lib/addon/.env": b"1"})
    assert bound_tree(tree, {}, ("lib/addon",), SOURCE, IgnoreRules()).tree is tree
