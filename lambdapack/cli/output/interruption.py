"""Ends a command that changes AWS within two seconds of Ctrl-C or SIGTERM, and says what stands where."""

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from lambdapack.cli.main import EXIT_INTERRUPTED, EXIT_TERMINATED, set_interrupt_message
from lambdapack.deploy.interrupt import StopFlag, Worker

T = TypeVar("T")

STEP_SECONDS = 0.3
"""Seconds that the step under way has to end, or to undo what it did."""

READ_SECONDS = 0.5
"""Seconds for reading what stands where."""

LEAVE_SECONDS = 0.1
"""Seconds after which the process ends although a transfer still holds a thread."""

NOTHING_CHANGED = "nothing was changed"
CONTINUE = "run the same command to continue"


def run_interruptibly(work: Callable[[], T], stop: StopFlag, describe: Callable[[float], str]) -> T:
    """Return what `work` returns; it runs in a thread of its own. `describe` is asked what stands where."""
    worker: Worker[T] = Worker(work)
    try:
        return worker.result()
    except BaseException as end:
        if worker.error is end:
            raise
        stop.stop()
        worker.wait(STEP_SECONDS)
        set_interrupt_message(_describe_in_time(describe))
        _leave_soon(EXIT_INTERRUPTED if isinstance(end, KeyboardInterrupt) else EXIT_TERMINATED)
        raise


def _describe_in_time(describe: Callable[[float], str]) -> str:
    """Return what stands where, as far as it can be read in time."""
    reader = Worker(lambda: describe(READ_SECONDS))
    if not reader.wait(READ_SECONDS + 0.1) or reader.error:
        return f"what stands where could not be read in time; {CONTINUE}"
    stands = str(reader.result())
    lines = stands.replace("\n", "\n  ")
    return f"{CONTINUE}\n  {lines}" if stands else f"{NOTHING_CHANGED}; {CONTINUE}"


def _leave_soon(code: int) -> None:
    """End the process soon, whatever its other threads wait for."""

    def leave() -> None:
        time.sleep(LEAVE_SECONDS)
        os._exit(code)

    threading.Thread(target=leave, daemon=True).start()
