"""The module graph of small trees: what is reached, what is missing and how surely, and where it stops."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.packages.file_system import PlacedTrees
from lambdapack.packages.graph import GraphBuilder, GraphStart, ModuleGraph, Presence, layer_offers
from lambdapack.packages.node import ResolutionSettings, lambda_node, preloads
from lambdapack.packages.resolution import ProvidedPackage, ResolutionError
from lambdapack.packages.resolver import ModuleResolver
from lambdapack.script.specifier import ImportCertainty, Platform, ScriptSpecifiers
from lambdapack.tree.directory import DirectoryTree
from tests.contract.real_node import write_tree

TASK = "/var/task"


class MemoryCache:
    """Satisfies SpecifierCache, and counts."""

    def __init__(self) -> None:
        self.kept: dict[str, ScriptSpecifiers] = {}
        self.hits = 0

    def get(self, key: str) -> ScriptSpecifiers | None:
        self.hits += key in self.kept
        return self.kept.get(key)

    def put(self, key: str, value: ScriptSpecifiers) -> None:
        self.kept[key] = value


def _builder(
    root: Path,
    files: dict[str, object],
    *,
    node: ResolutionSettings | None = None,
    layer: dict[str, object] | None = None,
) -> GraphBuilder:
    write_tree(root / "task", files)
    write_tree(root / "layer", layer or {})
    trees = [("/opt", DirectoryTree(root / "layer"))] if layer else []
    placed = PlacedTrees([*trees, (TASK, DirectoryTree(root / "task"))])
    return GraphBuilder(placed, ModuleResolver(placed, node or lambda_node(22)), Platform("linux", "x64"))


def _graph(root: Path, files: dict[str, object], start: str = "index.js", **options: object) -> ModuleGraph:
    builder = _builder(root, files, **options)  # type: ignore[arg-type]
    return builder.build([GraphStart(f"{TASK}/{start}", f"{TASK}/{start}", by_import=start.endswith("mjs"))])


def _presences(graph: ModuleGraph) -> Mapping[str | None, Presence]:
    return {edge.specifier.text: edge.presence for edge in graph.edges if edge.asking}


def test_each_presence(tmp_path: Path) -> None:
    source = """
    require('fs'); require('./there'); require('gone'); const lazy = () => require('later');
    try { require('maybe') } catch {} require('./' + name); if (process.platform === 'win32') require('windows');
    require('@aws-sdk/client-s3');
    """
    graph = _graph(tmp_path, {"index.js": source, "there.json": "{}"})
    assert _presences(graph) == {
        "fs": Presence.RESOLVED,
        "./there": Presence.RESOLVED,
        "gone": Presence.MISSING,
        "later": Presence.MISSING_IF_ENTERED,
        "maybe": Presence.MISSING_IF_ENTERED,
        None: Presence.COMPUTED,
        "windows": Presence.UNUSED,
        "@aws-sdk/client-s3": Presence.RESOLVED,
    }
    assert [edge.specifier.text for edge in graph.missing_edges()] == ["gone", "later", "maybe"]


def test_doubt_adds_up_along_the_way(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "index.js": "require('./sure'); exports.handler = () => require('./lazy'); try { require('./tried') } catch {}",
        "sure.js": "require('./deeper')",
        "deeper.js": "require('a')",
        "lazy.js": "require('./deeper'); require('b')",
        "tried.js": "require('c')",
    }
    graph = _graph(tmp_path, files)
    missing = {edge.specifier.text: edge.certainty for edge in graph.missing_edges()}
    assert missing == {"a": ImportCertainty.AT_IMPORT, "b": ImportCertainty.IN_FUNCTION, "c": ImportCertainty.IN_TRY}
    assert graph.way_to(f"{TASK}/deeper.js") == (f"{TASK}/index.js", f"{TASK}/sure.js", f"{TASK}/deeper.js")
    assert {edge.asking for edge in graph.askers(f"{TASK}/deeper.js")} == {f"{TASK}/sure.js", f"{TASK}/lazy.js"}


def test_a_circle_ends(tmp_path: Path) -> None:
    graph = _graph(tmp_path, {"index.js": "require('./b')", "b.js": "require('./index'); require('./b')"})
    assert set(graph.files) == {f"{TASK}/index.js", f"{TASK}/b.js"}


def test_dual_packages_and_maps(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "index.mjs": "import 'dual'; import 'dual/sub'; import '#own'; import 'dual/hidden'",
        "package.json": {"imports": {"#own": "./own.cjs"}},
        "own.cjs": "require('dual')",
        "node_modules/dual/package.json": {
            "exports": {".": {"import": "./i.mjs", "require": "./r.cjs"}, "./sub": {"node": "./s.js"}}
        },
        "node_modules/dual/i.mjs": "",
        "node_modules/dual/r.cjs": "",
        "node_modules/dual/s.js": "",
        "node_modules/dual/hidden.js": "",
    }
    graph = _graph(tmp_path, files, "index.mjs")
    inside = f"{TASK}/node_modules/dual"
    assert {f"{inside}/i.mjs", f"{inside}/r.cjs", f"{inside}/s.js"} <= set(graph.files)
    (lacking,) = graph.missing_edges()
    assert isinstance(lacking.resolution, ResolutionError)
    assert lacking.resolution.code == "ERR_PACKAGE_PATH_NOT_EXPORTED"
    assert graph.packages() == {inside: ImportCertainty.AT_IMPORT}


def test_links_are_followed_to_the_real_place_where_pnpm_keeps_dependencies(tmp_path: Path) -> None:
    store = "node_modules/.pnpm/a@1/node_modules"
    files: dict[str, object] = {
        "index.js": "require('a')",
        "node_modules/a": Path(".pnpm/a@1/node_modules/a"),
        f"{store}/a/package.json": {"dependencies": {"b": "1", "undeclared": "1"}},
        f"{store}/a/index.js": "require('b'); require('c')",
        f"{store}/b/index.js": "",
    }
    graph = _graph(tmp_path, files)
    assert f"{TASK}/{store}/b/index.js" in graph.files
    assert [edge.specifier.text for edge in graph.missing_edges()] == ["c"]
    assert [(absent.name, absent.asked) for absent in graph.absent] == [("undeclared", None)]


def test_an_absent_dependency_knows_its_surest_use(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "index.js": "require('a')",
        "node_modules/a/package.json": {
            "dependencies": {"used": "1", "types": "1"},
            "peerDependencies": {"peer": "*", "soft": "*"},
            "peerDependenciesMeta": {"soft": {"optional": True}},
        },
        "node_modules/a/index.js": "exports.f = () => require('used'); require('./b')",
        "node_modules/a/b.js": "require('used/sub'); require('peer')",
    }
    absent = {(each.name, each.kind): each.asked for each in _graph(tmp_path, files).absent}
    assert set(absent) == {("used", "dependencies"), ("types", "dependencies"), ("peer", "peerDependencies")}
    used = absent["used", "dependencies"]
    assert used is not None
    assert (used.certainty, used.specifier.text) == (ImportCertainty.AT_IMPORT, "used/sub")
    assert absent["types", "dependencies"] is None


def test_assets_and_native_files_are_reached(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "index.js": "fs.readFileSync(path.join(__dirname, 'views/a.html'));"
        "new Worker(path.join(__dirname, 'worker.js'));"
        "require('./direct.node'); require('bound'); require('built')",
        "views/a.html": "",
        "worker.js": "require('in-worker')",
        "direct.node": "",
        "node_modules/bound/package.json": {},
        "node_modules/bound/index.js": "require('bindings')('x')",
        "node_modules/bindings/index.js": "",
        "node_modules/bound/build/Release/x.node": "",
        "node_modules/built/index.js": "require('node-gyp-build')(__dirname)",
        "node_modules/node-gyp-build/index.js": "",
        "node_modules/built/prebuilds/linux-x64/a.node": "",
        "node_modules/built/prebuilds/darwin-arm64/a.node": "",
    }
    graph = _graph(tmp_path, files)
    assert {reached.path.removeprefix(f"{TASK}/") for reached in graph.native_files()} == {
        "direct.node",
        "node_modules/bound/build/Release/x.node",
        "node_modules/built/prebuilds/linux-x64/a.node",
    }
    assert f"{TASK}/views/a.html" in graph.files
    (lacking,) = graph.missing_edges()
    assert (lacking.specifier.text, lacking.certainty) == ("in-worker", ImportCertainty.IN_FUNCTION)


def test_layers_are_found_by_require_and_on_lambda_by_import(tmp_path: Path) -> None:
    layer: dict[str, object] = {
        "nodejs/node_modules/shared/index.js": "require('./deep')",
        "nodejs/node_modules/shared/deep.js": "",
    }
    graph = _graph(tmp_path / "a", {"index.js": "require('shared')"}, layer=layer)
    assert "/opt/nodejs/node_modules/shared/deep.js" in graph.files
    graph = _graph(tmp_path / "b", {"index.mjs": "import 'shared'"}, "index.mjs", layer=layer)
    assert not list(graph.missing_edges())
    builder = _builder(tmp_path / "c", {"index.js": ""}, layer=layer)
    offers = builder.build(list(layer_offers(builder.files, ["/opt/nodejs/node_modules"])))
    assert offers.files["/opt/nodejs/node_modules/shared/deep.js"].certainty is ImportCertainty.IN_FUNCTION


def test_the_runtime_brings_its_own_sdk(tmp_path: Path) -> None:
    source = "require('aws-sdk'); require('@smithy/types')"
    for major, lacking in ((22, "aws-sdk"), (16, "@smithy/types")):
        graph = _graph(tmp_path / str(major), {"index.js": source}, node=lambda_node(major))
        assert [edge.specifier.text for edge in graph.missing_edges()] == [lacking]
        assert sum(isinstance(edge.resolution, ProvidedPackage) for edge in graph.edges) == 1


def test_node_options_and_node_path_count(tmp_path: Path) -> None:
    options = "--require ./first.js --import=second -C mine"
    assert preloads(options) == (("./first.js", False), ("second", True))
    node = lambda_node(22, options=options, own_node_path=f"{TASK}/lib")
    files: dict[str, object] = {
        "index.js": "require('inlib'); require('p')",
        "lib/inlib.js": "",
        "first.js": "",
        "node_modules/p/package.json": {"exports": {"mine": "./m.js"}},
        "node_modules/p/m.js": "",
    }
    assert not list(_graph(tmp_path, files, node=node).missing_edges())


def test_requiring_an_es_module_depends_on_the_runtime(tmp_path: Path) -> None:
    files: dict[str, object] = {"index.js": "require('./m.mjs')", "m.mjs": ""}
    old = [edge.resolution for edge in _graph(tmp_path / "22", files, node=lambda_node(22)).missing_edges()]
    assert [answer.code for answer in old if isinstance(answer, ResolutionError)] == ["ERR_REQUIRE_ESM"]
    assert not list(_graph(tmp_path / "24", files, node=lambda_node(24)).missing_edges())


def test_bounds_are_named_and_what_lies_beyond_is_not_called_missing(tmp_path: Path) -> None:
    files: dict[str, object] = {f"{at}.js": f"require('./{at + 1}')" for at in range(30)}
    files["index.js"] = "require('./0')"
    builder = _builder(tmp_path, files)
    builder.max_files = 10
    graph = builder.build([GraphStart(f"{TASK}/index.js", f"{TASK}/index.js", by_import=False)])
    assert graph.bounds == ("more than 10 scripts are reached",)
    assert not list(graph.missing_edges())
    builder = _builder(tmp_path, {})
    builder.max_bytes = 20
    assert "bytes" in builder.build([GraphStart(f"{TASK}/index.js", f"{TASK}/index.js", by_import=False)]).bounds[0]


def test_a_cache_spares_reading_anew(tmp_path: Path) -> None:
    cache = MemoryCache()
    files: dict[str, object] = {"index.js": "require('./b'); require('gone')", "b.js": ""}
    for _ in range(2):
        builder = _builder(tmp_path, files)
        builder.cache = cache
        graph = builder.build([GraphStart(f"{TASK}/index.js", f"{TASK}/index.js", by_import=False)])
        assert len(list(graph.missing_edges())) == 1
    assert (cache.hits, len(cache.kept)) == (2, 2)


def test_a_broken_package_json_is_node_s_error(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "index.js": "require('a')",
        "node_modules/a/package.json": '{"name":"a", bad',
        "node_modules/a/index.js": "",
    }
    (edge,) = _graph(tmp_path, files).missing_edges()
    assert isinstance(edge.resolution, ResolutionError)
    assert edge.resolution.code == "ERR_INVALID_PACKAGE_CONFIG"
    assert edge.resolution.path == f"{TASK}/node_modules/a/package.json"


WEBPACK = (
    "(()=>{var m={1:(a,b,c)=>{CALLS},2:a=>{a.exports=require('gone')}},k={};"
    "function r(i){var o=k[i];if(void 0!==o)return o.exports;var n=k[i]={exports:{}};"
    "return m[i](n,n.exports,r),n.exports}r(1)})()"
)

UMD = "(function(r,f){typeof define==='function'&&define.amd?define(['gone'],f):f(require('fs'))})(this,function(){})"

SHAPES: dict[str, tuple[dict[str, object], bool]] = {
    "undeclared": ({"index.js": "require('dayjs')"}, False),
    "wrong case": ({"index.js": "require('./lib/Utils')", "lib/utils.js": ""}, False),
    "no extension": ({"index.js": "import('./m.mjs')", "m.mjs": "import a from './a'", "a.js": ""}, True),
    "guarded": ({"index.js": "try { require('gone') } catch {}"}, True),
    "umd": ({"index.js": UMD}, True),
    "early return": ({"index.js": "(function(){ if (process.pid) return; require('gone') })()"}, True),
    "memo": ({"index.js": "var done; function f(){ if (done) return; done = 1; require('gone') } f()"}, False),
    "shadowed": ({"index.js": "(function(require){ require('gone') })(function(){})"}, True),
    "hoisted": ({"index.js": "f(); function f() { require('gone') }"}, False),
    "wrapped": ({"index.js": WEBPACK.replace("CALLS", "c(2)")}, False),
    "unused in registry": ({"index.js": WEBPACK.replace("CALLS", "")}, True),
}


@pytest.mark.parametrize("name", SHAPES)
def test_same_verdict_as_node(tmp_path: Path, name: str) -> None:
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on PATH: nothing to hold the graph against")
    files, loads = SHAPES[name]
    certain = [edge for edge in _graph(tmp_path, files).missing_edges() if edge.presence is Presence.MISSING]
    done = subprocess.run(
        [program, "-e", "process.on('unhandledRejection', () => {}); require('./index.js')"],
        cwd=tmp_path / "task",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode == 0) is loads
    assert (not certain) is loads
