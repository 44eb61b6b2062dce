"""Explaining a log of 100 MB against `grep -cE` with twenty literals of the messages in it; and the memory it takes."""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.timing import paired, row

SIZE = 100_000_000
ROUNDS = 7
WORDS = [
    *("processing", "order", "customer", "payload", "received", "upstream", "queue", "handler", "took", "retry"),
    *("connection", "pool", "cache", "hit", "miss", "item", "validated", "stored", "response", "request", "finished"),
]

LITERALS = (
    "invalid ELF header",
    "cannot open shared object file",
    "NODE_MODULE_VERSION",
    "ERR_DLOPEN_FAILED",
    "GLIBC_",
    "undefined symbol",
    "wrong ELF class",
    "file too short",
    "did not self-register",
    "Error relocating",
    "Error loading shared library",
    "No native build was found",
    "Could not locate the bindings file",
    "Cannot find module",
    "Cannot find package",
    "Could not load the",
    "incompatible architecture",
    "Exec format error",
    "Runtime.ImportModuleError",
    "must be smaller than",
)

ERRORS = (
    (
        "Error: /var/task/node_modules/canvas/build/Release/canvas.node: invalid ELF header\n"
        "    at Object..node (node:internal/modules/cjs/loader:1921:18)\n    at Module.load (node:internal:1:1)"
    ),
    (
        '{"errorType":"Runtime.ImportModuleError","errorMessage":"Cannot find module \'uuid\'\\nRequire stack:\\n'
        '- /var/task/index.js\\n- /var/runtime/index.mjs","stack":[]}'
    ),
)


def written(path: Path) -> None:
    """Write a log as Lambda's text and JSON formats mixed, with an error now and then, the same each time."""
    dice = random.Random(3)  # noqa: S311  # a sample
    size = 0
    with path.open("w", encoding="ascii") as file:
        while size < SIZE:
            size += file.write("\n".join(_request(dice)) + "\n")


def _request(dice: random.Random) -> list[str]:
    name = str(uuid.UUID(int=dice.getrandbits(128)))
    stamp = f"2026-11-02T10:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}.{dice.randint(0, 999):03}Z"
    said = [f"{stamp}\t{name}\tINFO\t{' '.join(dice.choices(WORDS, k=12))}" for _ in range(4)]
    told = {"timestamp": stamp, "level": "INFO", "requestId": name, "message": " ".join(dice.choices(WORDS, k=9))}
    failed = [f"{stamp}\t{name}\tERROR\t{dice.choice(ERRORS)}"] if dice.random() < 0.002 else []
    spent = f"Duration: {dice.random() * 100:.2f} ms\tBilled Duration: 90 ms\tMemory Size: 512 MB"
    begin, end = f"START RequestId: {name} Version: $LATEST", f"END RequestId: {name}"
    return [begin, *said, json.dumps(told), *failed, end, f"REPORT RequestId: {name}\t{spent}"]


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "function.log"
        written(log)
        ours = [sys.executable, "-m", "lambdapack", "explain", str(log), "--format", "json"]

        def explained() -> None:
            subprocess.run(ours, check=True, capture_output=True, cwd=scratch)

        def grepped() -> None:
            subprocess.run(["grep", "-cE", "|".join(LITERALS), str(log)], check=True, capture_output=True)

        pair = paired(explained, grepped, ROUNDS)
        theirs = statistics.median(pair.theirs)
        over = statistics.median(pair.ours) - 5 * theirs
        told = f"{pair.ratio:.1f}x of {theirs * 1000:.0f} ms"
        row("explain a log of 100 MB", "grep -cE, 20 literals", told, f"5x + 300 ms (this: 5x {over * 1000:+.0f} ms)")
        row("its memory", "-", f"{_peak(ours, scratch)} MB", "< 200 MB")


def _peak(command: list[str], directory: str) -> int:
    """Peak of the resident memory of one run, in MB."""
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=directory)
    _pid, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{command} ended with {started.returncode}")
    return used.ru_maxrss // 1024


if __name__ == "__main__":
    main()
