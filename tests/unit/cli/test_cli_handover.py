"""What cannot go straight into another tool is refused before anything is built."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command

TEMPLATE = """\
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: ., Runtime: nodejs22.x, Architectures: [{api}]}}
  Worker:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: ., Runtime: nodejs22.x, Architectures: [{worker}]}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "package.json").write_text('{"name": "fn"}')
    (tmp_path / "index.js").write_text("exports.handler = () => 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--into", "out", "--arch", "all"], "--into takes one package, but there are 2 targets"),
        (["--into", "out", "--output", "x.zip"], "--into and --output"),
        (["--format", "terraform-external", "--arch", "all"], "--format terraform-external takes one package"),
    ],
)
def test_one_package_goes_to_one_place(
    project: Path, arguments: Sequence[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["build", "--runtime", "nodejs22.x", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, said in " ".join(shown.err.split())) == ("", True)
    assert not (project / "out").exists()


@pytest.mark.parametrize(
    ("api", "worker", "into", "refused"),
    [
        ("x86_64", "arm64", "Api", True),  # sam's directory has the name of the resource
        ("arm64", "x86_64", "Api", False),
        ("x86_64", "arm64", "elsewhere", False),  # by another name it may be for either
        ("x86_64", "x86_64", "elsewhere", True),
        ("!Ref Arch", "x86_64", "Api", False),  # not literal: not judged
    ],
)
def test_a_literal_value_of_the_template_has_to_be_the_commands(
    project: Path, api: str, worker: str, into: str, refused: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "template.yaml").write_text(TEMPLATE.format(api=api, worker=worker))
    code = run_command(["build", "--runtime", "nodejs22.x", "--arch", "arm64", "--into", into])
    shown = capsys.readouterr().err
    assert ("LP014" in shown) == refused
    assert code == (2 if refused else 1), "without a lockfile the build itself ends with a finding"
