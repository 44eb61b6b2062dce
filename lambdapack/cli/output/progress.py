"""Shows progress on stderr. The only module that imports tqdm."""

import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Never, TextIO

from lambdapack.cli.output.console import colour_lines, tell_listeners, uses_colour
from lambdapack.credentials import mask_credentials
from lambdapack.events import Advance
from lambdapack.report.text import escape_controls, format_duration, wrap_paragraph

if TYPE_CHECKING:
    from tqdm import tqdm

    from lambdapack.cli.output.script_log import ScriptLog

BAR_DELAY_SECONDS = 1.0
"""A step that ends sooner needs no bar on a terminal."""


MIN_TOLD_SECONDS = 0.1
"""A step that ends sooner is not in the summary's times."""

MIN_TOLD_TOTAL_SECONDS = 1.0
"""Steps that end sooner together are not worth a line."""

STEP_DETAILS = re.compile(r" (?:\(|on |out of |into )")
"""What follows in a step's label is said once, while it runs."""


class ProgressReporter:
    """Bars on a terminal, one plain line a step elsewhere; other programs' lines pass through."""

    def __init__(self, *, quiet: bool = False, fold_scripts: bool = False, stream: TextIO | None = None) -> None:
        self._quiet = quiet
        self._fold_scripts = fold_scripts
        self._scripts: ScriptLog | None = None
        self._bar: tqdm[Never] | None = None
        self._label = ""
        self._steps: dict[str, float] = {}
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._live = self._stream.isatty()
        in_actions = os.environ.get("GITHUB_ACTIONS") == "true" and not quiet
        self._resume_command = f"::{secrets.token_hex(16)}::" if in_actions else ""
        self._stopped = False
        self._tasks = 0

    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:
        """Show a step while it lasts, and remember how long that was."""
        began = time.monotonic()
        try:
            with self._show(label, total, unit) as advance:
                yield advance
        finally:
            self._steps[label] = self._steps.get(label, 0.0) + time.monotonic() - began

    def step_times(self) -> str:
        """Return the steps that took time, in their order, as one line for people; "" where nobody waited."""
        if sum(self._steps.values()) < MIN_TOLD_TOTAL_SECONDS:
            return ""
        long = [(label, took) for label, took in self._steps.items() if took >= MIN_TOLD_SECONDS]
        return ", ".join(f"{STEP_DETAILS.split(label)[0]} {format_duration(took)}" for label, took in long)

    @contextmanager
    def _show(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        if self._quiet or not self._live:
            self._write(label)
            self._tasks += 1
            try:
                with self._fold():
                    yield lambda _amount: None
            finally:
                self._tasks -= 1
                self._resume_commands()
            return
        from tqdm import tqdm  # noqa: PLC0415  # costs more than most steps, and only a terminal shows bars

        with (
            tqdm(
                desc=label,
                total=total,
                unit=unit or "it",
                unit_scale=unit == "B",
                unit_divisor=1024,
                bar_format=None if unit else "{desc} [{elapsed}]",
                leave=False,
                dynamic_ncols=True,
                delay=BAR_DELAY_SECONDS if unit else 0,
                file=self._stream,
            ) as bar,
            _refresh_clock(bar, self._lock, still=not unit),
            self._fold(bar, label),
        ):

            def advance(amount: int, /) -> None:
                with self._lock:  # engines and uploads call back from their own threads
                    bar.update(amount)

            yield advance

    def line(self, text: str) -> None:
        """Pass on another program's line, indented so that it reads as a quotation."""
        if text.strip():
            if self._fold_scripts and self._scripts is None:
                from lambdapack.cli.output.script_log import ScriptLog  # noqa: PLC0415  # a build may install nothing

                self._scripts = ScriptLog()
            for shown in self._scripts.lines_to_show(text) if self._scripts else (text,):
                self._quote(shown)
            if self._scripts and self._bar is not None:
                self._bar.set_description_str(" - ".join(filter(None, (self._label, self._scripts.current_script()))))

    def _quote(self, text: str) -> None:
        self._stop_commands()
        self._write(f"    {escape_controls(text)}", foreign=True)
        if not self._tasks:
            self._resume_commands()

    @contextmanager
    def _fold(self, bar: "tqdm[Never] | None" = None, label: str = "") -> Iterator[None]:
        """Fold what scripts print during a step; when it fails, show the end of what the last one printed."""
        if not self._fold_scripts:
            yield
            return
        before, self._bar, self._label = (self._bar, self._label), bar, label
        try:
            yield
        except BaseException:
            for line in self._scripts.fail() if self._scripts else ():
                self._quote(line)
            raise
        finally:
            for line in self._scripts.end() if self._scripts else ():
                self._quote(line)
            self._bar, self._label = before

    def note(self, text: str) -> None:
        """Say something of our own that stays."""
        said = wrap_paragraph("note: ", mask_credentials(text))
        tell_listeners("stderr", f"{said}\n")
        self._write(colour_lines(said) if uses_colour(self._stream) else said, always=True)

    def _stop_commands(self) -> None:
        """Tell GitHub's runner that what follows is no command of ours, until a word that nobody else knows."""
        if self._resume_command and not self._stopped:
            self._stopped = True
            self._write(f"::stop-commands::{self._resume_command.strip(':')}", foreign=True)

    def _resume_commands(self) -> None:
        if self._stopped:
            self._write(self._resume_command, foreign=True)
            self._stopped = False

    def _write(self, text: str, *, always: bool = False, foreign: bool = False) -> None:
        if self._quiet and not always:
            return
        if not foreign:
            self._resume_commands()
        with self._lock:
            if self._live:
                from tqdm import tqdm  # noqa: PLC0415  # see task

                tqdm.write(text, file=self._stream)
            else:
                self._stream.write(f"{text}\n")
                self._stream.flush()


@contextmanager
def _refresh_clock(bar: "tqdm[Never]", lock: threading.Lock, *, still: bool) -> Iterator[None]:
    """Redraw the clock of a step that has no counts: nothing else would move it."""
    if not still:
        yield
        return
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(BAR_DELAY_SECONDS):
            with lock:
                bar.refresh()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
