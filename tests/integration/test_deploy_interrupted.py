"""Ctrl-C while AWS does not answer: the command ends soon and says what stands where."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import servers
from tests.cloud.faults import Fault, faulty
from tests.cloud.process import environment
from tests.cloud.world import World, served
from tests.command import lambdapack, started

SLOW_HOST_SECONDS = 4.0
"""Two seconds are the promise (tests/bench measures it); a test on a busy host is given more."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with servers.moto() as address:
        yield served("moto", address, tmp_path)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("GetFunctionConfiguration", "nothing was left behind"),
        ("UpdateFunctionCode", "$LATEST has the new code, and alias live still points at version 1"),
        ("UpdateAlias", "version 2 was published, and alias live points at version 2"),
    ],
)
def test_ctrl_c_ends_soon_and_says_what_stands_where(world: World, operation: str, words: str) -> None:
    base = ("--function", f"fn-{operation}", "--alias", "live")  # moto keeps its functions as long as this process
    made = lambdapack(
        "deploy", world.archive("old"), *base, "--create", "--role", world.role, env=environment(world.endpoint)
    )
    assert made.returncode == 0, made.stderr
    fault = Fault(operation, "hang")
    with faulty(world.endpoint, fault) as address:
        log = world.directory / "log"
        process = started(
            "deploy", world.archive("new"), *base, env={**environment(address), "COLUMNS": "200"}, log=log
        )
        while not fault.seen and process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.5)  # until the server has carried the request out
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    err = log.read_text(encoding="utf-8")
    assert process.returncode == 130, err
    assert time.monotonic() - start < SLOW_HOST_SECONDS
    assert words in err
