import signal
import threading
import time

import pytest

from lambdapack.engine.shield import run_shielded


def test_the_result_comes_back() -> None:
    assert run_shielded(lambda: 7) == 7


def test_what_the_work_raises_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_shielded(fail)


def test_work_is_finished_before_an_interrupt_is_raised() -> None:
    done: list[str] = []

    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
        done.append("done")

    with pytest.raises(KeyboardInterrupt):
        run_shielded(work)
    assert done == ["done"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_is_asked_in_the_end() -> None:
    heard: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        assert run_shielded(lambda: signal.raise_signal(signal.SIGTERM)) is None
    finally:
        signal.signal(signal.SIGTERM, former)
    assert heard == [signal.SIGTERM]


def test_an_interrupt_is_not_held_back_for_ever() -> None:
    enough = threading.Event()

    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        enough.wait(20)

    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_shielded(work, grace=0.1)
    finally:
        enough.set()
    assert time.monotonic() - begun < 5


def test_another_thread_may_shield_too() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(run_shielded(lambda: 7)))
    thread.start()
    thread.join()
    assert found == [7]
