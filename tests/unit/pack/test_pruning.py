import json

import pytest

from lambdapack.pack.pruning import PRUNE_KINDS, find_unneeded_files
from lambdapack.tree.compose import MemoryTree

PACKAGE = "node_modules/pkg"


def pruned(files: dict[str, bytes], *kinds: str, reached: frozenset[str] = frozenset()) -> dict[str, str]:
    manifest = {"node_modules/pkg/package.json": b'{"name": "pkg", "main": "index.js"}'}
    tree = MemoryTree({**manifest, **{f"{PACKAGE}/{name}": data for name, data in files.items()}})
    found = find_unneeded_files(tree, frozenset(kinds or PRUNE_KINDS), reached)
    return {file.path.removeprefix(f"{PACKAGE}/"): file.kind for file in found}


def test_each_kind_has_its_files() -> None:
    files = {
        "index.js": b"1",
        "index.d.ts": b"",
        "index.d.mts": b"",
        "src/index.ts": b"",
        "index.js.map": b"{}",
        "test/a.js": b"",
        "lib/a.test.js": b"",
        "README.md": b"",
        "docs/guide.html": b"",
        "CHANGELOG": b"",
        "LICENSE": b"",
        "LICENSE.md": b"",
    }
    assert pruned(files) == {
        "index.d.ts": "types",
        "index.d.mts": "types",
        "src/index.ts": "types",
        "index.js.map": "maps",
        "test/a.js": "tests",
        "lib/a.test.js": "tests",
        "README.md": "docs",
        "docs/guide.html": "docs",
        "CHANGELOG": "docs",
    }
    assert pruned(files, "maps") == {"index.js.map": "maps"}


@pytest.mark.parametrize(
    "code",
    [
        b"require('./test/a')",
        b'import x from "../pkg/test/a.js"',
        b"path.join(__dirname, '/test/a.js')",
        b"require(`./test`)",
    ],
)
def test_what_the_package_speaks_of_stays(code: bytes) -> None:
    assert pruned({"index.js": code, "test/a.js": b"", "test/b.js": b""}) == {}


def test_what_is_reached_runs_or_is_native_stays() -> None:
    files = {"test/a.js": b"", "test/a.node": b"", "README.md": b"", "docs/x.wasm": b""}
    assert pruned(files, reached=frozenset({f"{PACKAGE}/README.md", f"{PACKAGE}/test/a.js"})) == {}


def test_json_under_a_name_of_documentation_stays() -> None:
    assert pruned({"changes.json": b"{}", "history.js": b"", "readme.js": b""}) == {}


def test_a_package_without_a_runtime_goes_whole() -> None:
    manifest = json.dumps({"name": "@types/x", "types": "index.d.ts", "main": ""}).encode()
    files = {"node_modules/@types/x/package.json": manifest, "node_modules/@types/x/index.d.ts": b""}
    found = find_unneeded_files(MemoryTree(files), frozenset({"types"}), frozenset())
    assert [file.path for file in found] == sorted(files, key=str.encode)
    with_code = MemoryTree({**files, "node_modules/@types/x/index.js": b""})
    kept = find_unneeded_files(with_code, frozenset({"types"}), frozenset())
    assert [file.path for file in kept] == ["node_modules/@types/x/index.d.ts"]


def test_the_functions_own_files_stay() -> None:
    tree = MemoryTree({"README.md": b"", "test/a.js": b"", "index.js.map": b"", "a.d.ts": b""})
    assert list(find_unneeded_files(tree, frozenset(PRUNE_KINDS), frozenset())) == []
