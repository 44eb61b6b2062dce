"""`--layer` of verify and invoke, `--with-layer` of build, and `layers` in the settings."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from lambdapack.pack.digest import code_digest
from tests import elf
from tests.unit.pipeline.workshop import IMAGE, Workshop

TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")
Run = Callable[..., tuple[int, dict[str, Any], str]]


def put(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def zipped(directory: Path) -> Path:
    archive = directory.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                opened.write(path, path.relative_to(directory).as_posix())
    return archive


@pytest.fixture
def fn(tmp_path: Path) -> Path:
    return put(
        tmp_path / "fn",
        {"index.js": "exports.handler = 1", "package.json": '{"name": "fn", "dependencies": {"ms": "2"}}'},
    )


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    package = '{"name": "ms", "version": "2.1.3"}'
    return put(tmp_path / "layer", {"nodejs/node_modules/ms/package.json": package, "lib/a.txt": "12345"})


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*argv: str | Path) -> tuple[int, dict[str, Any], str]:
        code = run_command(["verify", *map(str, argv), *TARGET, "--format", "json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return call


def test_the_report_names_the_layers_in_the_functions_order(fn: Path, layer: Path, verify: Run) -> None:
    archive = zipped(layer)
    code, report, _ = verify(fn, "--layer", layer, "--layer", archive)
    assert (code, report["findings"]) == (0, [])
    assert report["subject"]["layers"] == [
        {"path": str(layer), "code_digest": None, "unzipped_bytes": 39},
        {"path": str(archive), "code_digest": code_digest(archive), "unzipped_bytes": 39},
    ]
    assert [each["name"] for each in verify(fn)[1]["findings"]] == ["dependency-missing"]


def test_layers_of_the_settings_are_relative_to_their_file_and_flags_count_more(
    fn: Path, layer: Path, verify: Run
) -> None:
    put(fn, {"lambdapack.toml": 'layers = ["../layer"]\n'})
    _, report, _ = verify(fn)
    assert report["findings"] == []
    assert [Path(each["path"]).resolve() for each in report["subject"]["layers"]] == [layer]
    _, report, _ = verify(fn, "--layer", zipped(layer))
    assert [each["path"] for each in report["subject"]["layers"]] == [str(layer.with_suffix(".zip"))]


def test_package_json_and_a_variable_may_name_them_too(
    fn: Path, layer: Path, verify: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(fn, {"package.json": '{"dependencies": {"ms": "2"}, "lambdapack": {"layers": ["../layer"]}}'})
    assert len(verify(fn)[1]["subject"]["layers"]) == 1
    monkeypatch.setenv("LAMBDAPACK_LAYERS", f"{layer},{zipped(layer)}")
    assert len(verify(fn)[1]["subject"]["layers"]) == 2


def test_a_layer_of_the_settings_is_not_laid_over_itself(
    fn: Path, layer: Path, verify: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(fn, {"lambdapack.toml": 'layers = ["../layer"]\n'})
    monkeypatch.chdir(fn)
    monkeypatch.setenv("LAMBDAPACK_LAYERS", str(layer))
    _, report, _ = verify("../layer")
    assert (report["subject"]["kind"], report["subject"]["layers"]) == ("layer", [])


def test_a_layer_is_judged_over_the_layers_below_it(tmp_path: Path, layer: Path, verify: Run) -> None:
    library = elf.library(tmp_path / "made", "libshiny.so.1")
    addon = elf.using(tmp_path / "made", "addon.node", library)
    upper = put(tmp_path / "upper", {"nodejs/node_modules/native/addon.node": addon.read_bytes()})
    assert "missing-library" in {each["name"] for each in verify(upper)[1]["findings"]}
    put(layer, {"lib/libshiny.so.1": library.read_bytes()})
    _, report, _ = verify(upper, "--layer", layer)
    assert report["subject"]["kind"] == "layer"
    assert "missing-library" not in {each["name"] for each in report["findings"]}
    assert {each["path"] for each in report["binaries"]} == {
        "nodejs/node_modules/native/addon.node",
        "/opt/lib/libshiny.so.1",
    }


@pytest.mark.parametrize("content", [None, {}, {"a.txt": "no zip"}], ids=["absent", "empty", "no zip"])
def test_what_is_no_layer_is_refused_by_its_name(
    tmp_path: Path, fn: Path, content: Mapping[str, str] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "strange"
    if content is not None:
        place.mkdir()
        place = put(place, content) / "a.txt" if content else place
    assert run_command(["verify", str(fn), "--layer", str(place), *TARGET]) == 2
    said = capsys.readouterr()
    assert "error[LP007]" in said.err
    assert place.name in said.err
    assert said.out == ""


def test_a_file_where_another_layer_has_a_directory_is_refused(
    tmp_path: Path, fn: Path, layer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = put(tmp_path / "other", {"lib": "a file"})
    assert run_command(["verify", str(fn), "--layer", str(layer), "--layer", str(other), *TARGET]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "error[LP008]" in said
    assert "'lib'" in said
    assert "Rename it in one of the layers" in said


def test_the_summary_counts_the_layers(fn: Path, layer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(fn), "--layer", str(layer), *TARGET]) == 0
    assert "+ 39 B in 1 layer, of 250 MB" in capsys.readouterr().out


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    shop = Workshop(tmp_path)
    for module in ("run.build", "run.invoke"):
        monkeypatch.setattr(f"lambdapack.cli.{module}.engine_connector", lambda *_args, **_options: shop.connect)
    monkeypatch.setenv("LAMBDAPACK_IMAGE", IMAGE)
    monkeypatch.setenv("LAMBDAPACK_BUILD_IMAGE", f"{IMAGE}-build")
    monkeypatch.setenv("LAMBDAPACK_LOAD", "never")  # no node runs in this engine
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "absent"))
    monkeypatch.chdir(shop.project)
    return shop


@pytest.mark.usefixtures("shop")
def test_a_build_is_judged_with_its_layers_and_does_not_pack_them(
    layer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A binary for another system in a layer is no pruned one: it is not ours to leave out."""
    made = elf.link(tmp_path / "made", "a.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    put(layer, {"nodejs/node_modules/native/prebuilds/linux-arm64/a.node": elf.with_machine(made, elf.ARM64)})
    assert run_command(["build", "--with-layer", str(layer), *TARGET, "--format", "json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert [each["path"] for each in report["subject"]["layers"]] == [str(layer)]
    assert "pruned" not in said.err
    with zipfile.ZipFile(report["subject"]["archive"]) as archive:
        assert [each for each in archive.namelist() if "native" in each or each.startswith(("nodejs", "lib"))] == []


def test_an_archive_or_layer_for_another_cpu_is_named_before_anything_runs(
    shop: Workshop, tmp_path: Path, layer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = elf.link(tmp_path / "made", "a.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    fn = put(tmp_path / "code", {"index.js": ""})
    put(layer, {"nodejs/node_modules/ms/a.node": elf.with_machine(made, elf.ARM64)})
    assert run_command(["invoke", str(fn), "--layer", str(layer), *TARGET]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{layer} is built for a different CPU" in said
    assert "Pass `--arch arm64`" in said
    assert shop.engine.opened == []
    put(fn, {"node_modules/own/a.node": elf.with_machine(made, elf.ARM64)})
    assert run_command(["invoke", str(fn), *TARGET]) == 2
    assert f"{fn} is built for a different CPU" in " ".join(capsys.readouterr().err.split())
