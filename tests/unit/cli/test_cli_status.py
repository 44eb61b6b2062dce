"""`status`, and settings of lambdapack.toml for `deploy` and `rollback`, from the command line."""

import json
from pathlib import Path

import pytest

from lambdapack.cli.app import run_command
from tests.cloud.deploying import Site
from tests.cloud.world import ANSWER, zipped

COMMIT = "0123456789012345678901234567890123456789"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    made.function()
    monkeypatch.setattr("lambdapack.aws.cloud.connect_cloud", lambda *_arguments, **_place: made.aws.cloud())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.zip").write_bytes(zipped({"index.js": ANSWER % '"new"'}))
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git" / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    (tmp_path / "prod.env").write_text("STAGE=prod\n# a comment\nLIMIT='5'\n")
    (tmp_path / "lambdapack.toml").write_text(
        'function = "fn"\nalias = "live"\nenv-file = "prod.env"\nmemory-size = 512\ntimeout = 30\n'
        'ephemeral-storage = 1024\ntracing = "active"\nlog-format = "json"\ndescription = "it"\ntags = {team = "a"}\n'
    )
    return made


def test_settings_of_the_file_are_planned_and_deployed_once(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["deploy", "app.zip", "--dry-run", "--format", "json"]) == 0
    (function,) = json.loads(capsys.readouterr().out)["functions"]
    changes = {change["name"]: change["after"] for step in function["steps"] for change in step["changes"]}
    assert changes == {
        "timeout": "30",
        "memory": "512",
        "description": "it",
        "ephemeral_storage": "1024",
        "tracing": "Active",
        "logging": "LogFormat JSON, LogGroup /aws/lambda/fn",
        "environment": "+LIMIT +STAGE",
        "team": "a",
    }
    assert run_command(["deploy", "app.zip"]) == 0
    version = site.aws.functions.functions["fn"].versions["2"]
    assert version["Environment"]["Variables"] == {"STAGE": "prod", "LIMIT": "5"}
    assert version["Description"].startswith(f"lambdapack: commit {COMMIT}, code ")
    site.aws.line.forget()
    assert run_command(["deploy", "app.zip"]) == 0
    assert site.aws.line.writes == []
    assert run_command(["deploy", "app.zip", "--timeout", "31"]) == 0
    assert site.aws.functions.functions["fn"].latest["Timeout"] == 31
    assert run_command(["rollback"]) == 0
    assert site.live == "2"


def test_status_says_what_is_live_and_what_differs(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["deploy", "app.zip"]) == 0
    capsys.readouterr()
    assert run_command(["status", "app.zip", "--format", "json"]) == 0
    (function,) = json.loads(capsys.readouterr().out)["functions"]
    (alias,) = function["aliases"]
    assert (alias["version"], alias["commit"], alias["drift"], alias["by"]) == ("2", COMMIT, False, "dev")
    (site.directory / "app.zip").write_bytes(zipped({"index.js": ANSWER % '"other"'}))
    assert run_command(["status", "app.zip"]) == 0
    out = capsys.readouterr().out
    assert "live: version 2, since 20" in out
    assert f"commit {COMMIT[:12]}, differs from the zip here" in out
    assert run_command(["status", "--function", "nobody"]) == 5
    assert run_command(["status", "--alias", "blue"]) == 5


@pytest.mark.parametrize(
    "words",
    [
        ("deploy", "app.zip", "--alias", "1"),
        ("deploy", "app.zip", "--alias", "a b"),
        ("deploy", "app.zip", "--function", "fn:live"),
        ("deploy", "app.zip", "--env", "A1=1", "--remove-env", "A1"),
        ("deploy", "app.zip", "--no-layers", "--layer", "x"),
        (
            "deploy",
            "app.zip",
            "--region",
            "us-east-1",
            "--function",
            "arn:aws:lambda:eu-west-1:123456789012:function:f",
        ),
        ("rollback", "--alias", "1"),
    ],
    ids=" ".join,
)
def test_a_slip_is_found_before_aws_is_asked(site: Site, words: tuple[str, ...]) -> None:
    site.aws.line.forget()
    assert run_command(list(words)) == 2
    assert site.aws.line.calls == []


@pytest.mark.parametrize(
    "name", ["fn", "123456789012:function:fn", "arn:aws:lambda:eu-central-1:123456789012:function:fn", "function:fn"]
)
def test_every_form_of_a_name_is_taken(site: Site, name: str) -> None:
    assert run_command(["deploy", "app.zip", "--function", name]) == 0
    assert site.live == "2"
