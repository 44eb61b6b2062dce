import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from lambdapack.events import SILENT
from lambdapack.pack.zip import Compression, write_zip
from lambdapack.store.claims import claim_name, temporary_name
from lambdapack.store.packed_tree import SplicedFiles
from lambdapack.store.trees import LocalTrees, StoredInstall, tree_name
from lambdapack.tree.compose import MemoryTree, PrefixedTree
from lambdapack.tree.entry import read_file
from tests.fakes import RecordingObserver

NAME, OTHER = tree_name("sha256:1", "native/1"), tree_name("sha256:2", "native/1")
TREE = MemoryTree(
    {
        "node_modules/a/index.js": b"exports.a = 1\n" * 500,
        "node_modules/a/bin": (b"#!/bin/sh\n", 0o755),
        "node_modules/a/random": bytes(range(256)),
        "node_modules/empty": b"",
    },
    links={"node_modules/.bin/a": "../a/bin"},
    directories=("node_modules/a/cache",),
)


@pytest.fixture
def trees(tmp_path: Path) -> LocalTrees:
    return LocalTrees(tmp_path / "trees")


def put(trees: LocalTrees, *names: str, tree: MemoryTree = TREE) -> StoredInstall:
    stored = trees.put(names or (NAME,), tree, {"facts": 1}, SILENT)
    assert stored is not None
    return stored


def only(directory: Path) -> Path:
    (found,) = directory.iterdir()
    return found


def test_a_tree_comes_back_as_it_was_put(trees: LocalTrees) -> None:
    put(trees).close()
    stored = trees.get(NAME, SILENT)
    assert stored is not None
    assert stored.record == {"facts": 1}
    assert stored.tree.entries == TREE.entries
    for path in ("node_modules/a/index.js", "node_modules/a/bin", "node_modules/a/random", "node_modules/empty"):
        assert read_file(stored.tree, path) == read_file(TREE, path)


def test_nothing_is_there_before_something_is_put(trees: LocalTrees) -> None:
    observer = RecordingObserver()
    assert trees.get(NAME, observer) is None
    assert observer.notes == []
    assert not trees.directory.exists()


@pytest.mark.parametrize("prefix", ["", "nodejs"])
def test_a_zip_of_spliced_members_has_the_same_bytes(trees: LocalTrees, tmp_path: Path, prefix: str) -> None:
    stored = put(trees)
    whole = PrefixedTree(stored.tree, prefix) if prefix else stored.tree
    compression = Compression(known=SplicedFiles(stored.tree, prefix))
    fresh = write_zip(whole, tmp_path / "fresh.zip")
    spliced = write_zip(whole, tmp_path / "spliced.zip", compression=compression)
    assert (spliced.code_digest, spliced.content_digest) == (fresh.code_digest, fresh.content_digest)
    with zipfile.ZipFile(tmp_path / "spliced.zip") as archive:
        assert archive.testzip() is None


def test_a_file_of_another_size_is_not_spliced(trees: LocalTrees, tmp_path: Path) -> None:
    stored = put(trees)
    other = MemoryTree({"node_modules/a/index.js": b"exports.a = 2\n"})
    write_zip(other, tmp_path / "other.zip", compression=Compression(known=SplicedFiles(stored.tree)))
    with zipfile.ZipFile(tmp_path / "other.zip") as archive:
        assert archive.read("node_modules/a/index.js") == b"exports.a = 2\n"


def test_trees_of_the_same_bytes_share_them(trees: LocalTrees) -> None:
    put(trees)
    put(trees, OTHER)
    assert len(list((trees.directory / "entries").iterdir())) == 2
    assert len(list((trees.directory / "members").iterdir())) == 1


@pytest.mark.parametrize("kind", ["entries", "members"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_what_is_damaged_is_said_and_not_used(trees: LocalTrees, kind: str, harm: str) -> None:
    put(trees).close()
    file = only(trees.directory / kind)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    match harm:
        case "flip":
            file.write_bytes(data)
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "empty":
            file.write_bytes(b"")
        case _:
            file.unlink()
    observer = RecordingObserver()
    assert trees.get(NAME, observer) is None
    assert (observer.notes == []) == ((kind, harm) == ("entries", "remove"))
    put(trees).close()
    assert trees.get(NAME, SILENT) is not None


def test_an_entry_under_another_name_is_not_used(trees: LocalTrees) -> None:
    put(trees)
    file = only(trees.directory / "entries")
    file.rename(file.with_name(f"{OTHER}.entry"))
    assert trees.get(OTHER, SILENT) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_entry_of_another_user_is_not_used(trees: LocalTrees) -> None:
    put(trees)
    os.chown(only(trees.directory / "entries"), 12345, 12345)
    observer = RecordingObserver()
    assert trees.get(NAME, observer) is None
    assert "belongs to the user with the number 12345" in observer.notes[0]


def test_a_directory_that_cannot_be_written_costs_the_next_build_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    observer = RecordingObserver()
    assert LocalTrees(tmp_path / "file" / "trees").put((NAME,), TREE, {}, observer) is None
    assert "not stored for the next build" in observer.notes[0]


def test_the_least_recently_used_goes_first(trees: LocalTrees) -> None:
    put(trees).close()
    put(trees, OTHER, tree=MemoryTree({"b": os.urandom(5000)})).close()
    entry = trees.directory / "entries" / f"{NAME}.entry"
    os.utime(entry, (time.time() - 7200, time.time() - 7200))
    assert trees.trim(largest=6000)[0] == 1
    assert trees.get(NAME, SILENT) is None
    assert trees.get(OTHER, SILENT) is not None


def test_what_nobody_used_for_long_goes(trees: LocalTrees) -> None:
    put(trees).close()
    entry = only(trees.directory / "entries")
    os.utime(entry, (time.time() - 100, time.time() - 100))
    trees.trim(oldest=50)
    assert trees.usage() == (0, 0)


def test_a_clock_that_runs_ahead_or_behind_changes_nothing(trees: LocalTrees) -> None:
    put(trees).close()
    for hours in (-1, 1):
        for kind in ("entries", "members"):
            file = only(trees.directory / kind)
            os.utime(file, (time.time() + hours * 3600, time.time() + hours * 3600))
        trees.trim()
        assert trees.get(NAME, SILENT) is not None


def test_verify_names_and_removes_the_damaged(trees: LocalTrees) -> None:
    put(trees).close()
    put(trees, OTHER, tree=MemoryTree({"b": b"b" * 100})).close()
    (trees.directory / "entries" / f"{NAME}.entry").write_bytes(b"nonsense")
    assert [name for name, _ in trees.verify()] == [NAME]
    assert trees.verify() == ()
    assert trees.get(OTHER, SILENT) is not None


def test_clear_leaves_nothing(trees: LocalTrees) -> None:
    put(trees).close()
    with trees.claim(NAME, SILENT):
        pass
    assert trees.clear()[0] == 1
    assert not trees.directory.exists()


def test_temporary_files_of_dead_processes_are_removed(trees: LocalTrees) -> None:
    put(trees).close()
    mine = trees.directory / "members" / temporary_name()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    words = mine.name.split("-")
    theirs = mine.with_name("-".join((words[0], ended.stdout.decode().strip(), words[2])))
    mine.write_bytes(b"")
    theirs.write_bytes(b"")
    trees.trim()
    assert mine.exists()
    assert not theirs.exists()


def test_the_second_of_two_waits_and_says_so(tmp_path: Path) -> None:
    lock, order = tmp_path / "a.lock", list[str]()
    observer = RecordingObserver()
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with claim_name(lock, SILENT):
            entered.set()
            leave.wait(10)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    threading.Timer(0.3, leave.set).start()
    with claim_name(lock, observer):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert any("Waiting for another build" in task for task in observer.tasks)
    assert not lock.exists()


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "a" * 63])
def test_a_name_is_a_digest(trees: LocalTrees, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a stored tree"):
        trees.get(name, SILENT)
