"""Turns Ctrl-C and SIGTERM into exit codes, from the first import on. Imports nothing slow."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Never

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


NOTHING_LEFT_BEHIND = "nothing was left behind"

_interrupt_message = [NOTHING_LEFT_BEHIND]


def set_interrupt_message(text: str) -> None:
    """Say what is true of a command that is interrupted from now on."""
    _interrupt_message[:] = [text]


class Terminated(BaseException):
    """SIGTERM, as an exception: every context manager on the way out cleans up, as for Ctrl-C."""


def run_with_signals(work: Callable[[], int]) -> int:
    """Return what `work` returns, or 130 and 143 when a signal ended it."""
    set_interrupt_message(NOTHING_LEFT_BEHIND)
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP: a terminal that is closed
        if number := getattr(signal, name, None):
            signal.signal(number, _raise_terminated)
    try:
        return work()
    except KeyboardInterrupt:
        return _report_interruption("interrupted", EXIT_INTERRUPTED)
    except Terminated:
        return _report_interruption("terminated", EXIT_TERMINATED)


def _raise_terminated(_number: int, _frame: FrameType | None) -> Never:
    raise Terminated


def _report_interruption(how: str, code: int) -> int:
    sys.stderr.write(f"{how}: {_interrupt_message[0]}\n")
    return code
