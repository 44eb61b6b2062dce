from lambdapack.pack.cleanup import clean_tree
from lambdapack.tree.compose import MemoryTree, prune_tree

ADDON = "node_modules/better-sqlite3"

DROPPED = (
    f"{ADDON}/build/Makefile",
    f"{ADDON}/build/better_sqlite3.target.mk",
    f"{ADDON}/build/deps/sqlite3.Makefile",
    f"{ADDON}/build/binding.Makefile",
    f"{ADDON}/build/config.gypi",
    f"{ADDON}/build/gyp-mac-tool",
    f"{ADDON}/build/Release/.deps/Release/obj.target/x.o.d",
    f"{ADDON}/build/Release/obj/gen/sqlite3/sqlite3.c",
    f"{ADDON}/build/Release/obj.target/better_sqlite3.node",
    f"{ADDON}/build/Release/obj.target/x.o",
    f"{ADDON}/build/Release/sqlite3.a",
    f"{ADDON}/build/Release/linker.lock",
    "node_modules/.package-lock.json",
    "node_modules/x/node_modules/.package-lock.json",
    "node_modules/.cache/babel/1.json",
    "node_modules/canvas/build-tmp-napi-v6/Release/canvas.node",
    "node_modules/node-gyp/gyp/pylib/gyp/__pycache__/x.pyc",
    "lib/addon/build/config.gypi",
    "lib/addon/build/Release/obj.target/addon.o",
    "node_modules/cm/build/CMakeFiles/3.25/x.c",
    "node_modules/cm/build/CMakeCache.txt",
    "node_modules/cm/build/sub/cmake_install.cmake",
)
KEPT = (
    f"{ADDON}/build/Release/better_sqlite3.node",
    f"{ADDON}/build/Release/test_extension.node",
    f"{ADDON}/build/Release/libvips.so.42",
    f"{ADDON}/binding.gyp",
    f"{ADDON}/Makefile",
    f"{ADDON}/src/x.o",
    "node_modules/cm/build/Release/cm.node",
    "node_modules/pure/build/index.js",
    "node_modules/pure/build/Makefile",
    "node_modules/pure/build/x.d",
    "node_modules/pure/src/config.gypi",
    "node_modules/pure/.package-lock.json",
    "node_modules/pure/.cache/x",
    "node_modules/sharp/build-tmp/x",
    "package-lock.json",
)


def test_build_droppings_go_and_what_can_be_loaded_stays() -> None:
    files = {path: path.encode() for path in (*DROPPED, *KEPT)}
    tree = MemoryTree(
        files, links={f"{ADDON}/build/node_gyp_bins/python3": "/usr/bin/python3", "node_modules/.bin/x": "../x"}
    )
    cleaned = clean_tree(tree)
    assert set(cleaned.tree.entries) == {*KEPT, "node_modules/.bin/x"}
    assert {entry.path for entry in cleaned.removed} == {*DROPPED, f"{ADDON}/build/node_gyp_bins/python3"}
    assert cleaned.bytes_saved == sum(len(path) for path in DROPPED)


def test_a_tree_without_droppings_is_returned_as_it_is() -> None:
    tree = MemoryTree({"node_modules/a/index.js": b""})
    assert clean_tree(tree).tree is tree
    assert clean_tree(tree).removed == ()


def test_pruning_takes_a_directory_with_all_that_is_below_it() -> None:
    tree = MemoryTree({"a/b/c": b"", "a/bc": b"", "d": b""}, directories=["a/b"])
    assert list(prune_tree(tree, ["a/b", "d", "absent"]).entries) == ["a/bc"]
