"""What an earlier build saves: an unchanged one, one with other code, a second function; CPU seconds of whole commands.

Wall seconds are of little use where other programs run. Needs the engine and the lab images.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lambdapack.pack.zip import Compression, write_zip
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.spool import SpoolTree, tar_chunks
from tests.bench.bench_zip import PACKAGES as LARGE
from tests.bench.timing import measured, row
from tests.bench.trees import installed

ROUNDS = 9
IMAGE = "lambdapack-lab/nodejs:{node}-{arch}"
COMMAND = (sys.executable, "-m", "lambdapack")
HANDLER = "exports.handler = async () => {}\n"


def cpu_seconds(command: Sequence[str], environment: dict[str, str], directory: Path) -> float:
    """Return user and system time of one run, without its containers."""
    started = subprocess.Popen(
        command, env=environment, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _pid, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{command} ended with {started.returncode}")
    return used.ru_utime + used.ru_stime


def above_nothing(run: Callable[[], float], idle: Callable[[], float]) -> float:
    """Return the median of CPU seconds above a Python that does nothing."""
    return statistics.median(run() - idle() for _ in range(ROUNDS))


class Builds:
    """A project with 70 MB of dependencies, and whole commands that build it."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.project = scratch, scratch / "project"
        self.project.mkdir()
        manifest = {"name": "project", "version": "1.0.0", "dependencies": LARGE}
        (self.project / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        (self.project / "index.js").write_text(HANDLER, encoding="utf-8")
        lock = ["npm", "install", "--package-lock-only", "--no-audit", "--ignore-scripts"]
        subprocess.run(lock, cwd=self.project, check=True, capture_output=True)
        self.environment = {
            **os.environ,
            "LAMBDAPACK_CACHE": str(scratch / "cache"),
            "LAMBDAPACK_IMAGE": IMAGE,
            "LAMBDAPACK_BUILD_IMAGE": f"{IMAGE}-build",
            "LAMBDAPACK_LOAD": "never",
        }

    def run(self, *more: str, directory: Path | None = None) -> float:
        target = ("--runtime", "nodejs22.x", "--arch", "x86_64")
        command = (*COMMAND, "build", str(directory or self.project), *target, *more)
        return cpu_seconds(command, self.environment, self.scratch)

    def idle(self) -> float:
        return cpu_seconds((sys.executable, "-c", "pass"), self.environment, self.scratch)

    def change(self) -> float:
        (self.project / "index.js").write_text(f"{HANDLER}// {os.urandom(4).hex()}\n", encoding="utf-8")
        return self.run()


def unchanged(builds: Builds) -> None:
    """Print the rows of builds with nothing to do."""
    builds.run()
    above = above_nothing(builds.run, builds.idle)
    row("unchanged build, CPU", "python -c pass", f"+{above * 1000:.0f} ms", "<= 150 ms above")
    terraform = ("--format", "terraform-external")
    builds.run(*terraform)
    above = above_nothing(lambda: builds.run(*terraform), builds.idle)
    row("unchanged Terraform data source, CPU", "python -c pass", f"+{above * 1000:.0f} ms", "<= 200 ms above")


def changed(builds: Builds) -> None:
    """Print the rows of builds with known dependencies and other code."""
    archive = next((builds.project / ".lambdapack").glob("*.zip"))
    copy_path = builds.scratch / "copy.zip"
    copy = statistics.median(measured(lambda: shutil.copyfile(archive, copy_path)) for _ in range(ROUNDS))
    builds.change()
    spent = statistics.median(builds.change() for _ in range(ROUNDS))
    goal = 2 * copy + 0.150
    row("code-only change, CPU", "copying the old zip", f"{spent:.2f} s", f"<= 2x + 150 ms: {goal:.2f} s")
    other = builds.scratch / "other"
    shutil.copytree(builds.project, other, ignore=shutil.ignore_patterns(".lambdapack"))
    second = builds.run("--frozen", directory=other)
    row("second function with the same key, CPU", "no container (--frozen)", f"{second:.2f} s", "<= 1 s")


def zips(scratch: Path) -> None:
    """Print the rows of many small files: from a directory, and from the spool as builds do."""
    small = installed("zip-small", {"date-fns": "4.1.0", "@aws-sdk/client-s3": "3.700.0", "lodash": "4.17.21"})
    tree, spool = DirectoryTree(small), scratch / "spool.tar"
    with spool.open("wb") as file:
        for chunk in tar_chunks(tree):
            file.write(chunk)
    theirs = scratch / "theirs.zip"

    def rival() -> None:
        theirs.unlink(missing_ok=True)
        subprocess.run(["zip", "-r", "-9", "-q", theirs, "."], cwd=small, check=True)

    slow = statistics.median(measured(rival) for _ in range(3))
    with SpoolTree(spool) as spooled:
        for name, source, goal in (("a directory", tree, ">= 5.5x"), ("the spool", spooled, ">= 7x")):
            fast = statistics.median(measured(partial(write_zip, source, scratch / "o.zip")) for _ in range(5))
            size = (scratch / "o.zip").stat().st_size / theirs.stat().st_size
            work = f"zip {len(tree.entries)} small files from {name}"
            row(work, "zip -r -9", f"{slow / fast:.1f}x, size {size:.3f}", goal)
        write_zip(spooled, scratch / "best.zip", compression=Compression("best"))
        size = (scratch / "best.zip").stat().st_size / theirs.stat().st_size
        row("--compress best", "zip -r -9", f"size {size:.3f}", "< 1")


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as directory:
        builds = Builds(Path(directory))
        unchanged(builds)
        changed(builds)
        zips(Path(directory))


if __name__ == "__main__":
    main()
