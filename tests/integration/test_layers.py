"""Whole functions: what is said of function and layers is what the real node and ld.so do with them."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import elf
from tests.command import EXAMPLES, lambdapack

pytestmark = pytest.mark.engine

TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")
SHINY = "int shiny(void);\nint glow(void) { return shiny(); }\n" + elf.NODE_API_WITHOUT_LEVEL
REQUIRES = "require('native/addon.node');\nexports.handler = async () => 'it shines';\n"


def put(root: Path, files: Mapping[str, str | Path]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read_bytes() if isinstance(content, Path) else content.encode())
    return root


def zipped(directory: Path) -> Path:
    archive = directory.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                opened.write(path, path.relative_to(directory).as_posix())
    return archive


def addon(directory: Path, *libraries: Path, flags: tuple[str, ...] = ()) -> Path:
    return elf.link(directory, "addon.node", SHINY, "-Wl,-z,now", *flags, libraries=libraries)


@pytest.fixture
def fn(tmp_path: Path) -> Path:
    """A function whose addon needs libshiny.so.1 with SHINY_2, which the function does not have."""
    new = elf.library(tmp_path / "new", "libshiny.so.1", "SHINY_1", "SHINY_2")
    made = addon(tmp_path / "made", new)
    return put(tmp_path / "fn", {"index.js": REQUIRES, "node_modules/native/addon.node": made})


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    return put(
        tmp_path / "layer",
        {"lib/libshiny.so.1": elf.library(tmp_path / "new", "libshiny.so.1", "SHINY_1", "SHINY_2")},
    )


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return put(tmp_path / "oldlayer", {"lib/libshiny.so.1": elf.library(tmp_path / "old", "libshiny.so.1", "SHINY_1")})


def judged(env: dict[str, str], target: Path, *layers: Path) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the verdict and the findings, statically and with the proof by loading."""
    flags = [word for each in layers for word in ("--layer", str(each))]
    done = lambdapack("verify", target, *flags, *TARGET, "--load", "--format", "json", env=env)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert [each["path"] for each in report["subject"]["layers"]] == list(map(str, layers))
    return report["verdict"], {each["name"]: each for each in report["findings"]}


def test_a_library_that_only_a_layer_has_serves_the_functions_addon(
    fn: Path, layer: Path, lab_engine: dict[str, str]
) -> None:
    verdict, found = judged(lab_engine, fn)
    assert verdict == "fail"
    assert {"missing-library", "handler-fails"} <= found.keys()
    assert "verdict-disagrees" not in found
    assert judged(lab_engine, fn, zipped(layer)) == ("pass", {})


def test_the_later_layer_wins_and_the_functions_own_library_before_both(
    fn: Path, layer: Path, old: Path, lab_engine: dict[str, str]
) -> None:
    assert judged(lab_engine, fn, old, layer) == ("pass", {})
    verdict, found = judged(lab_engine, fn, layer, old)
    assert (verdict, set(found)) == ("fail", {"symbol-version", "handler-fails"})
    put(fn, {"lib/libshiny.so.1": old / "lib" / "libshiny.so.1"})
    verdict, found = judged(lab_engine, fn, layer)
    assert (verdict, set(found)) == ("fail", {"symbol-version", "handler-fails", "shadowed-library"})
    assert found["shadowed-library"]["path"] == "/opt/lib/libshiny.so.1"


def test_a_layers_library_is_taken_before_one_in_the_addons_runpath(
    fn: Path, layer: Path, old: Path, tmp_path: Path, lab_engine: dict[str, str]
) -> None:
    library = layer / "lib" / "libshiny.so.1"
    made = addon(tmp_path / "again", library, flags=("-Wl,--enable-new-dtags,-rpath,$ORIGIN",))
    native = {"node_modules/native/addon.node": made, "node_modules/native/libshiny.so.1": library}
    put(fn, native)
    assert judged(lab_engine, fn) == ("pass", {})
    verdict, found = judged(lab_engine, fn, old)
    assert (verdict, set(found)) == ("fail", {"symbol-version", "handler-fails", "shadowed-library"})
    assert found["shadowed-library"]["path"] == "node_modules/native/libshiny.so.1"


def test_a_handler_in_a_layer_is_imported_from_there(layer: Path, fn: Path, lab_engine: dict[str, str]) -> None:
    put(layer, {"nodejs/node_modules/wrap/handler.js": REQUIRES, "nodejs/node_modules/wrap/package.json": "{}"})
    handler = ("--handler", "/opt/nodejs/node_modules/wrap/handler.handler")
    shutil.copytree(fn / "node_modules" / "native", layer / "nodejs" / "node_modules" / "native")
    flags = (*handler, "--layer", str(layer), *TARGET)
    done = lambdapack("verify", fn, *flags, "--load", env=lab_engine)
    assert done.returncode == 0, done.stdout
    assert "Loading 2 addons and the handler" in " ".join(done.stderr.split())
    done = lambdapack("invoke", fn, *flags, env=lab_engine)
    assert done.stdout == '"it shines"\n', done.stderr


def test_node_takes_the_functions_copy_and_never_the_layers(
    tmp_path: Path, layer: Path, lab_engine: dict[str, str]
) -> None:
    said = "exports.handler = async () => require('twice/package.json').version;\n"
    fn = put(tmp_path / "code", {"index.js": said, "package.json": '{"name": "fn", "dependencies": {"twice": "2"}}'})
    for root, version in ((fn, "2.0.0"), (layer / "nodejs", "1.0.0")):
        put(root, {"node_modules/twice/package.json": json.dumps({"name": "twice", "version": version})})
    verdict, found = judged(lab_engine, fn, layer)
    assert (verdict, set(found)) == ("warn", {"shadowed-package"})
    assert "twice 1.0.0 is shadowed by 2.0.0 in node_modules/twice" in found["shadowed-package"]["message"]
    done = lambdapack("invoke", zipped(fn), "--layer", layer, *TARGET, env=lab_engine)
    assert json.loads(done.stdout) == "2.0.0"


@pytest.mark.parametrize(
    ("folder", "verdict", "names"),
    [("nodejs/", "pass", {"layer-import"}), ("", "fail", {"layer-not-searched", "module-missing", "handler-fails"})],
)
def test_an_import_finds_what_a_layer_has_where_lambda_looks(
    tmp_path: Path, layer: Path, lab_engine: dict[str, str], folder: str, verdict: str, names: set[str]
) -> None:
    text = "import { it } from 'esm';\nexport const handler = async () => it;\n"
    fn = put(tmp_path / "esm", {"index.mjs": text})
    package = '{"name": "esm", "version": "1.0.0", "type": "module", "exports": "./main.js"}'
    below = f"{folder}node_modules/esm"
    put(layer, {f"{below}/package.json": package, f"{below}/main.js": "export const it = 'found';\n"})
    said, found = judged(lab_engine, fn, layer)
    assert (said, set(found)) == (verdict, names)


@pytest.mark.registry
def test_sharp_in_a_layer_and_the_code_in_the_function(tmp_path: Path, npm: str, lab_engine: dict[str, str]) -> None:
    """The layer is what npm installs for each CPU; only the right one is run, and the other is named."""
    example = EXAMPLES / "thumbnail"
    fn = put(tmp_path / "fn", {"index.js": example / "index.js"})
    layers = {cpu: _layer(npm, example, tmp_path / cpu, cpu) for cpu in ("x64", "arm64")}
    assert judged(lab_engine, fn, layers["x64"]) == ("pass", {})
    done = lambdapack("invoke", fn, "--layer", layers["x64"], *TARGET, env=lab_engine)
    assert json.loads(done.stdout)["format"] == "png", done.stderr
    verdict, found = judged(lab_engine, fn, layers["arm64"])
    assert (verdict, set(found)) == ("fail", {"wrong-cpu", "import-throws"})
    done = lambdapack("invoke", fn, "--layer", layers["arm64"], *TARGET, env=lab_engine)
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert f"{layers['arm64']} is built for a different CPU" in said
    assert "is for arm64, the function runs on x86_64" in said


def _layer(npm: str, example: Path, directory: Path, cpu: str) -> Path:
    place = put(directory, {f"nodejs/{each}": example / each for each in ("package.json", "package-lock.json")})
    flags = ("--os=linux", f"--cpu={cpu}", "--libc=glibc", "--ignore-scripts", "--no-audit", "--no-fund")
    subprocess.run([npm, "ci", *flags], cwd=place / "nodejs", check=True, capture_output=True)
    return place
