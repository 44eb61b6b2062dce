"""`explain --function`: the log group of a function, over the wire of a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdapack.cli.app import run_command
from tests.cloud import logs, servers
from tests.cloud.wire import KEY

NOISE = [f"INFO item {number} stored" for number in range(40)]
LINE = "Error: /var/task/node_modules/canvas/build/Release/canvas.node: invalid ELF header"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with servers.moto() as address:
        yield address


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.chdir(tmp_path)


def ask(address: str, name: str, *more: str) -> int:
    return run_command(["explain", "--function", name, "--endpoint-url", address, "--format", "json", *more])


def diagnoses(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["diagnoses"]
    return found


def test_every_page_of_the_log_is_read(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lambdapack.aws.logs.MAX_EVENTS_PER_PAGE", 7)
    logs.write(address, "/aws/lambda/paged", [*NOISE, LINE, *NOISE, LINE])
    assert ask(address, "paged") == 0
    found = diagnoses(capsys)
    assert [(each["cause"], each["package"], each["count"]) for each in found] == [("not-elf", "canvas", 2)]


def test_an_arn_names_the_function(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.write(address, "/aws/lambda/named", [LINE])
    assert ask(address, "arn:aws:lambda:eu-central-1:123456789012:function:named:live") == 0
    assert diagnoses(capsys)[0]["package"] == "canvas"


def test_what_is_older_is_left_out(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.write(address, "/aws/lambda/old", [LINE], age=7200)
    assert ask(address, "old") == 1
    assert diagnoses(capsys) == []
    assert ask(address, "old", "--since", "3h") == 0


def test_a_function_without_a_log_is_said_to_have_none(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(address, "nobody") == 5
    said = capsys.readouterr()
    assert json.loads(said.out)["code"] == "LP416"
    assert "/aws/lambda/nobody" in said.err
