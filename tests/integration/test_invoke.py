"""`lambdapack invoke` in the lab's image: warm functions, their memory and time, debuggers, interrupts."""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import pytest

from tests.command import containers, lambdapack

pytestmark = pytest.mark.engine

TARGET = ("--runtime", "nodejs22.x", "--arch", "x86_64")

SOURCE = """
const fs = require('fs');
let calls = 0;
exports.handler = async event => {
  calls += 1;
  if (event.eat) for (const all = []; ;) all.push(Buffer.alloc(16 << 20, 1));
  if (event.sleep) await new Promise(done => setTimeout(done, event.sleep));
  if (event.exit) process.exit(event.exit);
  if (event.write) fs.writeFileSync('/tmp/big', Buffer.alloc(1 << 20, 1)), fs.truncateSync('/tmp/big', 0);
  for (let at = 0; at < (event.write || 0); at += 1) fs.appendFileSync('/tmp/big', Buffer.alloc(1 << 20, 1));
  return { calls, memory: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, stage: process.env.STAGE };
};
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    place = tmp_path / "fn"
    place.mkdir()
    (place / "index.js").write_text(SOURCE, encoding="utf-8")
    return place


def lines(place: Path, *events: object) -> Path:
    file = place.parent / "events.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in events), encoding="utf-8")
    return file


def test_a_warm_function_lives_on_and_a_dead_one_starts_again(function: Path, lab_engine: dict[str, str]) -> None:
    events = lines(function, {}, {}, {"exit": 3}, {}, {"eat": True}, {}, {"sleep": 20_000}, {})
    (function.parent / "vars").write_text("STAGE=file\n", encoding="utf-8")
    given = ("--event", events, "--memory", "192", "--timeout", "5", "--env-file", function.parent / "vars")
    done = lambdapack("invoke", function, *TARGET, *given, env=lab_engine)
    assert done.returncode == 1, done.stderr
    answers = done.stdout.splitlines()
    well = {at: json.loads(answers[at]) for at in (0, 1, 3, 5, 7)}
    assert [each["calls"] for each in well.values()] == [1, 2, 1, 1, 1]
    assert {(each["memory"], each["stage"]) for each in well.values()} == {("192", "file")}
    assert "exit status 3" in answers[2]
    assert "signal: killed" in answers[4]
    assert answers[6] == "Task timed out after 5.00 seconds"
    said = " ".join(done.stderr.replace("  | ", " ").split())
    assert "Memory Size: 192 MB Max Memory Used: 192 MB" in said
    assert "events.jsonl:5: Runtime.ExitError" in said
    assert "`--memory 384` raises the limit" in said
    assert containers() == []


def test_what_lies_in_tmp_is_no_memory(function: Path, lab_engine: dict[str, str]) -> None:
    given = ("--event", lines(function, {"write": 200}), "--memory", "128")
    done = lambdapack("invoke", function, *TARGET, *given, env=lab_engine)
    assert (done.returncode, json.loads(done.stdout)["calls"]) == (0, 1), done.stderr


@contextmanager
def started(*arguments: str | Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lambdapack", *map(str, arguments)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(stream: IO[str] | None, words: str) -> None:
    assert stream is not None
    said = []
    for line in stream:
        said.append(line)
        if words in line:
            return
    pytest.fail(f"it never said {words!r}: {said}")


def test_an_interrupt_leaves_no_container(function: Path, lab_engine: dict[str, str]) -> None:
    events = lines(function, {"sleep": 60_000})
    with started("invoke", function, *TARGET, "--event", events, "--timeout", "90", env=lab_engine) as process:
        until(process.stderr, "START RequestId")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (128 + signal.SIGINT, ""), err
    assert containers() == []


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def debuggers(port: int) -> list[dict[str, str]]:
    """Return what listens there; the engine's own proxy may accept before node does."""
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                found: list[dict[str, str]] = json.load(answer)
                return found
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def resume(port: int) -> None:
    """Attach as a debugger does (RFC 6455, one masked frame) and let the program run."""
    (told,) = debuggers(port)
    path = told["webSocketDebuggerUrl"].partition(f"127.0.0.1:{port}")[2]
    text = json.dumps({"id": 1, "method": "Runtime.runIfWaitingForDebugger"}).encode()
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        head = ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13")
        lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *head, "", "")
        wire.sendall("\r\n".join(lines).encode())
        assert b" 101 " in wire.recv(4096)
        wire.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)  # a mask of zeros
        assert wire.recv(4096)


def test_a_debugger_is_waited_for_and_let_in(function: Path, lab_engine: dict[str, str]) -> None:
    port = free_port()
    with started("invoke", function, *TARGET, "--debug", str(port), env=lab_engine) as process:
        until(process.stderr, "Debugger listening")
        resume(port)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["calls"] == 1
    assert containers() == []


def test_a_port_that_is_taken_is_said(function: Path, lab_engine: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = lambdapack("invoke", function, *TARGET, "--debug", str(port), env=lab_engine)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--debug {port}: the port is already in use" in " ".join(done.stderr.split())
    assert containers() == []
