"""The resolver against real node: the same file or the same error's code for every specifier."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.packages.file_system import PlacedTrees
from lambdapack.packages.node import plain_node
from lambdapack.packages.resolution import BuiltinModule, Resolution, ResolutionError, ResolvedFile
from lambdapack.packages.resolver import ModuleResolver
from lambdapack.tree.directory import DirectoryTree
from tests.contract.real_node import ASKING, RealNode, real_node, write_tree

J = "0;\n"

SHAPES: dict[str, object] = {
    "a.js": J,
    "b.json": "{}",
    "dir/index.js": J,
    "lib/main.js": J,
    "both.js": J,
    "both/index.js": J,
    "c.cjs": J,
    "m.mjs": "0;",
    "with space.js": J,
    "Upper.js": J,
    "mainless/package.json": {"main": "./gone"},
    "mainless/index.js": J,
    "maindir/package.json": {"main": "lib"},
    "maindir/lib/index.js": J,
    "badmain/package.json": {"main": "./gone"},
    "emptymain/package.json": {"main": ""},
    "emptymain/index.json": "{}",
    "numbermain/package.json": {"main": 5},
    "numbermain/index.js": J,
    "node.node": "",
    "dir2/index.node/x": "",
    "package.json": {
        "name": "me",
        "exports": {".": "./a.js", "./x/*": "./lib/*.js", "./no": None},
        "imports": {
            "#a": "./a.js",
            "#dep": "plain",
            "#fs": "fs",
            "#nodefs": "node:fs",
            "#cond": {"import": "./m.mjs", "require": "./c.cjs"},
            "#p/*": "./lib/*.js",
            "#nope": None,
            "#gone": "./gone.js",
            "#up": "../x.js",
            "#deep/*": "exp/feature/*",
            "#arr": ["bad:", "./a.js"],
            "#url": "https://x.test/",
        },
    },
    "node_modules/plain/package.json": {"main": "x"},
    "node_modules/plain/x.js": J,
    "node_modules/plain/sub.js": J,
    "node_modules/plain/d/index.js": J,
    "node_modules/nopkg/index.js": J,
    "node_modules/jsononly/index.json": "{}",
    "node_modules/file.js": J,
    "node_modules/@s/p/package.json": {"main": "lib/"},
    "node_modules/@s/p/lib/index.js": J,
    "node_modules/extless/package.json": {"main": "bin"},
    "node_modules/extless/bin": J,
    "node_modules/exp/package.json": {
        "name": "exp",
        "main": "old.js",
        "exports": {
            ".": {"import": "./i.mjs", "require": "./r.cjs"},
            "./feature/*": "./f/*.js",
            "./feature/*.js": "./f/*.js",
            "./feature/internal/*": None,
            "./dir/*": "./f/*",
            "./package.json": "./package.json",
            "./gone": "./gone.js",
            "./arr": ["./nope-not-dotted", "./r.cjs"],
            "./arr2": ["nope", "./r.cjs"],
            "./esc": "../x.js",
            "./nm": "./node_modules/x.js",
            "./num": 5,
            "./nest": {"node": {"import": "./i.mjs", "worker": "./w.js"}, "default": "./r.cjs"},
            "./nul": {"node": None, "default": "./r.cjs"},
            "./only-browser": {"browser": "./r.cjs"},
            "./slash/": "./f/",
            "./sync": {"module-sync": "./i.mjs", "default": "./r.cjs"},
            "./addons": {"node-addons": "./r.cjs"},
            "./a*z": "./f/*.js",
            "./a*": "./r.cjs",
            "./user": {"mine": "./r.cjs", "default": "./i.mjs"},
            "./json": "./j.json",
        },
    },
    "node_modules/exp/i.mjs": "0;",
    "node_modules/exp/r.cjs": J,
    "node_modules/exp/f/one.js": J,
    "node_modules/exp/j.json": "{}",
    "node_modules/exp/f/internal/x.js": J,
    "node_modules/exp/inner/self.cjs": J,
    "node_modules/sugar/package.json": {"exports": "./s.js"},
    "node_modules/sugar/s.js": J,
    "node_modules/sugararr/package.json": {"exports": ["./s.js"]},
    "node_modules/sugararr/s.js": J,
    "node_modules/condsugar/package.json": {"exports": {"import": "./s.mjs", "default": "./s.js"}},
    "node_modules/condsugar/s.mjs": "0;",
    "node_modules/condsugar/s.js": J,
    "node_modules/mixed/package.json": {"exports": {"import": "./s.js", "./x": "./s.js"}},
    "node_modules/emptyexports/package.json": {"exports": {}},
    "node_modules/nullexports/package.json": {"exports": None, "main": "n.js"},
    "node_modules/nullexports/n.js": J,
    "node_modules/digits/package.json": {"exports": {".": {"0": "./s.js"}}},
    "node_modules/badjson/package.json": '{"name":"a", bad',
    "node_modules/badjson/index.js": J,
    "node_modules/bom/package.json": '\ufeff{"main":"z.js"}',
    "node_modules/bom/z.js": J,
    "node_modules/typed/package.json": {"type": "module", "main": "t.js"},
    "node_modules/typed/t.js": "0;",
    "node_modules/node_modules/inner/index.js": J,
    "node_modules/linked": Path("../store/linked"),
    "store/linked/package.json": {"main": "l.js"},
    "store/linked/l.js": J,
    "store/linked/node_modules/deep/index.js": J,
    "node_modules/dangling": Path("../gone"),
    "store/node_modules/sib/index.js": J,
    "deep/er/a.mjs": ASKING,
    "deep/node_modules/plain/index.js": J,
    "ask.mjs": ASKING,
    "store/linked/ask.mjs": ASKING,
    "node_modules/exp/ask.mjs": ASKING,
    "np/viapath/index.js": J,
    "np/viapathexp/package.json": {"exports": "./e.js"},
    "np/viapathexp/e.js": J,
    "node_modules/ask.mjs": ASKING,
    "node_modules/nopkg/ask.mjs": ASKING,
    "node_modules/nopkg/sub/ask.mjs": ASKING,
    "node_modules/@s/ask.mjs": ASKING,
}

SPECIFIERS = (
    "./a",
    "./a.js",
    "./A.js",
    "./upper",
    "./b",
    "./b.json",
    "./dir",
    "./dir/",
    "./dir/index",
    "./both",
    "./both/",
    "./c",
    "./m",
    "./m.mjs",
    "./c.cjs",
    ".",
    "..",
    "./",
    "../",
    "./.",
    "./..",
    "./mainless",
    "./maindir",
    "./badmain",
    "./emptymain",
    "./numbermain",
    "./with space.js",
    "./with%20space.js",
    "./a.js?query",
    "./a.js#hash",
    "./a%2fb.js",
    "./node",
    "./dir2",
    "me",
    "me/x/main",
    "me/no",
    "me/zzz",
    "#a",
    "#dep",
    "#fs",
    "#nodefs",
    "#cond",
    "#p/main",
    "#nope",
    "#gone",
    "#up",
    "#zz",
    "#",
    "#/a",
    "#a/",
    "#deep/one",
    "#arr",
    "#url",
    "plain",
    "plain/sub",
    "plain/sub.js",
    "plain/d",
    "plain/",
    "plain/x",
    "nopkg",
    "nopkg/index.js",
    "jsononly",
    "file",
    "file.js",
    "@s/p",
    "@s/p/lib",
    "@s",
    "@s/",
    "extless",
    "exp",
    "exp/feature/one",
    "exp/feature/one.js",
    "exp/feature/internal/x",
    "exp/dir/one.js",
    "exp/dir/",
    "exp/package.json",
    "exp/gone",
    "exp/arr",
    "exp/arr2",
    "exp/esc",
    "exp/nm",
    "exp/num",
    "exp/nest",
    "exp/nul",
    "exp/only-browser",
    "exp/slash/one.js",
    "exp/slash/",
    "exp/sync",
    "exp/addons",
    "exp/aonez",
    "exp/az",
    "exp/ab",
    "exp/user",
    "exp/old.js",
    "exp/feature/../x",
    "exp/feature/node_modules",
    "exp/i.mjs",
    "exp/json",
    "exp/",
    "sugar",
    "sugar/s.js",
    "sugararr",
    "condsugar",
    "mixed",
    "mixed/x",
    "emptyexports",
    "nullexports",
    "digits",
    "badjson",
    "badjson/index.js",
    "bom",
    "typed",
    "typed/t.js",
    "inner",
    "linked",
    "linked/l.js",
    "dangling",
    "deep",
    "sib",
    "fs",
    "node:fs",
    "node:test",
    "test",
    "node:sqlite",
    "node:nope",
    "fs/promises",
    "fs/",
    "fs/nope",
    "viapath",
    "viapathexp",
    "gone",
    "@gone/x",
    "gone/x",
    "%41",
    "a\\b",
    ".hidden",
    "..x",
    "/",
    "https://x.test/",
    "data:text/javascript,0",
    "bad:thing",
)


@pytest.fixture(scope="module")
def node() -> RealNode:
    return real_node()


def _answer(resolution: Resolution) -> str:
    if isinstance(resolution, ResolvedFile):
        return resolution.path
    if isinstance(resolution, ResolutionError):
        return resolution.code
    assert isinstance(resolution, BuiltinModule)
    return resolution.name


JSON_NEEDS_ATTRIBUTE = {"ERR_IMPORT_ASSERTION_TYPE_MISSING", "ERR_IMPORT_ATTRIBUTE_MISSING"}

SAME = {
    "ERR_UNKNOWN_BUILTIN_MODULE": {"MODULE_NOT_FOUND"},  # of require.resolve(); require() itself says the former
    "ERR_INVALID_PACKAGE_CONFIG": {"SyntaxError", "Error"},
}
"""node 20's require() has no code for a package.json that it cannot parse."""


def _differences(node: RealNode, root: Path, queries: list[tuple[str, str, str]], *flags: str) -> str:
    node_path = str(root / "np")
    behaviour = plain_node(node.version, flags)
    resolver = ModuleResolver(
        PlacedTrees([(str(root), DirectoryTree(root))]), replace(behaviour, node_path=(node_path,))
    )
    differences: list[object] = []
    for query, truth in zip(queries, node.answers(queries, *flags, node_path=node_path), strict=True):
        kind, specifier, asking = query
        ours = _answer((resolver.require if kind == "require" else resolver.import_)(specifier, asking))
        if ours == "ERR_REQUIRE_ESM":
            continue  # `require.resolve` does not load
        if ours.endswith(".json") and truth in JSON_NEEDS_ATTRIBUTE:
            continue  # found; how it is imported is another matter
        plain = truth.removeprefix("node:")
        if ours != plain and plain not in SAME.get(ours, ()) and not (truth.startswith("data:")):
            differences.append((kind, specifier, asking.removeprefix(str(root)), f"node: {truth}", f"ours: {ours}"))
    return "\n".join(map(str, differences))


ASKERS = (
    "ask.mjs",
    "deep/er/a.mjs",
    "store/linked/ask.mjs",
    "node_modules/exp/ask.mjs",
    "node_modules/ask.mjs",
    "node_modules/nopkg/ask.mjs",
    "node_modules/nopkg/sub/ask.mjs",
    "node_modules/@s/ask.mjs",
)


@pytest.mark.parametrize("flags", [(), ("--conditions=mine",), ("--no-experimental-require-module",)])
def test_same_as_node_for_every_shape(node: RealNode, tmp_path: Path, flags: tuple[str, ...]) -> None:
    if "require-module" in "".join(flags) and node.version < (20, 17):
        pytest.skip("this node does not know the flag")
    root = tmp_path.resolve()
    write_tree(root, SHAPES)
    queries = [
        (kind, specifier, str(root / asking))
        for kind in ("require", "import")
        for asking in ASKERS
        for specifier in SPECIFIERS
        if asking != "node_modules/ask.mjs" or kind == "import"  # require() remembers by places: ask.mjs asked before
    ]
    assert _differences(node, root, queries, *flags) == ""


@pytest.mark.parametrize("seed", range(6))
def test_same_as_node_for_maps_at_random(node: RealNode, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # shapes, no secrets
    root = tmp_path.resolve()
    files: dict[str, object] = {"ask.mjs": ASKING}
    for package in "abcdef":
        files[f"node_modules/{package}/package.json"] = _manifest(dice, package)
        files.update(
            {f"node_modules/{package}/{name}": J for name in ("x.js", "y.cjs", "d/x.js", "d/z.js", "d/e/x.js")}
        )
        files[f"node_modules/{package}/ask.mjs"] = ASKING
    write_tree(root, files)
    subpaths = ("", "/x", "/x.js", "/d/x", "/d/x.js", "/d/e/x", "/d", "/y", "/package.json", "/d/", "/dxe")
    askers = ("ask.mjs", "node_modules/a/ask.mjs")
    specifiers = [f"{package}{subpath}" for package in "abcdef" for subpath in subpaths] + [
        "#x",
        "#d/x",
        "#d/e/x",
        "#y",
    ]
    queries = [
        (kind, specifier, str(root / asking))
        for kind in ("require", "import")
        for asking in askers
        for specifier in specifiers
    ]
    assert _differences(node, root, queries) == ""


def _manifest(dice: random.Random, name: str) -> dict[str, object]:
    manifest: dict[str, object] = {"name": name}
    if dice.random() < 0.5:
        manifest["main"] = dice.choice(["x.js", "./x", "d", "gone", "d/"])
    if dice.random() < 0.8:
        keys = dice.sample([".", "./x", "./x.js", "./*", "./d/*", "./d/*.js", "./d*e", "./d/e/*", "./y", "./*.js"], 5)
        manifest["exports"] = {key: _target(dice, 0) for key in keys} if dice.random() < 0.9 else _target(dice, 0)
    if dice.random() < 0.5:
        manifest["imports"] = {key: _target(dice, 0) for key in ("#x", "#d/*", "#d/e/*")}
    return manifest


def _target(dice: random.Random, depth: int) -> object:
    kind = dice.random()
    if depth < 3 and kind < 0.3:
        names = dice.sample(["import", "require", "node", "default", "browser", "module-sync", "node-addons"], 3)
        return {name: _target(dice, depth + 1) for name in names}
    if depth < 3 and kind < 0.4:
        return [_target(dice, depth + 1) for _ in range(2)]
    targets: list[object] = [
        "./x.js",
        "./d/*.js",
        "./*",
        "./*.js",
        "./d/*",
        "./y.cjs",
        "./gone.js",
        None,
        "../x.js",
        "b/x",
        "./d/",
    ]
    return dice.choice(targets)
