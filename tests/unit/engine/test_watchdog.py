from lambdapack.engine.interface import Limits
from lambdapack.engine.sandbox import TAIL_LINES, OutputTail, Watchdog


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_silence_counts_from_the_last_output() -> None:
    clock = Clock()
    watchdog = Watchdog(Limits(wall_seconds=100, silence_seconds=10), clock)
    clock.now += 9
    watchdog.restart_silence()
    clock.now += 9
    assert (watchdog.tripped, watchdog.remaining) == ("", 1)
    clock.now += 1
    assert "printed nothing for 10 s and the CPU was idle (LAMBDAPACK_SILENCE_LIMIT)" in watchdog.tripped


def test_a_silent_command_that_computes_is_left_alone_until_the_wall_limit() -> None:
    clock, used = Clock(), iter((7.0, 9.0, 9.0, 9.1, 0.0))
    watchdog = Watchdog(Limits(wall_seconds=25, silence_seconds=10), clock)

    def wait() -> bool:
        clock.now += 5
        watchdog.observe_cpu(lambda: next(used))
        clock.now += 5
        assert watchdog.tripped
        return watchdog.excuses(lambda: next(used))

    assert wait()
    assert watchdog.tripped == ""
    assert not wait()
    assert "the CPU was idle" in watchdog.tripped
    assert not wait()


def test_a_kernel_that_does_not_tell_the_cpu_time_excuses_nothing() -> None:
    clock = Clock()
    watchdog = Watchdog(Limits(wall_seconds=100, silence_seconds=10), clock)
    clock.now += 5
    watchdog.observe_cpu(lambda: None)
    clock.now += 5
    assert not watchdog.excuses(lambda: None)


def test_nobody_looks_at_the_cpu_while_there_is_output() -> None:
    clock, looks = Clock(), list[int]()
    watchdog = Watchdog(Limits(wall_seconds=100, silence_seconds=10), clock)
    for _ in range(6):
        clock.now += 4
        watchdog.observe_cpu(lambda: looks.append(1))
        watchdog.restart_silence()
    assert looks == []


def test_the_wall_limit_does_not_care_for_output() -> None:
    clock = Clock()
    watchdog = Watchdog(Limits(wall_seconds=5, silence_seconds=10), clock)
    for _ in range(5):
        clock.now += 1
        watchdog.restart_silence()
    assert "longer than 5 s (LAMBDAPACK_TIME_LIMIT)" in watchdog.tripped
    assert watchdog.remaining == 0


def test_the_tail_is_the_last_lines_however_they_were_cut() -> None:
    tail = OutputTail()
    for data in (b"one\ntw", b"o\r\n", b"", b"three"):
        tail.feed(data)
    assert str(tail) == "one\ntwo\nthree"
    tail.feed(b"\n" + b"".join(b"%d\n" % number for number in range(1000)))
    assert str(tail).splitlines() == [str(number) for number in range(1000 - TAIL_LINES, 1000)]


def test_output_that_is_no_text_and_has_no_lines_stays_small() -> None:
    tail = OutputTail()
    for _ in range(100):
        tail.feed(b"\xff" * 10_000)
    assert len(str(tail)) <= 4096
    assert str(OutputTail()) == ""


def test_a_command_may_print_so_much_and_no_more() -> None:
    watchdog = Watchdog(Limits(log_bytes=10_000))
    watchdog.count_output(b"x" * 9_000)
    assert watchdog.tripped == ""
    watchdog.count_output(b"x" * 1_001)
    assert "more than 10000 bytes (LAMBDAPACK_LOG_LIMIT)" in watchdog.tripped


def test_short_lines_count_as_what_they_cost() -> None:
    watchdog = Watchdog(Limits(log_bytes=10_000))
    watchdog.count_output(b"\n" * 200)
    assert "LAMBDAPACK_LOG_LIMIT" in watchdog.tripped
