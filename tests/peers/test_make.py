"""`make` makes the zip again when something in it changed, and only then."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.command import lambdapack
from tests.peers import tools
from tests.peers.conftest import Copy

pytestmark = [pytest.mark.engine, pytest.mark.registry]


def up_to_date(directory: Path) -> bool:
    return subprocess.run(["make", "-q", "package"], cwd=directory, capture_output=True, check=False).returncode == 0


def older(directory: Path) -> None:
    """Put every file and directory an hour back: a change is then later than the zip, whatever the clock's grain."""
    for path in (directory, *directory.rglob("*")):
        os.utime(path, (path.stat().st_atime - 3600, path.stat().st_mtime - 3600), follow_symlinks=False)


def test_an_unchanged_tree_does_nothing_and_every_change_makes_the_zip_again(
    project: Copy, lab_engine: dict[str, str]
) -> None:
    directory = project("plain")
    (directory / "lib").mkdir()
    (directory / "lib" / "a name.js").write_text("")
    assert lambdapack("init", "--makefile", cwd=directory).returncode == 0
    made = tools.run(["make", "package"], directory, lab_engine)
    assert made.returncode == 0, made.stderr
    assert (directory / ".lambdapack" / "plain-nodejs22.x-x86_64.zip").is_file()
    assert up_to_date(directory)

    older(directory)
    (directory / "node_modules").mkdir()
    (directory / "node_modules" / "x.js").write_text("")
    os.utime(directory, (0, 0))
    assert up_to_date(directory), "node_modules of the host is no input"
    (directory / "lib" / "a name.js").write_text("1")
    assert not up_to_date(directory)

    older(directory)
    (directory / "lib" / "a name.js").unlink()
    assert not up_to_date(directory), "a file that was removed is a change"


def test_a_package_that_would_not_load_stops_make_and_leaves_no_zip(project: Copy, lab_engine: dict[str, str]) -> None:
    directory = project("plain")
    assert lambdapack("init", "--makefile", cwd=directory).returncode == 0
    (directory / "index.js").rename(directory / "main.js")
    made = tools.run(["make", "package"], directory, lab_engine)
    assert made.returncode == 2
    assert "handler" in made.stderr
    assert not list(directory.glob(".lambdapack/*.zip"))
