"""A template's architecture that no literal is: taken where it can be read, and otherwise asked for."""

from pathlib import Path

import pytest

from lambdapack.cli.app import run_command

TEMPLATE = """\
Parameters:
  Arch: {Type: String, Default: arm64}
Globals:
  Function:
    Runtime: nodejs22.x
    Architectures: [!Ref Arch]
Resources:
  Resize:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/resize/, Handler: app.run}
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    directory = tmp_path / "functions" / "resize"
    directory.mkdir(parents=True)
    (directory / "package.json").write_text('{"name": "resize"}')
    (directory / "app.js").write_text("exports.run = () => 1\n")
    return directory


def make_unreadable(function: Path) -> None:
    (function.parents[1] / "template.yaml").write_text(TEMPLATE.replace(", Default: arm64", ""))


def test_a_parameters_default_is_what_is_verified_for(function: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(function)]) == 0
    shown = capsys.readouterr()
    assert "pass: nodejs22.x/arm64" in shown.out
    said = " ".join(shown.err.split())
    assert "the architecture is arm64 (template.yaml:6, default of parameter Arch)" in said
    assert run_command(["verify", str(function), "--arch", "x86_64"]) == 0
    assert "the architecture is" not in capsys.readouterr().err


def test_init_writes_what_was_resolved_and_says_where_it_is_from(
    function: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["init", str(function), "--sam"]) == 0
    assert "build-Resize:\n\t$(LAMBDAPACK) build" in (text := (function / "lambdapack-sam.mk").read_text())
    assert "--runtime nodejs22.x --arch arm64" in text
    said = " ".join(capsys.readouterr().err.split())
    assert "Resize gets arm64 (template.yaml:6, default of parameter Arch)" in said
    assert run_command(["init", str(function), "--print"]) == 0
    assert 'arch = "arm64"' in capsys.readouterr().out


@pytest.mark.parametrize("command", [["build"], ["verify"], ["init"], ["init", "--sam"], ["invoke"]])
def test_one_that_cannot_be_read_is_asked_for(
    function: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    make_unreadable(function)
    assert run_command([command[0], str(function), *command[1:]]) == 2
    shown = capsys.readouterr()
    said = " ".join(shown.err.split())
    assert shown.out == ""
    assert "error[LP015]" in said
    assert "template.yaml:6: `[!Ref Arch]`: parameter Arch has no default" in said
    assert "Pass `--arch arm64` or `--arch x86_64`" in said


def test_an_option_a_setting_and_a_variable_settle_it(
    function: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_unreadable(function)
    assert run_command(["verify", str(function), "--arch", "arm64"]) == 0
    (function / "lambdapack.toml").write_text('arch = "x86_64"\n')
    assert run_command(["verify", str(function)]) == 0
    monkeypatch.setenv("LAMBDAPACK_ARCH", "arm64")
    assert run_command(["verify", str(function)]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("pass")] == [
        "nodejs22.x/arm64",
        "nodejs22.x/x86_64",
        "nodejs22.x/arm64",
    ]


def test_variables_without_a_load_test_are_refused(function: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", str(function), "--env", "A=1"]) == 2
    assert "--env and --env-file are for --load" in " ".join(capsys.readouterr().err.split())
