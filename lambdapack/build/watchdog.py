"""How long one command may take and how long it may be silent. Never stops anything itself."""

import time
from collections import deque
from collections.abc import Callable

from lambdapack.build.engine import Limits

TAIL_LINES = 20
"""Lines of output remembered to explain a command that had to be stopped."""


class Watchdog:
    """Two clocks over one command."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        """Start both clocks."""
        self._limits = limits
        self._clock = clock
        self._begun = self._heard = clock()

    def heard(self) -> None:
        """Start the clock of silence again."""
        self._heard = self._clock()

    @property
    def remaining(self) -> float:
        """Seconds until one of the limits is reached, not below 0."""
        now = self._clock()
        wall = self._begun + self._limits.wall_seconds - now
        silence = self._heard + self._limits.silence_seconds - now
        return max(0.0, min(wall, silence))

    @property
    def tripped(self) -> str:
        """Which limit was reached, in words; "" while there is none."""
        now = self._clock()
        if now - self._begun >= self._limits.wall_seconds:
            return f"it ran longer than {self._limits.wall_seconds:g} s (LAMBDAPACK_TIME_LIMIT)"
        if now - self._heard >= self._limits.silence_seconds:
            return f"it printed nothing for {self._limits.silence_seconds:g} s (LAMBDAPACK_SILENCE_LIMIT)"
        return ""


class Tail:
    """The last lines of what a command printed."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take output as it comes, cut anywhere."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-4096:]
        self._lines.extend(line.decode("utf-8", "replace").rstrip() for line in lines[-TAIL_LINES:])

    def __str__(self) -> str:
        rest = self._rest.decode("utf-8", "replace").rstrip()
        return "\n".join((*self._lines, rest) if rest else self._lines)
