"""Commands without a target take the zip that was built here, for that zip's runtime and architecture."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from lambdapack.cli.input.built_zips import is_older_than_project
from tests.cloud.deploying import ARM, Site

Said = tuple[int, str, str]
Call = Callable[..., Said]

ARM_ZIP = ".lambdapack/fn-nodejs22.x-arm64.zip"
X86_ZIP = ".lambdapack/fn-nodejs22.x-x86_64.zip"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    (tmp_path / "package.json").write_text('{"name": "fn"}')
    (tmp_path / "index.js").write_text("exports.handler = async () => 1\n")
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setenv("LAMBDAPACK_CACHE", "off")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Said:
        code = run_command(list(words))
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return run


def build(call: Call, arch: str, *words: str) -> None:
    code, _out, said = call("build", "--no-install", "--runtime", "nodejs22.x", "--arch", arch, *words)
    assert code == 0, said


def test_verify_takes_the_only_zip_with_its_target(call: Call) -> None:
    build(call, "arm64")
    code, out, said = call("verify")
    assert (code, "pass: nodejs22.x/arm64" in out) == (0, True)
    assert f"verifying {ARM_ZIP}" in said
    assert "assumed" not in said


def test_of_several_zips_options_and_settings_choose(call: Call) -> None:
    build(call, "arm64")
    build(call, "x86_64")
    code, out, said = call("verify")
    assert (code, out) == (2, "")
    assert f"{ARM_ZIP}, {X86_ZIP}" in said
    assert "pass `--arch` and `--runtime`" in said
    assert "pass: nodejs22.x/arm64" in call("verify", "--arch", "arm64")[1]
    Path("lambdapack.toml").write_text('arch = "x86_64"\n')
    assert "pass: nodejs22.x/x86_64" in call("verify")[1]


def test_an_option_that_no_zip_fits_finds_none(call: Call) -> None:
    build(call, "arm64")
    code, _out, said = call("verify", "--arch", "x86_64")
    assert code == 2
    assert "no zip of `lambdapack build` is here" in said


def test_the_output_of_the_settings_is_looked_at(call: Call) -> None:
    Path("lambdapack.toml").write_text('output = "dist/fn.zip"\n')
    build(call, "arm64")
    assert "verifying" in (said := call("verify")[2])
    assert "dist/fn.zip" in said


def test_a_zip_with_the_manifest_of_another_does_not_count(call: Call) -> None:
    build(call, "arm64")
    document = json.loads(Path(f"{ARM_ZIP}.lambdapack.json").read_text())
    Path(f"{ARM_ZIP}.lambdapack.json").write_text(json.dumps({**document, "code_digest": "x"}))
    assert call("verify")[0] == 2


def test_without_any_zip_a_target_is_asked_for(call: Call) -> None:
    code, _out, said = call("verify")
    assert code == 2
    assert "TARGET is missing" in said


def test_a_zip_is_older_than_a_file_or_a_lockfile_written_since(call: Call) -> None:
    build(call, "arm64")
    Path("package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}')
    later = Path(ARM_ZIP).stat().st_mtime_ns
    for name in ("package.json", "index.js", "package-lock.json"):
        os.utime(name, ns=(later - 1, later - 1))
    assert not is_older_than_project(Path(ARM_ZIP), Path())
    for name in ("index.js", "package-lock.json"):
        os.utime(name, ns=(later + 1, later + 1))
        assert is_older_than_project(Path(ARM_ZIP), Path())
        os.utime(name, ns=(later - 1, later - 1))


def test_deploy_takes_the_zip_and_builds_a_changed_project_again(
    call: Call, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path_factory.mktemp("cloud"))
    site.function(architecture=ARM)
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", lambda *_arguments, **_place: site.aws.cloud())
    build(call, "arm64")
    code, _out, said = call("deploy", "--function", "fn", "--alias", "live", "--dry-run")
    assert f"deploying {ARM_ZIP}" in said
    assert code == 0, said
    later = Path(ARM_ZIP).stat().st_mtime_ns + 1
    os.utime("index.js", ns=(later, later))
    code, _out, said = call("deploy", "--function", "fn", "--alias", "live", "--dry-run")
    assert f"{ARM_ZIP} is older than the project, which is built again" in said
    assert "LP150" in said, "a build without a lockfile ends with that"


def test_a_zip_that_is_older_than_the_code_of_its_project_is_stale(
    call: Call, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path_factory.mktemp("cloud"))
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", lambda *_arguments, **_place: site.aws.cloud())
    site.function(architecture=ARM)
    build(call, "arm64")
    words = ("deploy", ARM_ZIP, "--project", ".", "--function", "fn", "--alias", "live", "--dry-run")
    assert call(*words)[0] == 0
    Path("notes.txt").write_text("no code")
    assert call(*words)[0] == 0
    Path("added.js").write_text("exports.added = 1\n")
    code, out, said = call(*words)
    assert code == 1
    assert "LP320" in out + said
    assert "changed since it was built: added.js" in said
    Path("added.js").unlink()
    Path("index.js").write_text("exports.handler = async () => 2\n")
    assert "changed since it was built: index.js" in call(*words)[2]
    assert "warning[LP320]" in call("verify")[1]
