import io
import threading
from collections.abc import Iterable
from contextlib import suppress

import pytest

from lambdapack.cli.output.progress import ProgressReporter


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(text: str) -> list[str]:
    """What remains to be read when carriage returns have done their work."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def test_elsewhere_than_on_a_terminal_a_step_is_one_line() -> None:
    stream = io.StringIO()
    bars = ProgressReporter(stream=stream)
    with bars.task("Reading", 10, "file") as advance:
        for _ in range(10):
            advance(1)
    bars.line("npm says this")
    bars.line("  ")
    bars.note("remember")
    assert stream.getvalue() == "Reading\n    npm says this\nnote: remember\n"


def test_quiet_keeps_notes_alone() -> None:
    for stream in (io.StringIO(), Terminal()):
        bars = ProgressReporter(quiet=True, stream=stream)
        with bars.task("Reading", 10, "file") as advance:
            advance(1)
        bars.line("npm says this")
        bars.note("remember")
        assert screen(stream.getvalue())[0] == "note: remember"
        assert "Reading" not in stream.getvalue()


def test_on_a_terminal_nothing_remains_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdapack.cli.output.progress.BAR_DELAY_SECONDS", 0.0)
    stream = Terminal()
    bars = ProgressReporter(stream=stream)
    with bars.task("Copying", 100, "B") as advance:
        advance(50)
        bars.line("between")
        advance(50)
    bars.note("after")
    assert "Copying" in stream.getvalue()
    assert [line for line in screen(stream.getvalue()) if line] == ["    between", "note: after"]


def test_a_step_without_counts_shows_a_clock_and_goes() -> None:
    stream = Terminal()
    with ProgressReporter(stream=stream).task("npm ci"):
        pass
    assert "npm ci [00:00]" in stream.getvalue()
    assert "".join(screen(stream.getvalue())) == ""


def test_a_step_that_fails_takes_its_bar_with_it() -> None:
    stream = Terminal()
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), ProgressReporter(stream=stream).task("npm ci"):
        raise KeyboardInterrupt
    assert "".join(screen(stream.getvalue())) == ""
    assert threading.active_count() <= before + 1  # tqdm's own monitor may live on


def test_threads_may_all_speak_at_once() -> None:
    stream = io.StringIO()
    bars = ProgressReporter(stream=stream)

    def speak() -> None:
        for _ in range(50):
            bars.line("word" * 10)

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(stream.getvalue().splitlines()) == {"    " + "word" * 10}


def test_a_long_note_is_wrapped() -> None:
    stream = io.StringIO()
    ProgressReporter(stream=stream).note("word " * 40)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("note: word")
    assert lines[1].startswith("      word")


COMPILING = [
    "> better-sqlite3@12.2.0 install",
    "> prebuild-install || node-gyp rebuild --release",
    *(f"gyp info spawn args {number}" for number in range(40)),
]


def test_what_a_script_prints_is_one_line() -> None:
    stream = io.StringIO()
    bars = ProgressReporter(fold_scripts=True, stream=stream)
    with bars.task("npm ci"):
        for line in (*COMPILING, "added 38 packages in 9s"):
            bars.line(line)
    head, script, added = stream.getvalue().splitlines()
    assert head == "npm ci"
    assert script.startswith("    better-sqlite3@12.2.0: install (0.")
    assert added == "    added 38 packages in 9s"


def fail_while_printing(bars: ProgressReporter, lines: Iterable[str], kind: type[BaseException]) -> None:
    with suppress(kind), bars.task("npm ci"):
        for line in lines:
            bars.line(line)
        raise kind


def test_what_a_failed_script_printed_is_shown_from_its_end() -> None:
    stream = io.StringIO()
    bars = ProgressReporter(fold_scripts=True, stream=stream)
    fail_while_printing(bars, (*COMPILING, "npm error code 1"), RuntimeError)
    lines = stream.getvalue().splitlines()
    assert lines[1] == "    better-sqlite3@12.2.0: install, without 11 lines before (-v shows them):"
    assert lines[2] == "    gyp info spawn args 10"
    assert lines[-1] == "    npm error code 1"
    assert len(lines) == 33


def test_a_killed_script_is_shown_too() -> None:
    stream = io.StringIO()
    bars = ProgressReporter(fold_scripts=True, stream=stream)
    fail_while_printing(bars, COMPILING[:4], KeyboardInterrupt)
    assert stream.getvalue().splitlines()[-1] == "    gyp info spawn args 1"


def test_the_script_that_runs_stands_in_the_bar() -> None:
    stream = Terminal()
    bars = ProgressReporter(fold_scripts=True, stream=stream)
    with bars.task("npm ci"):
        for line in COMPILING:
            bars.line(line)
    assert "npm ci - better-sqlite3@12.2.0: install [" in stream.getvalue()
