"""Shows progress on stderr. The only module that imports tqdm."""

import os
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Never, TextIO

from lambdapack.cli.output.console import tell_listeners
from lambdapack.credentials import mask_credentials
from lambdapack.events import Advance
from lambdapack.report.text import escape_controls, wrap_paragraph

if TYPE_CHECKING:
    from tqdm import tqdm

BAR_DELAY_SECONDS = 1.0
"""A step that ends sooner needs no bar on a terminal."""


class ProgressReporter:
    """Bars on a terminal, one plain line a step elsewhere; other programs' lines pass through."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._live = self._stream.isatty()
        in_actions = os.environ.get("GITHUB_ACTIONS") == "true" and not quiet
        self._resume_command = f"::{secrets.token_hex(16)}::" if in_actions else ""
        self._stopped = False
        self._tasks = 0

    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:
        """Show a step while it lasts."""
        if self._quiet or not self._live:
            self._write(label)
            self._tasks += 1
            try:
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
        ):

            def advance(amount: int, /) -> None:
                with self._lock:  # engines and uploads call back from their own threads
                    bar.update(amount)

            yield advance

    def line(self, text: str) -> None:
        """Pass on another program's line, indented so that it reads as a quotation."""
        if text.strip():
            self._stop_commands()
            self._write(f"    {escape_controls(text)}", foreign=True)
            if not self._tasks:
                self._resume_commands()

    def note(self, text: str) -> None:
        """Say something of our own that stays."""
        paragraph = wrap_paragraph("note: ", mask_credentials(text))
        tell_listeners("stderr", f"{paragraph}\n")
        self._write(paragraph, always=True)

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
