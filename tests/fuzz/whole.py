"""Everything that the product does with a file that somebody hands it, with what it costs."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lambdapack.binary.elf import read
from lambdapack.errors.record import LambdapackError
from lambdapack.report import human
from lambdapack.report.document.report import render_json
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.report import Subject
from lambdapack.runtimes.runtime import parse_target, shipped_runtime
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.entry import EntryKind
from tests.world import TODAY, World

SECONDS = 1.0
"""Of the CPU, for one file."""
TIMES = 10
"""Of a file's size, in memory."""
FLOOR_BYTES = 8 << 20
"""What even the smallest file may take: tables of the runtime, the report."""
TARGETS = (("nodejs22.x", "x86_64"), ("nodejs20.x", "arm64"))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one file took."""

    seconds: float
    peak_bytes: int
    allowed_bytes: int

    @property
    def words(self) -> str:
        """What is too much, "" when nothing is."""
        slow = f"{self.seconds:.2f} s of CPU" if self.seconds > SECONDS else ""
        large = f"{self.peak_bytes} bytes of {self.allowed_bytes}" if self.peak_bytes > self.allowed_bytes else ""
        return " and ".join(each for each in (slow, large) if each)


def judge(path: str, data: bytes, scratch: Path) -> None:
    """Read and judge a file as part of a function, for both CPUs, and write the reports; or read it as a zip."""
    if path.endswith(".zip"):
        _open(data, scratch / "function.zip")
        return
    world = World()
    world.package("node_modules/native")
    world.package("node_modules/bcrypt")
    world.add(path, data, mode=0o755)
    facts = world.facts()
    for runtime, arch in TARGETS:
        report = check_package(
            Subject("directory", "."), facts, shipped_runtime(parse_target(runtime, arch)), Policy(TODAY)
        )
        human.render_human(report)
        render_json((report,))
    for _ in read.read_exports(memoryview(data)) if data.startswith(b"\x7fELF") else ():
        pass


def _open(data: bytes, place: Path) -> None:
    place.write_bytes(data)
    try:
        with ZipTree(place) as tree:
            for name, entry in tree.entries.items():
                if entry.kind is EntryKind.FILE:
                    with tree.view(name):
                        pass
    except LambdapackError:
        return


def cost(path: str, data: bytes, scratch: Path) -> Cost:
    """Return what judging takes: time first, then memory, since counting memory takes time."""
    started = time.process_time()
    judge(path, data, scratch)
    seconds = time.process_time() - started
    return Cost(seconds, peak(lambda: judge(path, data, scratch)), TIMES * len(data) + FLOOR_BYTES)


def peak(work: Callable[[], object]) -> int:
    """Return the bytes that something holds at its worst moment."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
