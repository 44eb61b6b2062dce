"""Ctrl-C and SIGTERM become exit codes, from the first import on. Imports nothing that takes time."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Never

INTERRUPTED = 130
TERMINATED = 143


NOTHING = "nothing was left behind"

_left = [NOTHING]


def leave(text: str) -> None:
    """Say what is true of a command that is interrupted from now on."""
    _left[:] = [text]


class Terminated(BaseException):
    """SIGTERM, as an exception: every context manager on the way out cleans up, as for Ctrl-C."""


def guarded(work: Callable[[], int]) -> int:
    """Return what `work` returns, or 130 and 143 when a signal ended it."""
    leave(NOTHING)
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP: a terminal that is closed
        if number := getattr(signal, name, None):
            signal.signal(number, _terminate)
    try:
        return work()
    except KeyboardInterrupt:
        return _ended("interrupted", INTERRUPTED)
    except Terminated:
        return _ended("terminated", TERMINATED)


def _terminate(_number: int, _frame: FrameType | None) -> Never:
    raise Terminated


def _ended(how: str, code: int) -> int:
    sys.stderr.write(f"{how}: {_left[0]}\n")
    return code
