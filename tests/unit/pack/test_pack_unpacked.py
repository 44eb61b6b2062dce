import stat
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.pack.output import write_directory
from lambdapack.tree.compose import MemoryTree

TREE = MemoryTree({"index.js": b"//", "bin/run": (b"#!/bin/sh\n", 0o755)}, directories=["empty"])


def everything(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        each.relative_to(directory).as_posix(): (stat.S_IMODE(each.stat().st_mode), each.read_bytes())
        for each in directory.rglob("*")
        if each.is_file()
    }


@pytest.mark.parametrize("there", [False, True])
def test_a_tree_is_written_with_its_modes_to_a_new_or_empty_directory(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "deeper" / "out"
    if there:
        target.mkdir(parents=True)
    assert write_directory(TREE, target) == 12
    assert everything(target) == {"index.js": (0o644, b"//"), "bin/run": (0o755, b"#!/bin/sh\n")}
    assert (target / "empty").is_dir()
    assert [each.name for each in target.parent.iterdir()] == ["out"]


def test_a_directory_that_holds_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(LambdapackError) as refused:
        write_directory(TREE, tmp_path)
    assert refused.value.failure.code == "LP009"
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    broken = MemoryTree({"a.js": b"a"}, links={"b.js": "a.js"})
    with pytest.raises(LambdapackError, match="it is a symbolic link"):
        write_directory(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
