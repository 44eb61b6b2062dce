"""Runs work that Ctrl-C and SIGTERM end at once: it runs in a thread of its own, and its caller only waits."""

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

WAIT_SECONDS = 0.1
"""Seconds between two looks for a signal, which Python delivers only to the main thread."""


class StoppedError(BaseException):
    """The user stopped the command: no further step begins."""


class StopFlag:
    """Tells threads that no further step may begin."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def stop(self) -> None:
        """Let no further step begin."""
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError when no further step may begin."""
        if self._event.is_set():
            raise StoppedError


class Worker(Generic[T]):
    """One daemon thread with its result: the process can end while it waits for AWS."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._ended = threading.Event()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            self._error = error
        finally:
            self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most some seconds; return whether it has. A signal interrupts the wait."""
        if seconds is not None:
            return self._ended.wait(seconds)
        while not self._ended.wait(WAIT_SECONDS):
            pass
        return True

    @property
    def error(self) -> BaseException | None:
        """What ended it, None when it returned."""
        return self._error

    def result(self) -> T:
        """Return what the work returned, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._results[0]


def run_parallel(work: Callable[[T], U], items: Sequence[T], most: int) -> tuple[U, ...]:
    """Return the result for every item in order, at most some at a time; raises the first error in order."""
    results, errors = try_parallel(work, items, most)
    if errors:
        raise errors[min(errors)]
    return tuple(results[index] for index in range(len(items)))


def try_parallel(
    work: Callable[[T], U], items: Sequence[T], most: int
) -> tuple[Mapping[int, U], Mapping[int, BaseException]]:
    """Try every item, at most some at a time; return the results and the errors by the item's index."""
    results: dict[int, U] = {}
    errors: dict[int, BaseException] = {}
    waiting = iter(enumerate(items))
    lock = threading.Lock()

    def take() -> None:
        while True:
            with lock:
                index, item = next(waiting, (-1, None))
            if item is None or index < 0:
                return
            try:
                results[index] = work(item)
            except BaseException as error:  # noqa: BLE001  # raised below
                errors[index] = error

    if len(items) == 1:
        take()
        return results, errors
    for worker in [Worker(take) for _ in range(min(most, len(items)))]:
        worker.result()
    return results, errors
