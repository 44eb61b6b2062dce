import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from lambdapack.pack.digest import code_digest
from lambdapack.pack.output import write_zip_manifest, zip_manifest_path
from tests import elf
from tests.unit.pipeline.workshop import DARWIN

TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")

Verify = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    def call(*argv: str | Path) -> tuple[int, dict[str, Any], str]:
        code = run_command(["verify", *map(str, argv), "--format", "json"])
        said = capsys.readouterr()
        document = json.loads(said.out)
        return code, document, said.err

    return call


def function(directory: Path, files: Mapping[str, bytes | str] | None = None) -> Path:
    """A function that was made on a Mac."""
    content = {
        "index.js": "exports.handler = async () => 1\n",
        "package.json": '{"name": "fn", "dependencies": {"addon": "1.0.0"}}',
        "node_modules/addon/package.json": '{"name": "addon", "version": "1.0.0", "main": "addon.node"}',
        "node_modules/addon/build/Release/addon.node": DARWIN,
        **(files or {}),
    }
    for name, data in content.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return directory


def zipped(directory: Path, archive: Path, below: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                opened.write(path, f"{below}{path.relative_to(directory).as_posix()}")
    return archive


def remember(archive: Path, digest: str, **more: Any) -> Path:
    return write_zip_manifest(
        archive, {"target": {"runtime": "nodejs20.x", "arch": "arm64"}, "code_digest": digest, **more}
    )


def test_a_tree_made_on_another_system_fails(tmp_path: Path, verify: Verify) -> None:
    code, report, said = verify(function(tmp_path / "fn"), *TARGET)
    assert code == 1
    assert (report["verdict"], report["subject"]["kind"]) == ("fail", "directory")
    assert [(each["path"], each["cause"]) for each in report["binaries"]] == [
        ("node_modules/addon/build/Release/addon.node", "not-elf")
    ]
    assert said == "Reading every native file\n"


def test_a_directory_named_node_modules_is_the_dependencies_of_its_project(tmp_path: Path, verify: Verify) -> None:
    project = function(tmp_path / "fn", {"lambdapack.toml": 'runtime = "nodejs20.x"\narch = "arm64"\n'})
    code, report, _ = verify(project / "node_modules")
    assert code == 1
    assert (report["target"]["runtime"], report["target"]["arch"]) == ("nodejs20.x", "arm64")
    assert report["binaries"][0]["path"] == "node_modules/addon/build/Release/addon.node"
    assert "handler-missing" not in {each["name"] for each in report["findings"]}


def test_node_modules_is_known_by_whatever_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: Verify
) -> None:
    project = function(tmp_path / "fn", {"lambdapack.toml": 'runtime = "nodejs20.x"\n'})
    monkeypatch.chdir(project / "node_modules")
    assert verify(".")[1]["target"]["runtime"] == "nodejs20.x"
    monkeypatch.chdir(project)
    assert verify("node_modules")[1]["target"]["runtime"] == "nodejs20.x"
    assert verify(".")[1]["target"]["runtime"] == "nodejs20.x"


def test_the_settings_of_a_function_in_node_modules_are_its_own(tmp_path: Path, verify: Verify) -> None:
    function(tmp_path / "node_modules" / "fn", {"lambdapack.toml": 'runtime = "nodejs20.x"\n'})
    assert verify(tmp_path / "node_modules" / "fn")[1]["target"]["runtime"] == "nodejs20.x"


@pytest.mark.parametrize("below", ["nodejs/", "nodejs/node22/"])
def test_a_layer_is_known_by_its_form(tmp_path: Path, below: str, verify: Verify) -> None:
    dependencies = function(tmp_path / "fn", {"index.js": "", "package.json": "{}"})
    (dependencies / "index.js").unlink()
    (dependencies / "package.json").unlink()
    code, report, _ = verify(zipped(dependencies, tmp_path / "layer.zip", below), *TARGET)
    assert code == 1
    assert report["subject"]["kind"] == "layer"
    assert report["binaries"][0]["path"].startswith(f"{below}node_modules/")
    assert {each["name"] for each in report["findings"]} <= {"not-elf", "missing-addon"}


def test_a_zip_is_judged_as_the_directory_is(tmp_path: Path, verify: Verify) -> None:
    directory = function(tmp_path / "fn")
    archive = zipped(directory, tmp_path / "fn.zip")
    _, whole, _ = verify(directory, *TARGET)
    code, report, _ = verify(archive, *TARGET)
    assert code == 1
    assert report["findings"] == whole["findings"]
    assert report["binaries"] == whole["binaries"]
    assert report["subject"]["code_digest"] == code_digest(archive)
    assert report["subject"]["zip_bytes"] == archive.stat().st_size


PEM = "-----BEGIN {0}-----\n" + "\n".join(["q83v" * 16] * 3) + "\n-----END {0}-----\n"


@pytest.mark.proves("secret-packed")
def test_a_key_in_the_functions_own_files_fails(tmp_path: Path, verify: Verify) -> None:
    project = function(tmp_path / "fn", {"config/key.pem": PEM.format("PRIVATE KEY")})
    code, report, _ = verify(zipped(project, tmp_path / "fn.zip"), *TARGET)
    assert code == 1
    assert ("secret-packed", "config/key.pem") in {(each["name"], each["path"]) for each in report["findings"]}


@pytest.mark.spares("secret-packed")
def test_a_certificate_and_a_key_that_a_dependency_tests_with_are_no_secrets(tmp_path: Path, verify: Verify) -> None:
    keys = {"config/ca.pem": PEM.format("CERTIFICATE"), "node_modules/addon/test/key.pem": PEM.format("PRIVATE KEY")}
    _, report, _ = verify(zipped(function(tmp_path / "fn", keys), tmp_path / "fn.zip"), *TARGET)
    assert "secret-packed" not in {each["name"] for each in report["findings"]}


@pytest.mark.parametrize("entries", [[], ["a/", "a/b/"]], ids=["nothing", "directories"])
def test_nothing_is_not_a_package(tmp_path: Path, entries: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "empty"
    directory.mkdir()
    for each in entries:
        (directory / each).mkdir()
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        for each in entries:
            archive.writestr(each, "")
    for target in (directory, tmp_path / "empty.zip"):
        assert run_command(["verify", str(target), *TARGET]) == 2
        said = capsys.readouterr()
        assert "error[LP007]" in said.err
        assert said.out == ""


def test_blanks_and_letters_of_any_alphabet_are_only_names(tmp_path: Path, verify: Verify) -> None:
    place = tmp_path / "my files" / "f\u00fcnktion \u96ea"
    function(place, {"node_modules/addon/\u00e9 \u96ea.node": DARWIN})
    code, report, _ = verify(place, *TARGET)
    assert code == 1
    assert report["subject"]["path"] == str(place)
    assert "node_modules/addon/\u00e9 \u96ea.node" in {each["path"] for each in report["binaries"]}


def test_the_manifest_beside_a_zip_says_the_target(tmp_path: Path, verify: Verify) -> None:
    archive = zipped(function(tmp_path / "fn"), tmp_path / "fn.zip")
    remember(archive, code_digest(archive), handler="main.run")
    _, report, said = verify(archive)
    assert (report["target"]["runtime"], report["target"]["arch"]) == ("nodejs20.x", "arm64")
    assert any("main.run" in each["message"] for each in report["findings"])
    assert "assumed" not in said


def test_a_flag_counts_more_than_the_manifest(tmp_path: Path, verify: Verify) -> None:
    archive = zipped(function(tmp_path / "fn"), tmp_path / "fn.zip")
    remember(archive, code_digest(archive))
    _, report, _ = verify(archive, "--arch", "x86_64")
    assert (report["target"]["runtime"], report["target"]["arch"]) == ("nodejs20.x", "x86_64")


def test_the_manifest_of_another_zip_counts_for_nothing(tmp_path: Path, verify: Verify) -> None:
    archive = zipped(function(tmp_path / "fn"), tmp_path / "fn.zip")
    remember(archive, "q83v" + "A" * 39 + "=", handler="main.run")
    _, report, said = verify(archive)
    assert report["target"]["arch"] == "x86_64"
    assert report["target"]["runtime"] != "nodejs20.x"
    assert not any("main.run" in each["message"] for each in report["findings"])
    assert "it belongs to another zip" in " ".join(said.split())


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema": "lambdapack/manifest/1"}', '{"schema": "lambdapack/manifest/1", "target": 3}']
)
def test_a_broken_manifest_is_no_manifest(tmp_path: Path, text: str, verify: Verify) -> None:
    archive = zipped(function(tmp_path / "fn"), tmp_path / "fn.zip")
    zip_manifest_path(archive).write_text(text)
    code, report, _ = verify(archive)
    assert code == 1
    assert report["target"]["arch"] == "x86_64"


def test_all_architectures_are_an_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for runtime, arches in (("nodejs22.x", ["x86_64", "arm64"]), ("nodejs10.x", ["x86_64"])):
        argv = ["verify", str(function(tmp_path / "fn")), "--runtime", runtime, "--arch", "all", "--format", "json"]
        assert run_command(argv) == 1
        documents = json.loads(capsys.readouterr().out)
        assert [each["target"]["arch"] for each in documents] == arches


def test_an_ignored_finding_is_counted_and_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["verify", str(function(tmp_path / "fn")), *TARGET, "--ignore", "LP202:node_modules/addon/*=a test"]
    assert run_command(argv) == 0
    said = capsys.readouterr().out
    assert "1 ignored" in said
    assert "LP202" not in said
    assert run_command([*argv, "-v"]) == 0
    assert "= reason: a test" in capsys.readouterr().out


def test_an_ignored_path_is_a_pattern_and_others_still_count(tmp_path: Path, verify: Verify) -> None:
    code, report, _ = verify(function(tmp_path / "fn"), *TARGET, "--ignore", "LP202:vendor/*=a test")
    assert code == 1
    assert [each["ignored"] for each in report["findings"]] == [None]


@pytest.mark.parametrize(
    ("fail_on", "broken", "deprecated", "without_handler"),
    [("error", 1, 0, 0), ("warning", 1, 1, 0), ("note", 1, 1, 1), ("never", 0, 0, 0)],
)
@pytest.mark.parametrize("style", ["human", "json"])
def test_fail_on_decides_and_the_format_does_not(
    tmp_path: Path,
    fail_on: str,
    broken: int,
    deprecated: int,
    without_handler: int,
    style: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sound = tmp_path / "sound"
    sound.mkdir()
    (sound / "index.js").write_text("")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "x.js").write_text("")
    how = ["--fail-on", fail_on, "--format", style, "--arch", "x86_64"]
    assert run_command(["verify", str(function(tmp_path / "fn")), "--runtime", "nodejs22.x", *how]) == broken
    assert run_command(["verify", str(sound), "--runtime", "nodejs20.x", *how]) == deprecated
    assert run_command(["verify", str(tmp_path / "bare"), "--runtime", "nodejs22.x", *how]) == without_handler
    capsys.readouterr()


def test_history_and_the_output_of_packers_are_not_the_package(tmp_path: Path, verify: Verify) -> None:
    places = (".git/x.node", ".lambdapack/x.node", ".aws-sam/build/x.node", "cdk.out/x.node")
    project = function(tmp_path / "fn", dict.fromkeys(places, DARWIN))
    assert len(verify(project, *TARGET)[1]["binaries"]) == 1


def test_quiet_says_nothing_but_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(function(tmp_path / "fn")), *TARGET, "--quiet"]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = os.fsencode(tmp_path) + b"/fn/\xff.js"
    (tmp_path / "fn").mkdir()
    with open(odd, "wb"):  # noqa: PTH123  # a Path cannot say it
        pass
    assert run_command(["verify", str(tmp_path / "fn"), *TARGET]) == 2
    assert "LP008" in capsys.readouterr().err


def test_an_assumed_architecture_that_no_binary_is_for_is_asked_about(tmp_path: Path, verify: Verify) -> None:
    made = elf.link(tmp_path, "addon.node", elf.V8_SYMBOL, "-DABI=127")
    for_arm = elf.with_machine(made.read_bytes(), elf.ARM64)
    fn = function(tmp_path / "fn", {"node_modules/addon/build/Release/addon.node": for_arm})
    _, _, said = verify(fn, "--runtime", "nodejs22.x")
    assert f"`lambdapack verify {fn} --arch arm64`" in " ".join(said.split())
    assert "no architecture" not in verify(fn, *TARGET)[2]


def test_what_was_made_on_a_mac_is_no_reason_to_ask_for_another_architecture(tmp_path: Path, verify: Verify) -> None:
    assert "no architecture" not in verify(function(tmp_path / "fn"), "--runtime", "nodejs22.x")[2]
