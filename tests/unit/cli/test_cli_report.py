"""What the report promises (README, `lambdapack schema report`), on real trees through the whole command."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests import elf
from tests.command import lambdapack
from tests.projects import real_lock, write_project

Judge = Callable[..., dict[str, Any]]

GOOD = (elf.NODE_API, "-DLEVEL=8")
LATER = (elf.NODE_API + "\nint later(void);\nint f(void) { return later(); }\n", "-DLEVEL=8", "-Wl,-z,lazy")
NOW = (*LATER[:2], "-Wl,-z,now")
UNSURE = (LATER[0].replace("later", "SSL_new"), *LATER[1:])


@pytest.fixture
def judge(capsys: pytest.CaptureFixture[str]) -> Judge:
    def call(target: Path, *flags: str, arch: str = "x86_64") -> dict[str, Any]:
        argv = ["verify", str(target), "--runtime", "nodejs16.x", "--arch", arch, *flags]
        code = run_command([*argv, "--format", "json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert run_command(argv) == code, "the format changes the exit code"
        capsys.readouterr()
        return {**document, "exit": code}

    return call


def put(directory: Path, path: str, made: Path) -> Path:
    place = directory / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(made.read_bytes())
    return directory


def package(directory: Path, place: str, name: str, version: str) -> None:
    (directory / place).mkdir(parents=True, exist_ok=True)
    (directory / place / "package.json").write_text(json.dumps({"name": name, "version": version}))


def addon(tmp_path: Path, source: str, *flags: str) -> Path:
    return elf.link(tmp_path / "made", "addon.node", source, *flags)


@pytest.fixture
def function(tmp_path: Path) -> Path:
    package(tmp_path / "fn", "", "fn", "1.0.0")
    (tmp_path / "fn" / "index.js").write_text("exports.handler = async () => 1\n")
    return tmp_path / "fn"


@pytest.mark.parametrize(
    ("form", "outcome", "verdict"),
    [(GOOD, "loads", "pass"), (LATER, "dies-later", "fail"), (NOW, "fails", "fail"), (UNSURE, "unknown", "warn")],
    ids=["loads", "dies-later", "fails", "unknown"],
)
def test_the_worst_outcome_of_what_is_loaded_is_the_verdict(
    tmp_path: Path, function: Path, judge: Judge, form: tuple[str, ...], outcome: str, verdict: str
) -> None:
    source = form[0].replace("later", "node_api_create_property_key_utf8")
    report = judge(put(function, "addon.node", addon(tmp_path, source, *form[1:])))
    # nodejs16.x has reached its end: that warning is of the runtime, not of the file.
    wanted = "warn" if verdict == "pass" else verdict
    assert [each["outcome"] for each in report["binaries"]] == [outcome]
    assert (report["verdict"], report["exit"]) == (wanted, 1 if verdict == "fail" else 0)


def test_what_nobody_loads_has_an_outcome_and_counts_only_when_everything_does(
    tmp_path: Path, function: Path, judge: Judge
) -> None:
    good = addon(tmp_path, *GOOD)
    package(function, "node_modules/a", "a", "2.0.0")
    put(function, "node_modules/a/prebuilds/linux-x64/a.node", good)
    put(function, "node_modules/a/prebuilds/linux-arm64/a.node", good)
    report = judge(function)
    found = {each["path"].split("/")[3]: (each["selected"], each["outcome"]) for each in report["binaries"]}
    assert found == {"linux-arm64": (False, "loads"), "linux-x64": (True, "loads")}
    arm = judge(function, arch="arm64")
    assert {each["selected"]: each["cause"] for each in arm["binaries"]} == {True: "wrong-cpu", False: "wrong-cpu"}
    assert len([each for each in arm["findings"] if each["name"] == "wrong-cpu"]) == 1
    everything = judge(function, "--all-binaries", arch="arm64")
    assert len([each for each in everything["findings"] if each["name"] == "wrong-cpu"]) == 2


def test_what_is_ignored_stays_in_the_report_with_its_reason(tmp_path: Path, function: Path, judge: Judge) -> None:
    put(function, "addon.node", addon(tmp_path, *GOOD))
    report = judge(function, "--ignore", "wrong-cpu=known", "--ignore", "LP308=moved soon", arch="arm64")
    assert {each["name"]: each["ignored"] for each in report["findings"] if each["ignored"]}["wrong-cpu"] == "known"
    assert report["binaries"][0]["outcome"] == "fails"
    assert (report["verdict"] != "fail", report["exit"]) == (True, 0)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("node_modules/a", "a"),
        ("node_modules/@scope/a", "@scope/a"),
        ("node_modules/b/node_modules/a", "a"),
        ("node_modules/b/node_modules/@scope/a", "@scope/a"),
        ("node_modules/.pnpm/a@1.2.3/node_modules/a", "a"),
        ("node_modules/.pnpm/@scope+a@1.2.3_b@2.0.0/node_modules/@scope/a", "@scope/a"),
    ],
)
@pytest.mark.parametrize("root", ["", "nodejs/", "nodejs/node16/"])
def test_every_binary_names_its_package_and_version(
    tmp_path: Path, judge: Judge, place: str, name: str, root: str
) -> None:
    tree = tmp_path / "tree"
    package(tree, f"{root}{place}", name, "1.2.3")
    package(tree, f"{root}{place}/dist/esm", "marker", "9.9.9")
    put(tree, f"{root}{place}/dist/esm/addon.node", addon(tmp_path, *GOOD))
    report = judge(tree)
    assert [(each["package"], each["version"]) for each in report["binaries"]] == [(name, "1.2.3")]
    assert report["subject"]["kind"] == ("layer" if root else "directory")


@pytest.mark.parametrize(
    ("source", "flags", "registration"),
    [
        (elf.NODE_API, ("-DLEVEL=9",), {"kind": "node-api", "abi": None, "node_api": 9}),
        (elf.NODE_API_WITHOUT_LEVEL, (), {"kind": "node-api", "abi": None, "node_api": None}),
        (elf.V8_PLAIN, ("-DABI=93",), {"kind": "v8", "abi": 93, "node_api": None}),
        (elf.V8_SYMBOL, ("-DABI=108",), {"kind": "v8", "abi": 108, "node_api": None}),
        ("int f(void) { return 1; }", (), {"kind": "none", "abi": None, "node_api": None}),
    ],
    ids=["node-api", "without-level", "v8", "v8-symbol", "none"],
)
def test_the_registration_is_told(
    tmp_path: Path, function: Path, judge: Judge, source: str, flags: tuple[str, ...], registration: dict[str, Any]
) -> None:
    report = judge(put(function, "addon.node", addon(tmp_path, source, *flags)))
    assert [each["registration"] for each in report["binaries"]] == [registration]


def test_a_zip_may_hold_names_of_any_encoding(tmp_path: Path, function: Path, judge: Judge) -> None:
    made = addon(tmp_path, *GOOD)
    with zipfile.ZipFile(tmp_path / "fn.zip", "w") as archive:
        archive.write(function / "index.js", "index.js")
        archive.write(made, "gr\u00fc\u00dfe/\u96ea.node")
        archive.write(made, "XXXX.node")
    raw = (tmp_path / "fn.zip").read_bytes().replace(b"XXXX.node", b"\x81\x82\xff\xfe.node")
    (tmp_path / "fn.zip").write_bytes(raw)
    paths = [each["path"] for each in judge(tmp_path / "fn.zip")["binaries"]]
    assert len(paths) == 2
    assert "gr\u00fc\u00dfe/\u96ea.node" in paths


def test_all_architectures_are_an_array_when_a_lockfile_is_refused_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = real_lock("sharp-0.34.5")
    del lock["packages"]["node_modules/@img/sharp-linux-arm64"]
    project = write_project(
        tmp_path / "fn", {"dependencies": {"sharp": "0.34.5"}}, lock, {"index.js": "exports.handler = 1"}
    )
    assert run_command(["build", str(project), "--runtime", "nodejs22.x", "--arch", "all", "--format", "json"]) == 1
    documents = json.loads(capsys.readouterr().out)
    assert [(each["target"]["arch"], each["verdict"]) for each in documents] == [("x86_64", "pass"), ("arm64", "fail")]


@pytest.mark.parametrize("arch", ["x86_64", "all"])
def test_what_could_not_be_judged_is_one_failure(tmp_path: Path, arch: str) -> None:
    (tmp_path / "fn.zip").write_bytes(b"PK\x03\x04 and no more")
    done = lambdapack("verify", tmp_path / "fn.zip", "--runtime", "nodejs22.x", "--arch", arch, "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["schema"], document["code"]) == (2, "lambdapack/failure/1", "LP007")


def test_a_defect_of_ours_is_a_failure_in_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_style: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lambdapack.cli.run.runtimes.run_runtimes_list", broken)
    assert run_command(["runtimes", "--format", "json"]) == 70
    document = json.loads(capsys.readouterr().out)
    assert (document["code"], document["what"]) == ("LP999", "internal error in lambdapack: ZeroDivisionError: oh")


ASCII = (
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locales")
@pytest.mark.parametrize("environment", ASCII, ids=",".join)
@pytest.mark.parametrize("style", ["human", "json"])
def test_a_terminal_that_knows_only_ascii_is_no_reason_to_stop(
    tmp_path: Path, environment: dict[str, str], style: str
) -> None:
    with zipfile.ZipFile(tmp_path / "fn.zip", "w") as archive:
        archive.writestr("index.js", "")
        archive.writestr("gr\u00fc\u00dfe/\u96ea.node", b"MZ" + bytes(200))
    argv = ("verify", tmp_path / "fn.zip", "--runtime", "nodejs22.x", "--format", style)
    done = lambdapack(*argv, env=environment)
    assert done.returncode == 1, done.stderr
    assert "LP202" in done.stdout
    assert "Traceback" not in done.stderr
