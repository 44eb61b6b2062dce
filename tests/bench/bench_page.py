"""The page of `inspect --html` for 250 MB of dependencies: its size, and how long Chromium takes to open it."""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import chromium
from tests.bench.bench_judge import PACKAGES
from tests.bench.timing import measured
from tests.bench.trees import installed
from tests.command import lambdapack

ROUNDS = 7
LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"


def main() -> None:
    """Print the rows."""
    tree = installed("judge", PACKAGES)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "page.html"
        words = ("inspect", tree, "--runtime", "nodejs22.x", "--quiet", "--html", page)
        seconds = [measured(lambda: lambdapack(*words)) for _ in range(3)]
        print(f"inspect --html, again                 {min(seconds):8.2f} s")
        print(f"the page                              {page.stat().st_size / 1e6:8.2f} MB (at most 2)")
        with chromium.tab(Path(scratch) / "profile") as tab:
            times = []
            for _ in range(ROUNDS):
                tab.open(page)
                times.append(tab.run(LOADED) / 1000)
        print(f"Chromium opens it, median of {ROUNDS}        {statistics.median(times):8.2f} s  (at most 1)")


if __name__ == "__main__":
    main()
