"""Runs work that Ctrl-C must not interrupt: signals are held back for a limited time."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Result = TypeVar("Result")

GRACE_SECONDS = 15.0
"""How long signals are held back; after that the engine's own dead man's switch has to do."""

HELD_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that a handler may turn into an exception; SIGBREAK is Windows', SIGHUP is not."""

JOIN_TICK_SECONDS = 0.2


def run_shielded(work: Callable[[], Result], grace: float = GRACE_SECONDS) -> Result:
    """Return what `work` returns, run on a thread of its own, while signals are held back.

    The first signal that came meanwhile goes to its own handler when the work has ended, or when the grace is over;
    it may raise then, and the work's result is lost.
    """
    done: list[Result] = []
    failed: list[BaseException] = []
    with _hold_signals() as held:
        thread = threading.Thread(target=_run_work, args=(work, done, failed), name="lambdapack-shield", daemon=True)
        thread.start()
        _wait_for_work(thread, held, grace)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _run_work(work: Callable[[], Result], done: list[Result], failed: list[BaseException]) -> None:
    try:
        done.append(work())
    except BaseException as error:  # noqa: BLE001  # raised again on the caller's thread
        failed.append(error)


def _wait_for_work(thread: threading.Thread, held: list[int], grace: float) -> None:
    first = None
    while thread.is_alive():
        thread.join(JOIN_TICK_SECONDS)
        if held and first is None:
            first = time.monotonic()
        if first is not None and time.monotonic() > first + grace:
            return


@contextlib.contextmanager
def _hold_signals() -> Iterator[list[int]]:
    """Note signals in place of handling them. Python runs handlers on the main thread only."""
    held: list[int] = []
    former = _signal_handlers() if threading.current_thread() is threading.main_thread() else {}
    try:
        for number in former:
            signal.signal(number, lambda came, _frame: held.append(came))
        yield held
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


def _signal_handlers() -> dict[int, Callable[..., object]]:
    """Return the signals that Python code handles; the others end the process, and the engine notices."""
    numbers = [getattr(signal, name) for name in HELD_SIGNALS if hasattr(signal, name)]
    found = {number: signal.getsignal(number) for number in numbers}
    return {number: handler for number, handler in found.items() if callable(handler)}
