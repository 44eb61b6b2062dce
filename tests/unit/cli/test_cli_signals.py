import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lambdapack.cli.app import run_command
from lambdapack.cli.main import HANDLED_SIGNALS, run_with_signals


@pytest.fixture(autouse=True)
def _handlers_of_before() -> Iterator[None]:
    """A command that was interrupted ignores signals until its process ends; this process goes on."""
    names = [name for name in HANDLED_SIGNALS if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


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


TWO_SIGNALS = """
import os, signal, sys, time
from lambdapack.cli.main import HANDLED_SIGNALS, run_with_signals
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def work():
    try:
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        time.sleep(5)
    finally:
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        time.sleep(5)
sys.exit(run_with_signals(work))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("SIGINT", "SIGTERM", 130), ("SIGTERM", "SIGINT", 143), ("SIGHUP", "SIGHUP", 143), ("SIGINT", "SIGINT", 130)],
)
def test_the_first_signal_decides_the_exit_code(first: str, second: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", TWO_SIGNALS, first, second], check=False, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr.count("Traceback")) == (code, 0), ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_nohup_is_obeyed() -> None:
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from lambdapack.cli.main import HANDLED_SIGNALS, run_with_signals\n"
        "def work():\n    os.kill(os.getpid(), signal.SIGHUP)\n    return 7\n"
        "raise SystemExit(run_with_signals(work))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7
