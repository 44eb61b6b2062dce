import os
import socket
import sys
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, HOSTILE_ARCHIVE
from lambdapack.tree.directory import MIN_MAPPED_BYTES, DirectoryTree, translate_windows_target
from lambdapack.tree.entry import EntryKind, read_file

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def test_entries_come_in_byte_order_with_their_kinds(tmp_path: Path) -> None:
    (tmp_path / "b" / "empty").mkdir(parents=True)
    (tmp_path / "b-c").write_bytes(b"1")
    (tmp_path / "b" / "x").write_bytes(b"22")
    (tmp_path / "Z").write_bytes(b"")
    (tmp_path / "\u00e9").write_bytes(b"")
    tree = DirectoryTree(tmp_path)
    assert list(tree.entries) == ["Z", "b", "b-c", "b/empty", "b/x", "\u00e9"]
    assert list(tree.entries) == sorted(tree.entries, key=str.encode)
    assert tree.entries["b"].kind is EntryKind.DIRECTORY
    assert tree.entries["b/x"].size == 2


@pytest.mark.parametrize("size", [0, 1, MIN_MAPPED_BYTES - 1, MIN_MAPPED_BYTES, MIN_MAPPED_BYTES + 1])
def test_bytes_are_the_files_own_whatever_their_size(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert read_file(DirectoryTree(tmp_path), "file") == data


@posix
def test_links_are_entries_and_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"")
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to("../outside")
    (root / "gone").symlink_to("nowhere")
    (root / "self").symlink_to(".")
    tree = DirectoryTree(root)
    assert {path: entry.target for path, entry in tree.entries.items()} == {
        "gone": "nowhere",
        "out": "../outside",
        "self": ".",
    }
    with pytest.raises(KeyError), tree.view("out"):
        pass


def test_what_is_refused_is_not_descended_into(tmp_path: Path) -> None:
    for name in ("a/node_modules/x", "a/b"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    asked: list[tuple[str, bool]] = []

    def keep(path: str, is_directory: bool) -> bool:
        asked.append((path, is_directory))
        return "node_modules" not in path

    assert list(DirectoryTree(tmp_path, keep=keep).entries) == ["a", "a/b"]
    assert set(asked) == {("a", True), ("a/node_modules", True), ("a/b", False)}


@posix
def test_a_socket_and_a_pipe_are_refused_by_name_unless_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("app.sock")
        for name in ("app.sock", "pipe"):
            with pytest.raises(LambdapackError, match=name) as caught:
                DirectoryTree(tmp_path)
            assert caught.value.failure is HOSTILE_ARCHIVE
            (tmp_path / name).unlink()
            os.mkfifo("pipe")
    assert not DirectoryTree(tmp_path, keep=lambda path, _is_directory: path != "pipe").entries


@posix
def test_modes_are_the_files_own(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "x").chmod(0o4751)
    assert DirectoryTree(tmp_path).entries["x"].mode == 0o751


@posix
def test_a_name_that_no_archive_can_hold_is_named(tmp_path: Path) -> None:
    (tmp_path / "back\\slash").write_bytes(b"")
    with pytest.raises(LambdapackError, match="backslash") as caught:
        DirectoryTree(tmp_path)
    assert caught.value.failure is HOSTILE_ARCHIVE


def test_a_root_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "absent"):
        with pytest.raises(LambdapackError, match=name) as caught:
            DirectoryTree(tmp_path / name)
        assert caught.value.failure is BAD_TARGET


@pytest.mark.parametrize("size", [1, MIN_MAPPED_BYTES])
def test_a_file_that_changed_since_is_refused(tmp_path: Path, size: int) -> None:
    for change in ("gone", "longer", "shorter"):
        file = tmp_path / "file"
        file.write_bytes(bytes(size))
        tree = DirectoryTree(tmp_path)
        if change == "gone":
            file.unlink()
        else:
            file.write_bytes(bytes(size + 1 if change == "longer" else size - 1))
        with pytest.raises(LambdapackError, match="file") as caught, tree.view("file"):
            pass
        assert caught.value.failure is BAD_TARGET


@posix
def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12")
    (tmp_path / "other").write_bytes(b"34")
    tree = DirectoryTree(tmp_path)
    (tmp_path / "file").unlink()
    (tmp_path / "file").symlink_to("other")
    with pytest.raises(LambdapackError), tree.view("file"):
        pass


def test_a_slice_that_outlives_the_view_hurts_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * MIN_MAPPED_BYTES)
    with DirectoryTree(tmp_path).view("file") as data:
        piece = data[:4]
    assert bytes(piece) == b"xxxx"


def test_a_windows_link_is_told_in_the_words_of_linux() -> None:
    root = "C:\\p"
    assert translate_windows_target("..\\a\\b", "x", root) == "../a/b"
    assert translate_windows_target("\\\\?\\C:\\p\\lib\\x", "node_modules/x", root) == "../lib/x"
    assert translate_windows_target("\\\\?\\D:\\elsewhere", "x", root) == "D:/elsewhere"
