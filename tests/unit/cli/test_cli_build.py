import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from lambdapack.pack.output import zip_manifest_path
from tests.fakes import Process
from tests.unit.pipeline.workshop import ARM, DARWIN, IMAGE, X86, Workshop

Said = tuple[int, str, str]
Build = Callable[..., Said]


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def build(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Build:
    monkeypatch.setattr("lambdapack.cli.run.build.engine_connector", lambda *_args, **_options: shop.connect)
    monkeypatch.setenv("LAMBDAPACK_IMAGE", IMAGE)
    monkeypatch.setenv("LAMBDAPACK_BUILD_IMAGE", f"{IMAGE}-build")
    monkeypatch.setenv("LAMBDAPACK_LOAD", "never")  # no node runs in this engine
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "absent"))
    monkeypatch.chdir(shop.project)

    def call(*argv: str | Path) -> Said:
        code = run_command(["build", "--runtime", "nodejs22.x", *map(str, argv)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def for_darwin_on_arm(process: Process) -> None:
    if "--cpu=arm64" in process.argv:
        process.write("/var/task/node_modules/ms/build/Release/ms.node", DARWIN)


def test_stdout_is_the_path_of_the_archive(build: Build) -> None:
    code, out, err = build()
    assert (code, out) == (0, f"{Path('.lambdapack/fn-nodejs22.x-x86_64.zip')}\n")
    assert Path(out.strip()).is_file()
    assert err.splitlines()[-2] == "pass: nodejs22.x/x86_64 - no native code - no findings"
    assert "no archive" not in err


def test_stdout_has_a_path_for_each_architecture(build: Build, tmp_path: Path) -> None:
    code, out, _ = build("--arch", "all", "--output", tmp_path / "out")
    assert code == 0
    names = ["fn-nodejs22.x-x86_64.zip", "fn-nodejs22.x-arm64.zip"]
    assert out.splitlines() == [str(tmp_path / "out" / name) for name in names]


def test_one_file_cannot_be_two_archives(build: Build, tmp_path: Path) -> None:
    code, out, err = build("--arch", "all", "--output", tmp_path / "x.zip")
    assert (code, out) == (2, "")
    assert "--output dist/" in err


def test_what_a_person_reads_of_a_refused_build(
    build: Build, shop: Workshop, golden: Callable[[str, str], None]
) -> None:
    shop.ship = for_darwin_on_arm
    (shop.project / ".env").write_text("A=1")
    code, out, err = build("--arch", "all")
    assert (code, out) == (1, "")
    assert [line for line in err.splitlines() if len(line) > 80] == []
    golden("build-refused.txt", re.sub(r"(?m)^time: .*(\n {6}.*)*\n", "", err))  # a busy machine takes long


def test_json_is_the_same_judgement(build: Build, shop: Workshop) -> None:
    shop.ship = for_darwin_on_arm
    code, out, _ = build("--arch", "all", "--format", "json")
    assert code == 1
    documents = json.loads(out)
    assert [(each["target"]["arch"], each["verdict"]) for each in documents] == [("x86_64", "pass"), ("arm64", "fail")]
    assert [each["subject"]["archive"] for each in documents] == [None, None]


def test_json_of_one_build_is_one_object_with_its_archive(build: Build) -> None:
    code, out, _ = build("--format", "json")
    document = json.loads(out)
    assert code == 0
    assert Path(document["subject"]["archive"]).stat().st_size == document["subject"]["zip_bytes"]


def test_a_lockfile_finding_is_a_report_in_json_too(build: Build, shop: Workshop) -> None:
    Path("package-lock.json").unlink()
    code, out, err = build("--format", "json")
    document = json.loads(out)
    assert (code, [each["name"] for each in document["findings"]]) == (1, ["lock-missing"])
    assert shop.asked == []
    assert "npm install --package-lock-only" in err


def test_a_severity_that_fails_leaves_no_archive_for_make_to_believe(build: Build, shop: Workshop) -> None:
    shop.engine.images |= {"lambdapack-lab/nodejs:20-x86_64": X86}
    code, out, err = build("--runtime", "nodejs20.x", "--fail-on", "warning", "--output", "x.zip")
    assert (code, out) == (1, "")
    assert "warning[LP307]" in err
    assert not Path("x.zip").exists()
    code, out, _ = build("--runtime", "nodejs20.x", "--output", "x.zip")
    assert (code, out) == (0, "x.zip\n")


def test_nothing_lets_a_package_through_that_will_not_load(build: Build, shop: Workshop) -> None:
    shop.ship = for_darwin_on_arm
    code, out, _ = build("--arch", "arm64", "--fail-on", "never")
    assert (code, out) == (1, "")


def test_quiet_keeps_the_summary(build: Build) -> None:
    code, out, err = build("--quiet")
    assert code == 0
    assert out
    assert [line[:5] for line in err.splitlines() if not line.startswith(" ")] == ["pass:"]


def test_verbose_names_what_is_left_out_and_why(build: Build) -> None:
    Path(".env").write_text("A=1")
    assert "left out: .env (-v says why)\n" in build()[2]
    assert "left out: .env (may hold secrets)\n" in build("-v")[2]


def test_many_left_out_are_counted(build: Build) -> None:
    for name in (".env", ".env.local", ".npmrc", ".DS_Store", ".netrc"):
        Path(name).write_text("")
    assert "left out: .DS_Store, .env, .env.local and 2 more (-v says why)\n" in build()[2]


def test_our_own_output_and_the_hosts_modules_are_not_worth_a_word(build: Build) -> None:
    Path("node_modules").mkdir(exist_ok=True)
    Path("node_modules", "a.js").write_text("")
    build()
    assert "left out" not in build()[2]
    assert "left out: node_modules (" in build("-v")[2]


def test_a_layer_has_a_name_of_its_own(build: Build) -> None:
    code, out, _ = build("--layer")
    assert (code, out) == (0, f"{Path('.lambdapack/fn-layer-nodejs22.x-x86_64.zip')}\n")
    manifest = json.loads(zip_manifest_path(Path(out.strip())).read_text())
    assert manifest["kind"] == "layer"


def test_a_scoped_name_is_no_directory(build: Build) -> None:
    manifest = json.loads(Path("package.json").read_text())
    Path("package.json").write_text(json.dumps({**manifest, "name": "@acme/fn"}))
    lock = json.loads(Path("package-lock.json").read_text())
    Path("package-lock.json").write_text(json.dumps({**lock, "name": "@acme/fn"}))
    code, out, _ = build()
    assert (code, Path(out.strip()).name) == (0, "acme-fn-nodejs22.x-x86_64.zip")


def test_an_output_that_cannot_be_written_is_exit_3(build: Build) -> None:
    Path("file").write_text("")
    code, out, err = build("--output", Path("file", "x.zip"))
    assert (code, out) == (3, "")
    assert "error[LP009]" in err


def test_an_engine_for_each_architecture_is_asked_once(build: Build, shop: Workshop) -> None:
    assert build("--arch", "all")[0] == 0
    assert shop.asked == [X86, ARM]
