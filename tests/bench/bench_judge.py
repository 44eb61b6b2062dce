"""Judging every binary of 250 MB of dependencies against `sha256sum` of the same files; measuring node's own binary.

Cold: nothing is remembered. The page cache is warm on both sides, and both read the same files.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lambdapack.binary.elf import read as elf
from lambdapack.model import Architecture, Target
from lambdapack.pipeline.verify import VerificationTarget, verify_package
from lambdapack.rules.model.case import Policy
from lambdapack.runtimes.runtime import shipped_runtime
from lambdapack.store.binary_facts import program_digest
from lambdapack.store.records import Store
from lambdapack.tree.archive import MappedFile
from tests.bench.timing import measured, paired, row
from tests.bench.trees import installed

PACKAGES = {
    "@aws-sdk/client-s3": "3.700.0",
    "@next/swc-linux-x64-gnu": "16.4.6",
    "@swc/core": "1.16.22",
    "argon2": "0.45.1",
    "bcrypt": "6.0.0",
    "date-fns": "4.1.0",
    "esbuild": "0.28.2",
    "lodash": "4.17.21",
    "onnxruntime-node": "1.14.0",
    "sharp": "0.34.5",
}
"""230 MB in 39 native files of three formats, among 10 600 files."""

ROUNDS = 7
RUNTIME = shipped_runtime(Target("nodejs22.x", Architecture.X86_64))
POLICY = Policy(datetime.now(UTC).date())
NODE = Path(__file__).resolve().parents[2] / ".lab" / "host" / "bin" / "node"


def judged(tree: Path, store: Store | None = None) -> list[str]:
    """Judge in this process: walk, read, hash, gather facts, check."""
    report = verify_package(VerificationTarget(tree, "index.handler"), RUNTIME, POLICY, store=store)
    return [each.binary.path for each in report.judgements]


def commanded(tree: Path, *flags: str) -> None:
    """Judge as a user does: a new process, its report on a pipe."""
    command = [sys.executable, "-m", "lambdapack", "verify", str(tree), "--runtime", "nodejs22.x", "--arch", "x86_64"]
    subprocess.run([*command, "--fail-on", "never", *flags], check=True, capture_output=True)


def main() -> None:
    """Print the rows."""
    tree = installed("judge", PACKAGES)
    files = judged(tree)
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch), program_digest())

        def sums() -> None:
            subprocess.run(["sha256sum", *files], cwd=tree, check=True, stdout=subprocess.DEVNULL)

        def nothing() -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)

        size = sum((tree / each).stat().st_size for each in files) / 1e6
        cold = paired(lambda: judged(tree), sums, ROUNDS)
        told = f"{cold.ratio:.2f}x of {statistics.median(cold.theirs):.2f} s"
        row(f"judge {len(files)} binaries, {size:.0f} MB, cold", "sha256sum of them", told, "<= 1x")
        whole = paired(lambda: commanded(tree, "--no-cache"), sums, ROUNDS)
        row("the whole command, cold", "sha256sum of them", f"{whole.ratio:.2f}x", "<= 1x")
        judged(tree, store)
        warm = [measured(lambda: judged(tree, store)) for _ in range(ROUNDS)]
        row("judge them again", "-", f"{statistics.median(warm) * 1000:.0f} ms", "<= 150 ms")
        again = paired(lambda: commanded(tree), nothing, ROUNDS)
        row("the whole command again", "python -c pass", f"+{again.above * 1000:.0f} ms", "<= 150 ms")
        node = Path(shutil.which("node") or NODE).resolve()
        row(f"read node's binary, {node.stat().st_size / 1e6:.0f} MB", "-", f"{_node(node):.2f} s", "< 1 s")


def _node(path: Path) -> float:
    def read() -> int:
        with MappedFile(path) as file:
            data = file.read_range(0, file.size)
            return elf.read_elf(data).machine + sum(1 for _ in elf.read_exports(data))

    return statistics.median(measured(read) for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
