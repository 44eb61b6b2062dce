import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambdapack.engine.container import current_owner
from lambdapack.pipeline.scratch import scratch_directory, sweep_scratch_directories

WAITS = """
import sys
from lambdapack.pipeline.scratch import scratch_directory
with scratch_directory() as directory:
    (directory / "spool").write_text("x")
    print(directory.name, flush=True)
    sys.stdin.read()
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="on Windows nobody is asked whether a process lives")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def other_run(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that holds a directory until it is told to end."""
    env = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        yield process, place / process.stdout.readline().strip()
        process.kill()


@posix
def test_what_a_killed_run_left_goes_with_the_next_and_what_a_live_one_holds_stays(place: Path) -> None:
    with other_run(place) as (killed, left), other_run(place) as (_living, held):
        assert left.is_dir()
        killed.kill()
        killed.wait()
        assert (left / "spool").exists()
        with scratch_directory() as mine:
            assert sorted(place.iterdir()) == sorted((mine, held))
            assert (held / "spool").exists()


def test_a_directory_goes_with_its_run(place: Path) -> None:
    with scratch_directory() as mine, scratch_directory() as another:
        (mine / "spool").write_text("x")
        assert mine.is_dir()
        assert another != mine
    assert list(place.iterdir()) == []


def test_nothing_else_is_touched(place: Path) -> None:
    me = current_owner()
    elsewhere = place / "elsewhere"
    names = ("lambdapack-abc", f"lambdapack-{'0' * 12}-1-x", f"lambdapack-{me.host}-{me.pid}-x", "other")
    for name in (*names, "elsewhere"):
        (place / name).mkdir()
    (place / f"lambdapack-{me.host}-1-file").write_text("x")
    (place / f"lambdapack-{me.host}-1-link").symlink_to(elsewhere)
    before = sorted(place.iterdir())
    sweep_scratch_directories(place, me, lives=lambda _pid: False)
    assert sorted(place.iterdir()) == before
    sweep_scratch_directories(place / "absent", me)
