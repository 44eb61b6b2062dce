"""Packing a fresh tree against `zip -r -9` and Python's zipfile. The tree is a real node_modules, installed once."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lambdapack.pack.zip import write_zip
from lambdapack.tree.directory import DirectoryTree
from tests.bench.timing import paired, row
from tests.bench.trees import installed

PACKAGES = {
    "@aws-sdk/client-s3": "3.700.0",
    "date-fns": "4.1.0",
    "lodash": "4.17.21",
    "sharp": "0.34.5",
    "typescript": "5.6.3",
}
"""About 70 MB."""

ROUNDS = 3


def with_info_zip(tree: Path, archive: Path) -> None:
    """What people type."""
    archive.unlink(missing_ok=True)
    subprocess.run(["zip", "-r", "-9", "-q", archive, "."], cwd=tree, check=True)


def with_zipfile(tree: Path, archive: Path) -> None:
    """What Python packagers do."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(tree.rglob("*")):
            target.write(path, path.relative_to(tree))


def main() -> None:
    """Print a row for each competitor that is installed."""
    tree = installed("zip", PACKAGES)
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = Path(scratch) / "ours.zip", Path(scratch) / "theirs.zip"
        rivals = [("Python zipfile", with_zipfile, ">= 4x, no larger")]
        if shutil.which("zip"):
            rivals.insert(0, ("zip -r -9", with_info_zip, ">= 8x, no larger"))
        for name, rival, target in rivals:
            theirs.unlink(missing_ok=True)
            pair = paired(
                lambda: write_zip(DirectoryTree(tree), ours),
                lambda rival=rival: rival(tree, theirs),  # type: ignore[misc]
                ROUNDS,
            )
            size = ours.stat().st_size / theirs.stat().st_size
            row("zip a fresh tree of dependencies", name, f"{1 / pair.ratio:.1f}x, size {size:.3f}", target)


if __name__ == "__main__":
    main()
