"""Work that Ctrl-C must not cut in half. Never waits for ever."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

GRACE_SECONDS = 15.0
"""How long a signal is held back; after that the engine's own dead man's switch has to do."""


def shielded(work: Callable[[], Result], grace: float = GRACE_SECONDS) -> Result:
    """Return what `work` returns, run on a thread of its own, where no signal handler runs.

    The first exception that a signal raises meanwhile is raised when the work has ended, or when the grace is over.
    """
    done: list[Result] = []
    failed: list[BaseException] = []
    thread = threading.Thread(target=_run, args=(work, done, failed), name="lambdapack-shield", daemon=True)
    thread.start()
    _wait(thread, grace)
    if failed:
        raise failed[0]
    return done[0]


def _run(work: Callable[[], Result], done: list[Result], failed: list[BaseException]) -> None:
    try:
        done.append(work())
    except BaseException as error:  # noqa: BLE001  # raised again on the caller's thread
        failed.append(error)


def _wait(thread: threading.Thread, grace: float) -> None:
    held: BaseException | None = None
    until = float("inf")
    while thread.is_alive() and time.monotonic() < until:
        try:
            thread.join(0.2)
        except BaseException as signal:  # noqa: BLE001  # whatever the handler raises is raised below
            if held is None:
                held, until = signal, time.monotonic() + grace
    if held is not None:
        raise held
