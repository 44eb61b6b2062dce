"""Nothing that was remembered may speak for a file that has changed since."""

import os
import shutil
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from lambdapack.binary.facts import Inventory
from lambdapack.binary.scan import NO_CONTENT_CACHE, scan_binaries
from lambdapack.events import SILENT
from lambdapack.store.binary_facts import BinaryCache
from lambdapack.store.records import Store
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import FilteredTree, PrefixedTree
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Tree
from lambdapack.tree.identity import NANOSECONDS_PER_SECOND, SETTLED_NANOSECONDS
from tests import elf as make

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this host has no change times")

LATER = 4 * SETTLED_NANOSECONDS
"""How far the clock runs ahead, so that what a test has just written counts as settled."""


class Counted:
    """A tree that counts what is opened."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.entries = tree.entries
        self.opened: Counter[str] = Counter()

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        self.opened[path] += 1
        with self._tree.view(path) as data:
            yield data


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Two addons of one size and different content."""
    place = tmp_path_factory.mktemp("shapes")
    addon = make.link(place, "addon.node", make.NODE_API, "-DLEVEL=9").read_bytes()
    return addon, make.with_machine(addon, 183)


@pytest.fixture
def project(tmp_path: Path, shapes: tuple[bytes, bytes]) -> Path:
    root = tmp_path / "project"
    (root / "lib").mkdir(parents=True)
    (root / "a.node").write_bytes(shapes[0])
    (root / "index.js").write_bytes(b"exports.handler = async () => 'hello, Lambda'\n")
    (root / "lib" / "page.node").write_bytes(b"<!doctype html><title>404</title>")
    return root


@contextmanager
def opened(place: Path) -> Iterator[Tree]:
    if place.is_dir():
        yield DirectoryTree(place)
        return
    with ZipTree(place) as tree:
        yield tree


def look(place: Path, cache: Path, *, code: str = "1", age: int = LATER) -> tuple[Inventory, Counter[str]]:
    """Scan with memory, hold the result against a scan without, and return it with what was opened."""
    with opened(place) as tree:
        counted = Counted(tree)
        memory = BinaryCache(Store(cache, code), str(place), time.time_ns() + age)
        found = scan_binaries(counted, SILENT, memory)
        memory.save()
        assert found == scan_binaries(tree, SILENT, NO_CONTENT_CACHE)
    return found, counted.opened


def test_an_unchanged_tree_is_not_read_again(project: Path, tmp_path: Path) -> None:
    first, read = look(project, tmp_path / "cache")
    assert set(read) == {"a.node", "index.js", "lib/page.node"}
    second, again = look(project, tmp_path / "cache")
    assert (second, again) == (first, Counter())


def test_a_file_that_has_just_changed_is_read_again(project: Path, tmp_path: Path) -> None:
    look(project, tmp_path / "cache", age=0)
    assert set(look(project, tmp_path / "cache", age=0)[1]) == {"a.node", "index.js", "lib/page.node"}


def utimed(path: Path, data: bytes) -> None:
    """In place, and the old times set again."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(path: Path, data: bytes) -> None:
    """Another file under the name, of the same size and time."""
    status, other = path.stat(), path.with_name("new")
    other.write_bytes(data)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def swapped(path: Path, data: bytes) -> None:
    """An old file of the same size, moved here: its own times stay as they were."""
    status, aside = path.stat(), path.parent.parent / "aside"
    aside.write_bytes(data)
    os.utime(aside, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
    aside.rename(path)


def mapped(path: Path, data: bytes) -> None:
    """Written through a mapping."""
    import mmap  # noqa: PLC0415

    status = path.stat()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:] = data
        memory.flush()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def relinked(path: Path, data: bytes) -> None:
    """Through another name of the same file."""
    other = path.parent.parent / "other"
    os.link(path, other)
    utimed(other, data)


@pytest.mark.parametrize("cheat", [utimed, replaced, swapped, mapped, relinked], ids=lambda each: each.__name__)
def test_a_changed_file_of_the_same_size_and_time_is_read(
    cheat: Callable[[Path, bytes], None],
    project: Path,
    tmp_path: Path,
    shapes: tuple[bytes, bytes],
) -> None:
    look(project, tmp_path / "cache")
    status = (project / "a.node").stat()
    cheat(project / "a.node", shapes[1])
    after = (project / "a.node").stat()
    assert (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    found, read = look(project, tmp_path / "cache")
    assert found.binaries[0].machines == ("arm64",)
    assert set(read) == {"a.node"}


def test_text_that_becomes_native_is_seen(project: Path, tmp_path: Path) -> None:
    look(project, tmp_path / "cache")
    size = (project / "index.js").stat().st_size
    utimed(project / "index.js", b"\x7fELF".ljust(size, b"\0"))
    found, _ = look(project, tmp_path / "cache")
    assert [each.path for each in found.binaries] == ["a.node", "index.js", "lib/page.node"]


def test_another_tree_at_the_same_place_is_read(project: Path, tmp_path: Path, shapes: tuple[bytes, bytes]) -> None:
    look(project, tmp_path / "cache")
    other = tmp_path / "other"
    shutil.copytree(project, other, copy_function=shutil.copy2)
    utimed(other / "a.node", shapes[1])
    project.rename(tmp_path / "old")
    other.rename(project)
    found, read = look(project, tmp_path / "cache")
    assert found.binaries[0].machines == ("arm64",)
    assert len(read) == 3


def test_a_file_on_another_device_is_another_file(project: Path, tmp_path: Path, shapes: tuple[bytes, bytes]) -> None:
    """A mount in place of a directory: inode, size and all times may be the same there."""
    cache = tmp_path / "cache"
    look(project, cache)
    tree = DirectoryTree(project)
    device = f":{(project / 'a.node').stat().st_dev}:"
    assert device in tree.entries["a.node"].identity
    elsewhere = Mounted(tree, device, shapes[1])
    found = scan_binaries(elsewhere, SILENT, BinaryCache(Store(cache, "1"), str(project), time.time_ns() + LATER))
    assert found.binaries[0].machines == ("arm64",)


class Mounted:
    """The same tree from another device, with another addon in it."""

    def __init__(self, tree: Tree, device: str, addon: bytes) -> None:
        self._tree, self._addon = tree, addon
        self.entries = {
            path: replace(each, identity=each.identity.replace(device, ":1234567:"))
            for path, each in tree.entries.items()
        }

    def view(self, path: str) -> AbstractContextManager[memoryview]:
        return self._lend() if path == "a.node" else self._tree.view(path)

    @contextmanager
    def _lend(self) -> Iterator[memoryview]:
        yield memoryview(self._addon)


def test_times_without_a_fraction_are_not_believed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only image makes its change times up, and its next version may make up the same."""
    whole = {each.name: each.stat() for each in project.iterdir()}
    assert all(each.st_ctime_ns % NANOSECONDS_PER_SECOND for each in whole.values())
    monkeypatch.setattr("lambdapack.tree.identity.NANOSECONDS_PER_SECOND", 1)
    look(project, tmp_path / "cache")
    assert set(look(project, tmp_path / "cache")[1]) == {"a.node", "index.js", "lib/page.node"}


def test_a_time_in_the_future_is_not_believed(project: Path, tmp_path: Path) -> None:
    ahead = time.time_ns() + 2 * LATER
    os.utime(project / "a.node", ns=(ahead, ahead))
    look(project, tmp_path / "cache")
    assert set(look(project, tmp_path / "cache")[1]) == {"a.node"}


def test_the_same_bytes_under_a_name_that_promises_nothing_are_nothing(project: Path, tmp_path: Path) -> None:
    look(project, tmp_path / "cache")
    shutil.copy(project / "lib" / "page.node", project / "page.html")
    found, _ = look(project, tmp_path / "cache")
    assert [each.path for each in found.binaries] == ["a.node", "lib/page.node"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff" * 40], ids=["empty", "cut", "a list", "noise"])
def test_damaged_records_are_made_again(damage: bytes, project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    look(project, cache)
    for record in cache.rglob("*.record"):
        record.write_bytes(damage)
    assert len(look(project, cache)[1]) == 3
    assert look(project, cache)[1] == Counter()


def test_facts_of_other_code_are_made_again(project: Path, tmp_path: Path) -> None:
    look(project, tmp_path / "cache", code="1")
    assert len(look(project, tmp_path / "cache", code="2")[1]) == 3


def test_a_lost_record_costs_reading_its_file(project: Path, tmp_path: Path) -> None:
    found, _ = look(project, tmp_path / "cache")
    (tmp_path / "cache" / "binaries" / f"{found.binaries[0].sha256}.record").unlink()
    assert set(look(project, tmp_path / "cache")[1]) == {"a.node"}


def test_what_is_gone_is_forgotten(project: Path, tmp_path: Path) -> None:
    look(project, tmp_path / "cache")
    (project / "a.node").unlink()
    (project / "b.js").write_bytes(b"// twenty-eight bytes or more")
    look(project, tmp_path / "cache")
    (record,) = (tmp_path / "cache" / "trees").iterdir()
    assert b"a.node" not in record.read_bytes()


def test_a_prefix_and_a_filter_pass_the_identity_on(project: Path) -> None:
    tree = DirectoryTree(project)
    moved = PrefixedTree(FilteredTree(tree, lambda entry: entry.path == "a.node"), "opt")
    assert moved.entries["opt/a.node"].identity == tree.entries["a.node"].identity != ""


def test_needed_libraries_are_not_opened_again(tmp_path: Path) -> None:
    root = tmp_path / "linked"
    root.mkdir()
    make.using(root, "uses.node", make.library(root, "libshiny.so.1", "V_1"))
    first, _ = look(root, tmp_path / "cache")
    again, read = look(root, tmp_path / "cache")
    assert (again, read) == (first, Counter())
    assert any(each.elf and each.elf.defines for each in again.binaries)


def zipped(project: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(each for each in project.rglob("*") if each.is_file()):
            made.write(path, path.relative_to(project))
    return archive


def test_an_unchanged_zip_is_not_unpacked_again(project: Path, tmp_path: Path) -> None:
    archive = zipped(project, tmp_path / "function.zip")
    first, _ = look(archive, tmp_path / "cache")
    assert look(archive, tmp_path / "cache") == (first, Counter())


def test_a_zip_that_was_made_anew_is_read(project: Path, tmp_path: Path, shapes: tuple[bytes, bytes]) -> None:
    archive = zipped(project, tmp_path / "function.zip")
    look(archive, tmp_path / "cache")
    before = archive.stat()
    (project / "a.node").write_bytes(shapes[1])
    zipped(project, archive)
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))
    found, _ = look(archive, tmp_path / "cache")
    assert found.binaries[0].machines == ("arm64",)


def test_clearing_while_another_run_reads_costs_that_run_nothing_but_time(project: Path, tmp_path: Path) -> None:
    cache, ended, cleared = tmp_path / "cache", Event(), Counter[str]()

    def clear() -> None:
        while not ended.is_set():
            cleared.update({each.kind: each.entries for each in Store(cache, "1").clear()})

    other = Thread(target=clear)
    other.start()
    try:
        for _ in range(40):
            look(project, cache)  # which compares with a scan that remembers nothing
    finally:
        ended.set()
        other.join()
    assert cleared["binaries"] > 0
