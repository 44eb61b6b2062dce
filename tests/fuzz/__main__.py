"""`make fuzz`: hurts real binaries and judges them until the time is over or something breaks."""

import argparse
import hashlib
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random

from images.lab.cache import directory as lab
from tests.fuzz.blows import drawn
from tests.fuzz.documents import FORMATS, GivenUp, cpu_seconds, mangle
from tests.fuzz.originals import Original, compiled, packed
from tests.fuzz.whole import SECONDS, cost

MOST_FAILURES = 20
"""Kinds of failure after which a run ends."""

MOST_MEGABYTES = 300
"""Of memory, for a whole run: no document may take more."""

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
        worst = _run_documents(Path(scratch), wanted.seconds / 2, wanted.seed)
        return worst or _run(originals, Path(scratch), wanted.seconds / 2, wanted.seed)


def _packed() -> Sequence[Original]:
    try:
        return tuple(packed())
    except RuntimeError as error:
        print(f"no Mach-O, PE or zip among the originals: {error}")
        return ()


def _again(files: Sequence[Path], scratch: Path) -> int:
    for each in files:
        path = each.name.partition("--")[2].replace("%", "/") or each.name
        document = next((document for document in FORMATS if document.name == path), None)
        if document is not None:
            print(f"{each}: {cpu_seconds(document, each.read_bytes(), scratch):.2f} s")
            continue
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
            return _kept(original.path, data)
        if found.words:
            print(f"\n{original.name}: {found.words}")
            return _kept(original.path, data)
        done, slowest = done + 1, max(slowest, found.seconds)
        largest = max(largest, found.peak_bytes / found.allowed_bytes)
        if not done % ROUND:
            print(f"{done} files, slowest {slowest:.2f} s, memory {largest:.0%} of what is allowed", flush=True)
    print(f"seed {seed}: {done} files, slowest {slowest:.2f} s, memory {largest:.0%} of what is allowed")
    return 0


def _run_documents(scratch: Path, seconds: float, seed: int) -> int:
    """Hurt a document of every format in turn; each failure is kept, and the rest goes on."""
    random, end = Random(seed), time.monotonic() + seconds  # noqa: S311  # no secret
    done, slowest, failed = 0, {document.name: 0.0 for document in FORMATS}, set[str]()
    for document in FORMATS:
        cpu_seconds(document, document.originals[0], scratch)
    while time.monotonic() < end and len(failed) < MOST_FAILURES:
        for document in FORMATS:
            data = mangle(random, document)
            try:
                taken = cpu_seconds(document, data, scratch)
            except (Exception, GivenUp) as error:  # noqa: BLE001  # whatever breaks is what we look for
                mark = f"{document.name} {type(error).__name__} {traceback.extract_tb(error.__traceback__)[-1][:2]}"
                if mark not in failed:
                    failed.add(mark)
                    traceback.print_exception(error)
                    _kept(document.name, data)
                continue
            done, slowest[document.name] = done + 1, max(slowest[document.name], taken)
            if taken > SECONDS and f"{document.name} slow" not in failed:
                failed.add(f"{document.name} slow")
                print(f"{document.name}: {taken:.2f} s of CPU")
                _kept(document.name, data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    shown = ", ".join(f"{name} {taken:.2f} s" for name, taken in slowest.items())
    print(f"seed {seed}: {done} documents, {len(failed)} kinds of failure, {peak} MB at most; slowest: {shown}")
    return 1 if failed or peak > MOST_MEGABYTES else 0


def _kept(path: str, data: bytes) -> int:
    name = f"{hashlib.sha256(data).hexdigest()[:12]}--{path.replace('/', '%')}"
    place = lab() / "fuzz" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    print(f"It is {place}\nAgain: python -m tests.fuzz {place}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
