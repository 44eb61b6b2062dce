import os
import signal
import time
from collections.abc import Iterator

import pytest

from lambdapack.cli.app import run_command
from lambdapack.cli.main import run_with_signals


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def interrupted(_style: object) -> int:
    raise KeyboardInterrupt


def test_an_interrupt_is_130_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("lambdapack.cli.run.runtimes.run_runtimes_list", interrupted)
    assert run_with_signals(lambda: run_command(["runtimes"])) == 130
    assert capsys.readouterr().err == "interrupted: nothing was left behind\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_a_termination_is_143_and_cleans_up_on_its_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = ["a container"]

    def terminated(_style: object) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            left.clear()
        return 0

    monkeypatch.setattr("lambdapack.cli.run.runtimes.run_runtimes_list", terminated)
    assert run_with_signals(lambda: run_command(["runtimes"])) == 143
    assert left == []
    assert capsys.readouterr().err == "terminated: nothing was left behind\n"


def test_what_ends_by_itself_keeps_its_code() -> None:
    assert run_with_signals(lambda: 3) == 3
