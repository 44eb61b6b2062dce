"""Starts the command line: `--version` at once, then streams, signals and the exit code. Imports nothing slow."""

from __future__ import annotations

import gc
import os
import sys

from lambdapack import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes longer than `--version` does
    from collections.abc import Callable
    from types import FrameType
    from typing import Never

GC_THRESHOLD_OBJECTS = 200_000
"""New objects before a search for cycles: a short run makes many objects, keeps them, and hardly a cycle among them."""

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

NOTHING_LEFT_BEHIND = "nothing was left behind"

_interrupt_message = [NOTHING_LEFT_BEHIND]


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"lambdapack {__version__}\n")
        return 0
    _open_missing_streams()
    code = _replay_unchanged_run()
    if code is not None:
        return code
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    return run_with_signals(_run_command_line)


def _replay_unchanged_run() -> int | None:
    """Return the exit code of the last run when its output was repeated, None when the command has to run."""
    if sys.argv[1:2] not in (["build"], ["verify"]):
        return None
    from lambdapack.cli.unchanged.replay import replay_run  # noqa: PLC0415  # of no use to other commands

    return replay_run(sys.argv[1:])


def _open_missing_streams() -> None:
    """Open the null device for a stream that the caller closed (`>&-`), which is None here."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # lives as long as we do


def _run_command_line() -> int:
    if sys.argv[1:2] not in (["build"], ["verify"]):
        from lambdapack.cli.app import run_command  # noqa: PLC0415  # a signal may come while this takes its time

        return run_command(sys.argv[1:])
    from lambdapack.cli.unchanged.recording import run_recorded  # noqa: PLC0415  # as above

    return run_recorded(sys.argv[1:])


def set_interrupt_message(text: str) -> None:
    """Say what is true of a command that is interrupted from now on."""
    _interrupt_message[:] = [text]


class Terminated(BaseException):
    """SIGTERM, as an exception: every context manager on the way out cleans up, as for Ctrl-C."""


def run_with_signals(work: Callable[[], int]) -> int:
    """Return what `work` returns, or 130 and 143 when a signal ended it."""
    import signal  # noqa: PLC0415  # `--version` needs none

    set_interrupt_message(NOTHING_LEFT_BEHIND)
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> Never:
        came.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    handled = [number for name in HANDLED_SIGNALS if (number := getattr(signal, name, None)) and _is_wanted(number)]
    for number in handled:
        signal.signal(number, handle)
    try:
        return work()
    except (KeyboardInterrupt, Terminated) as end:
        for number in handled:  # one that comes now changes nothing: all is cleaned up
            signal.signal(number, signal.SIG_IGN)
        first = came[0] if came else signal.SIGINT
        interrupted = first == signal.SIGINT and (bool(came) or isinstance(end, KeyboardInterrupt))
        how, code = ("interrupted", EXIT_INTERRUPTED) if interrupted else ("terminated", EXIT_TERMINATED)
        return _report_interruption(how, code)


HANDLED_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Windows has no SIGHUP: a terminal that is closed."""


def _is_wanted(number: int) -> bool:
    """Tell whether the caller lets a signal through: nohup ignores SIGHUP, a shell SIGINT for what is behind `&`."""
    import signal  # noqa: PLC0415  # see run_with_signals

    return signal.getsignal(number) != signal.SIG_IGN


def _report_interruption(how: str, code: int) -> int:
    sys.stderr.write(f"{how}: {_interrupt_message[0]}\n")
    return code
