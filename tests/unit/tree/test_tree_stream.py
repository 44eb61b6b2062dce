import io
import tarfile
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.tree.compose import MemoryTree, make_readable
from lambdapack.tree.entry import EntryKind, read_file
from lambdapack.tree.spool import TAR_CHUNK_BYTES, SpoolTree, tar_chunks

TREE = MemoryTree(
    {
        "a/b/run": (b"#!/bin/sh", 0o700),
        "a/b/data": (b"x" * 1000, 0o600),
        "empty": b"",
        "\u00e9" * 80 + "/" + "n" * 150: b"long",
        "big": bytes(range(256)) * 4096,
    },
    links={"link": "a/b/run", "a/far": "../" + "t" * 200},
    directories=["a", "hollow"],
)


def test_a_tree_comes_back_from_its_own_stream(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(b"".join(tar_chunks(TREE, "var/task", (1000, 100))))
    with SpoolTree(spool, "var/task") as back:
        files = {path: read_file(back, path) for path, entry in back.entries.items() if entry.kind is EntryKind.FILE}
        assert files == {
            path: read_file(TREE, path) for path, entry in TREE.entries.items() if entry.kind is EntryKind.FILE
        }
        assert back.entries["a/far"].target == "../" + "t" * 200
        assert [back.entries[path].mode for path in ("a/b/run", "a/b/data", "hollow")] == [0o700, 0o600, 0o755]


def test_a_readable_tree_is_readable_for_everybody() -> None:
    modes = {path: entry.mode for path, entry in make_readable(TREE).entries.items()}
    assert [modes[path] for path in ("a/b/run", "a/b/data", "hollow", "link")] == [0o755, 0o644, 0o755, 0o777]


def test_directories_come_once_before_what_they_hold_and_only_the_last_of_the_prefix() -> None:
    stream = io.BytesIO(b"".join(tar_chunks(TREE, "var/task", (7, 8))))
    with tarfile.open(fileobj=stream) as archive:
        members = archive.getmembers()
    names = [each.name for each in members]
    assert len(names) == len(set(names))
    assert "var" not in names
    assert names[0] == "var/task"
    assert [name for name in names if name.startswith("var/task/a")] == [
        f"var/task/{name}" for name in ("a", "a/b", "a/b/data", "a/b/run", "a/far")
    ]
    assert {(each.uid, each.gid, each.mtime, each.uname) for each in members} == {(7, 8, 315532800, "")}


def test_the_stream_is_the_same_each_time_and_in_bounded_pieces() -> None:
    chunks = list(tar_chunks(TREE))
    assert b"".join(chunks) == b"".join(tar_chunks(TREE))
    assert max(map(len, chunks)) <= 2 * TAR_CHUNK_BYTES + 2048
    assert len(b"".join(chunks)) % 512 == 0


def test_an_empty_tree_is_an_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"".join(tar_chunks(MemoryTree({}))))
    with SpoolTree(tmp_path / "s") as tree:
        assert not tree.entries


@pytest.mark.parametrize("prefix", ["/var/task", "../x", "a/"])
def test_a_prefix_is_a_path_below_the_root(prefix: str) -> None:
    with pytest.raises(LambdapackError):
        list(tar_chunks(MemoryTree({}), prefix))
