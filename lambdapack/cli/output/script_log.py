"""Folds what install scripts print to one line a script; the last lines of one that fails are shown."""

import re
import time
from collections import deque
from collections.abc import Iterator

from lambdapack.report.text import format_duration

SCRIPT_HEADING = re.compile(
    r"> (?P<package>@?[\w.~/-]+@[\w.+-]+) (?P<event>(?:pre|post)?(?:install|prepare)|prepublish)$"
)
"""npm's line in front of each dependency's script that runs in the foreground."""

OUTSIDE_SCRIPT = re.compile(r"(?:added|changed|removed|up to date|audited|rebuilt) |npm (?:warn|notice|WARN) ")
"""What npm says itself: the scripts before it have ended."""

FAILURE = re.compile(r"npm (?:error|ERR!) ")
"""What npm says when a script has failed."""

MAX_KEPT_LINES = 30
"""Lines of a script that are shown when the build fails: a compiler's error with what is around it."""


class ScriptLog:
    """Sorts another program's lines: those that are shown, and those of scripts, which are kept for a failure."""

    def __init__(self) -> None:
        self._script = ""
        self._began = 0.0
        self._kept: deque[str] = deque(maxlen=MAX_KEPT_LINES)
        self._left_out = 0

    def lines_to_show(self, line: str) -> Iterator[str]:
        """Yield what is shown in place of a line: the line itself, a script's summary, or nothing."""
        heading = SCRIPT_HEADING.match(line)
        if FAILURE.match(line):
            yield from self.fail()
        elif heading or OUTSIDE_SCRIPT.match(line):
            yield from self.end()
        if heading:
            self._script = f"{heading['package']}: {heading['event']}"
            self._began = time.monotonic()
        elif self._script:
            self._left_out += len(self._kept) == MAX_KEPT_LINES
            self._kept.append(line)
        else:
            yield line

    def current_script(self) -> str:
        """Return the script that is running, "" for none."""
        return self._script

    def end(self) -> Iterator[str]:
        """Yield the summary of the script that has ended, if there is one."""
        if self._script:
            yield f"{self._script} ({format_duration(time.monotonic() - self._began)})"
        self._script = ""
        self._kept.clear()
        self._left_out = 0

    def fail(self) -> Iterator[str]:
        """Yield the last lines of the script that was running when the step failed."""
        if self._script and self._kept:
            more = f", without {self._left_out} lines before (-v shows them)" if self._left_out else ""
            yield f"{self._script}{more}:"
            yield from self._kept
        self._script = ""
