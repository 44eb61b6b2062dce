"""Paired timings: each round runs both sides, so that a slow moment of the machine hits both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of both sides, one entry a round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of ours over median of theirs."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def above(self) -> float:
        """Median of ours less median of theirs, in seconds."""
        return statistics.median(self.ours) - statistics.median(self.theirs)


def measured(work: Callable[[], object]) -> float:
    """Return the wall seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Pair:
    """Run both sides alternately, after one unmeasured round that fills caches."""
    ours()
    theirs()
    results = [(measured(ours), measured(theirs)) for _ in range(rounds)]
    return Pair(tuple(each[0] for each in results), tuple(each[1] for each in results))


def row(work: str, against: str, figure: str, target: str) -> None:
    """Print one line of the table."""
    print(f"{work:<44} {against:<34} {figure:<24} target {target}")
