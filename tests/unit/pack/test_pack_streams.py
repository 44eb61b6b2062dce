"""`lambdapack build 2> build.log` in the project: the log grows while the project is read, and is no code."""

import subprocess
import sys
from pathlib import Path

from lambdapack.pack.source import WRITTEN_STREAM_REASON, read_project_source

PROGRAM = """
import sys
from pathlib import Path
from lambdapack.pack.source import read_project_source
print("started", file=sys.stderr, flush=True)
source = read_project_source(Path(sys.argv[1]))
print(sorted(source.tree.entries), dict(source.excluded))
"""


def test_the_file_of_a_stream_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text("exports.handler = () => 1\n")
    with (tmp_path / "build.log").open("w") as log:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, check=True)
    assert done.stdout == f"['index.js'] {{'build.log': {WRITTEN_STREAM_REASON!r}}}\n"
    assert (tmp_path / "build.log").read_text() == "started\n"


def test_the_same_file_of_another_command_ships(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_text("x")
    assert set(read_project_source(tmp_path).tree.entries) == {"build.log"}
