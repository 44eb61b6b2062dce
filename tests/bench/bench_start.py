"""Commands that a person waits for, against a Python that does nothing: CPU seconds of the whole process."""

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.timing import row

ROUNDS = 30

COMMANDS = (
    (("--version",), 60),
    (("--help",), 80),
    (("explain", "/var/task/node_modules/canvas/build/Release/canvas.node: invalid ELF header"), 150),
)
"""Arguments, and how many milliseconds of CPU above the interpreter's own they may take."""


def main() -> None:
    """Print a row for each command."""
    script = shutil.which("lambdapack", path=str(Path(sys.executable).parent)) or "lambdapack"
    for arguments, target in COMMANDS:
        above = statistics.median(
            _cpu_seconds([script, *arguments]) - _cpu_seconds([sys.executable, "-c", "pass"]) for _ in range(ROUNDS)
        )
        figure, limit = f"+{above * 1000:.0f} ms", f"<= {target} ms above"
        row(f"lambdapack {arguments[0]}, CPU", "python -c pass", figure, limit)


def _cpu_seconds(command: Sequence[str]) -> float:
    """Return user and system time of one run."""
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{command} ended with {started.returncode}")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
