"""What all native files of one job may cost together. Reads no file."""

from threading import Lock

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import TOO_LARGE

MAX_NATIVE_FILES = 10_000
"""Native files of one package; the largest known has 400. Judging one takes 0.2 ms."""

JOB_STEPS = 4_000_000
"""Steps beyond their sizes that all files of a job may take together: two seconds of CPU. The 400 native files of the
largest packages take 60,000."""


class StepBudget:
    """Steps that the files of one job may take beyond what their own sizes justify. Used by several threads."""

    __slots__ = ("_left", "_lock")

    def __init__(self, steps: int = JOB_STEPS) -> None:
        """Start with all steps left."""
        self._left = steps
        self._lock = Lock()

    def take(self, steps: int) -> None:
        """Use up steps; LP019 when none is left: it counts files together that cost little each."""
        with self._lock:
            self._left -= steps
            if self._left < 0:
                raise LambdapackError(TOO_LARGE, "the tables of file after file overlap or have no end")


def refuse_many_files(count: int) -> None:
    """LP019 for more files with the names of native ones than any package has."""
    if count > MAX_NATIVE_FILES:
        detail = f"{count} files are named as native ones (.node, .so), more than {MAX_NATIVE_FILES}"
        raise LambdapackError(TOO_LARGE, detail)
