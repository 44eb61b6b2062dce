"""`make fuzz`: hurts real binaries and judges them until the time is over or something breaks."""

import argparse
import hashlib
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random

from images.lab.cache import directory as lab
from tests.fuzz.blows import drawn
from tests.fuzz.originals import Original, compiled, packed
from tests.fuzz.whole import cost

ROUND = 1000
"""Files between two lines of progress."""


def main() -> int:
    """Return 0 when nothing broke, 1 with the file that broke it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "file", nargs="*", type=Path, help="judge these files again instead: PATH as the fuzzer left it"
    )
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if wanted.file:
            return _again(wanted.file, Path(scratch))
        originals = [*compiled(Path(scratch)), *_packed()]
        for each in originals:
            cost(each.path, each.data, Path(scratch))  # imports and caches are not the file's fault
        return _run(originals, Path(scratch), wanted.seconds, wanted.seed)


def _packed() -> Sequence[Original]:
    try:
        return tuple(packed())
    except RuntimeError as error:
        print(f"no Mach-O, PE or zip among the originals: {error}")
        return ()


def _again(files: Sequence[Path], scratch: Path) -> int:
    for each in files:
        path = each.name.partition("--")[2].replace("%", "/") or each.name
        found = cost(path, each.read_bytes(), scratch)
        print(f"{each}: {found.seconds:.2f} s, {found.peak_bytes} bytes {found.words}")
    return 0


def _run(originals: Sequence[Original], scratch: Path, seconds: float, seed: int) -> int:
    random, end = Random(seed), time.monotonic() + seconds  # noqa: S311  # no secret
    done, slowest, largest = 0, 0.0, 0.0
    while time.monotonic() < end:
        original, data = drawn(random, originals)
        try:
            found = cost(original.path, data, scratch)
        except Exception as error:  # noqa: BLE001  # whatever breaks is what we look for
            traceback.print_exception(error)
            return _kept(original, data)
        if found.words:
            print(f"\n{original.name}: {found.words}")
            return _kept(original, data)
        done, slowest = done + 1, max(slowest, found.seconds)
        largest = max(largest, found.peak_bytes / found.allowed_bytes)
        if not done % ROUND:
            print(f"{done} files, slowest {slowest:.2f} s, memory {largest:.0%} of what is allowed", flush=True)
    print(f"seed {seed}: {done} files, slowest {slowest:.2f} s, memory {largest:.0%} of what is allowed")
    return 0


def _kept(original: Original, data: bytes) -> int:
    name = f"{hashlib.sha256(data).hexdigest()[:12]}--{original.path.replace('/', '%')}"
    place = lab() / "fuzz" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    print(f"It is {place}\nAgain: python -m tests.fuzz {place}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
