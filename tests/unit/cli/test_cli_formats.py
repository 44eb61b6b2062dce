"""What CI services are given, by the command line."""

import json
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from tests.projects import lock_of, write_project
from tests.unit.pipeline.workshop import DARWIN

TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A function made on a Mac, in a directory of a repository."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    packages = {"node_modules/addon": {"version": "1.0.0"}}
    project = write_project(
        tmp_path / "repository" / "services" / "api",
        {"dependencies": {"addon": "1.0.0"}},
        lock_of(packages, {"name": "fn", "version": "1.0.0", "dependencies": {"addon": "1.0.0"}}),
        {
            "index.js": "exports.handler = async () => 1\n",
            "node_modules/addon/package.json": '{"name": "addon", "version": "1.0.0", "main": "addon.node"}',
        },
    )
    (project / "node_modules" / "addon" / "addon.node").write_bytes(DARWIN)
    return project


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_sarif_shows_a_binary_at_the_lockfiles_line_from_the_root_of_the_repository(
    function: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["verify", str(function), *TARGET, "--format", "sarif"]) == 1
    [sarif] = json.loads(capsys.readouterr().out)["runs"]
    places = {
        each["ruleId"]: each["locations"][0]["physicalLocation"]
        for each in sarif["results"]
        if each["level"] == "error"
    }
    assert places == {
        "LP202": {
            "artifactLocation": {"uri": "services/api/package-lock.json"},
            "region": {"startLine": line_of(function / "package-lock.json", '"node_modules/addon"')},
        }
    }


def test_the_runners_workspace_is_the_repository(
    function: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(function.parent))
    run_command(["verify", str(function), *TARGET, "--format", "github"])
    assert "::error file=api/package-lock.json,line=" in capsys.readouterr().out


def test_github_gets_its_summary_as_well(
    function: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("Before.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run_command(["verify", str(function), *TARGET, "--format", "github"]) == 1
    assert summary.read_text().startswith("Before.\n### lambdapack: fail for nodejs22.x/x86_64\n")
    assert "### lambdapack" not in capsys.readouterr().out


def test_a_summary_that_cannot_be_written_changes_nothing_else(
    function: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "missing" / "summary.md"))
    assert run_command(["verify", str(function), *TARGET, "--format", "github"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("::error file=")
    assert "cannot write the step summary" in said.err


def test_gitlab_and_markdown_are_the_product(function: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(function), *TARGET, "--format", "gitlab"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["location"]["path"] == "services/api/package-lock.json"
    assert run_command(["verify", str(function), *TARGET, "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("### lambdapack: fail")


def test_a_failure_is_annotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(tmp_path / "missing"), "--format=github"]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("::error title=LP007 ")
    assert "error[LP007]" in said.err


def test_a_build_that_is_refused_points_into_the_lockfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    packages = {"node_modules/x": {"version": "1.0.0", "resolved": "../x", "link": True}}
    root = {"name": "fn", "version": "1.0.0", "dependencies": {"x": "file:../x"}}
    project = write_project(
        tmp_path / "fn",
        {"dependencies": {"x": "file:../x"}},
        lock_of(packages, root),
        {"index.js": "exports.handler=1"},
    )
    assert run_command(["build", str(project), *TARGET, "--format", "github"]) == 1
    assert "::error file=fn/package" in capsys.readouterr().out
