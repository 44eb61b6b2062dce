import json
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests.unit.cli.test_cli_verify import TARGET, function

NOBODY = "unix:///nobody/answers/here.sock"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, and no engine: `clear` must never reach the real one's volumes."""
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", NOBODY)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "cache"


def kept(capsys: pytest.CaptureFixture[str], command: str) -> dict[str, Any]:
    assert run_command(["cache", command, "--format", "json"]) == 0
    return {each["kind"]: each for each in json.loads(capsys.readouterr().out)["kept"]}


def test_verifying_fills_the_cache_and_clearing_empties_it(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept(capsys, "show")["binaries"]["entries"] == 0
    run_command(["verify", str(function(tmp_path / "fn")), *TARGET])
    capsys.readouterr()
    shown = kept(capsys, "show")["binaries"]
    assert (shown["entries"], shown["place"]) == (1, str(cache / "binaries"))
    assert shown["bytes"] == sum(each.stat().st_size for each in (cache / "binaries").iterdir())
    assert kept(capsys, "clear")["binaries"] == shown
    assert kept(capsys, "show")["binaries"]["entries"] == 0
    assert not cache.exists()


def test_people_see_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["verify", str(function(tmp_path / "fn")), *TARGET])
    capsys.readouterr()
    assert run_command(["cache", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["WHAT", "ENTRIES", "SIZE", "WHERE"]
    assert lines[1].startswith("facts of binaries     1 ")
    assert lines[-1].startswith("all ")


@pytest.mark.parametrize("form", ["human", "json"])
def test_the_verdict_is_the_same_with_and_without(
    form: str, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", str(function(tmp_path / "fn")), *TARGET, "--format", form]
    said = []
    for flags in ([], [], ["--no-cache"]):
        code = run_command([*command, *flags])
        said.append((code, *capsys.readouterr()))
    assert said[0] == said[1] == said[2]
    assert cache.exists()


def test_without_a_cache_nothing_is_written(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["verify", str(function(tmp_path / "fn")), *TARGET, "--no-cache"])
    capsys.readouterr()
    assert not cache.exists()


@pytest.mark.parametrize("word", ["off", "false", "0"])
def test_the_setting_can_switch_it_off(
    word: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMBDAPACK_CACHE", word)
    run_command(["verify", str(function(tmp_path / "fn")), *TARGET])
    assert run_command(["cache", "show"]) == 0
    assert run_command(["cache", "clear"]) == 0
    assert "facts of binaries" not in capsys.readouterr().out
    assert not cache.exists()
    assert not (tmp_path / "elsewhere" / word).exists()


def test_a_project_can_name_its_own(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAMBDAPACK_CACHE")
    project = function(tmp_path / "fn", {"lambdapack.toml": 'cache = "../shared"\n'})
    run_command(["verify", str(project), *TARGET])
    capsys.readouterr()
    assert (tmp_path / "shared" / "binaries").is_dir()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = function(tmp_path / "fn")
    expected = run_command(["verify", str(project), *TARGET, "--no-cache"]), capsys.readouterr()
    cache.write_text("a file is here")
    assert (run_command(["verify", str(project), *TARGET]), capsys.readouterr()) == expected
    assert cache.read_text() == "a file is here"
