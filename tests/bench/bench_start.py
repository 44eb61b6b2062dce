"""`lambdapack --version` against a Python that does nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.timing import paired, row

ROUNDS = 30


def main() -> None:
    """Print the row."""
    script = shutil.which("lambdapack", path=str(Path(sys.executable).parent)) or "lambdapack"
    pair = paired(
        lambda: subprocess.run([script, "--version"], check=True, stdout=subprocess.DEVNULL),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        ROUNDS,
    )
    row("lambdapack --version", "python -c pass", f"+{pair.above * 1000:.0f} ms", "<= 60 ms above")


if __name__ == "__main__":
    main()
