"""Time as the calls see it, so that tests need none."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """What waits use. Seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random  # from 0 to 1

    def spread(self, seconds: float) -> float:
        """Return a pause between half of it and all, so that many callers do not come back together."""
        return seconds * (0.5 + self.jitter() / 2)
