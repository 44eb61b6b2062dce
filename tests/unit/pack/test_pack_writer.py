import base64
import errno
import hashlib
import os
import shutil
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lambdapack.pack.zip as compress_module
import lambdapack.pack.zip as layout_module
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, OUTPUT
from lambdapack.pack.digest import code_digest, content_digest
from lambdapack.pack.output import unwritable_error
from lambdapack.pack.zip import Compression, write_zip
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import Entry, EntryKind, Tree, read_file

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and links")

FILES: dict[str, tuple[bytes, int]] = {
    "index.js": (b"exports.handler = async () => 1\n" * 40, 0o644),
    "bin/run": (b"#!/bin/sh\n" + b"echo hello\n" * 20, 0o755),
    "empty": (b"", 0o644),
    "caf\u00e9/\u65e5\u672c.txt": (b"text " * 50, 0o644),
    "random": (bytes(hashlib.sha256(b"x").digest()) * 1, 0o644),
    "a-b": (b"1", 0o644),
    "a/c": (b"2", 0o644),
    "big": (b"".join(b"%d\n" % number for number in range(100_000)), 0o644),
}
TREE = MemoryTree(FILES, links={"current": "a/c", "opt": "/opt/lib"}, directories=["a", "hollow", "deep/hollow"])


def lay(root: Path, names: list[str], mask: int) -> Path:
    before = os.umask(mask)
    try:
        for number, name in enumerate(names):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(FILES[name][0])
            if FILES[name][1] & 0o111:
                path.chmod(path.stat().st_mode | 0o100)
            os.utime(path, (number * 10**6, number * 10**7))
        (root / "hollow").mkdir()
        (root / "current").symlink_to("a/c")
    finally:
        os.umask(before)
    return root


@posix
def test_the_same_content_gives_the_same_bytes_whatever_the_surroundings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = []
    for place, names, mask, zone in (
        ("one", list(FILES), 0o022, "UTC"),
        ("another deep/place", list(reversed(FILES)), 0o077, "Pacific/Auckland"),
    ):
        root = lay(tmp_path / place / "root", names, mask)
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("HOME", str(root.parent))
        time.tzset()
        archives += [
            write_zip(
                DirectoryTree(root), tmp_path / place / f"{workers}.zip", compression=Compression(workers=workers)
            )
            for workers in (1, 3)
        ]
    monkeypatch.undo()
    time.tzset()
    assert len({archive.path.read_bytes() for archive in archives}) == 1
    assert len({(archive.code_digest, archive.content_digest) for archive in archives}) == 1


def test_an_archive_knows_its_numbers_and_digests(tmp_path: Path) -> None:
    archive = write_zip(TREE, tmp_path / "deep" / "new" / "a.zip")
    data = archive.path.read_bytes()
    assert archive.code_digest == base64.b64encode(hashlib.sha256(data).digest()).decode() == code_digest(archive.path)
    assert archive.zip_bytes == len(data)
    assert archive.unzipped_bytes == sum(len(each) for each, _mode in FILES.values()) + len("a/c") + len("/opt/lib")
    assert archive.entries == len(FILES) + 2 + 2
    assert archive.content_digest == content_digest(TREE)
    assert [each.name for each in archive.path.parent.iterdir()] == ["a.zip"]


def test_the_content_digest_is_what_its_description_says() -> None:
    tree = MemoryTree({"x": (b"1", 0o700)}, links={"l": "x"}, directories=["e"])
    records = [("directory 755", b"", "e/"), ("symlink 777", b"x", "l"), ("file 755", b"1", "x")]
    text = b"".join(
        f"{words} {hashlib.sha256(data).hexdigest()} {name}".encode() + b"\0" for words, data, name in records
    )
    expected = hashlib.sha256(b"lambdapack/content/1\n" + text).hexdigest()
    assert content_digest(tree) == f"sha256:{expected}"


def test_the_content_digest_tells_names_modes_and_contents_apart() -> None:
    trees = [
        MemoryTree({"a": b"1", "b": b"2"}),
        MemoryTree({"a": b"2", "b": b"1"}),
        MemoryTree({"a": (b"1", 0o755), "b": b"2"}),
        MemoryTree({"a": b"1", "c": b"2"}),
        MemoryTree({"b": b"2"}, links={"a": "1"}),
        MemoryTree({"a": b"1", "b": b"2"}, directories=["c"]),
    ]
    assert len({content_digest(tree) for tree in trees}) == len(trees)
    assert content_digest(MemoryTree({"a": (b"1", 0o600)})) == content_digest(MemoryTree({"a": (b"1", 0o664)}))


def test_python_reads_it_back(tmp_path: Path) -> None:
    path = write_zip(TREE, tmp_path / "a.zip").path
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        for info in infos:
            assert info.create_system == 3
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert bool(info.flag_bits & 0x800) is not info.filename.isascii()
        assert [info.filename for info in infos] == sorted((i.filename for i in infos), key=str.encode)
        modes = {info.filename: info.external_attr >> 16 for info in infos}
        assert {name: archive.read(name) for name in FILES} == {name: data for name, (data, _mode) in FILES.items()}
        assert archive.getinfo("random").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("big").compress_size < archive.getinfo("big").file_size
    assert modes["current"] == stat.S_IFLNK | 0o777
    assert modes["bin/run"] == stat.S_IFREG | 0o755
    assert modes["hollow/"] == stat.S_IFDIR | 0o755
    assert "a/" not in modes
    done = subprocess.run([sys.executable, "-m", "zipfile", "-t", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_our_own_reader_reads_it_back(tmp_path: Path) -> None:
    archive = write_zip(TREE, tmp_path / "a.zip")
    with ZipTree(archive.path) as tree:
        assert content_digest(tree) == archive.content_digest
        assert write_zip(tree, tmp_path / "b.zip").code_digest == archive.code_digest


@posix
@pytest.mark.skipif(shutil.which("unzip") is None, reason="Info-ZIP unzip is not installed")
def test_info_zip_restores_files_modes_links_and_names(tmp_path: Path) -> None:
    path = write_zip(TREE, tmp_path / "a.zip").path
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    tested = subprocess.run(["unzip", "-tqq", path], env=env, capture_output=True, check=False)
    assert (tested.returncode, tested.stdout, tested.stderr) == (0, b"", b"")
    subprocess.run(["unzip", "-qq", path, "-d", tmp_path / "out"], env=env, check=True)
    back = DirectoryTree(tmp_path / "out")
    assert content_digest(back) == content_digest(TREE)


@pytest.mark.parametrize("count", [0, 1, 70_000])
def test_any_number_of_entries_is_readable(tmp_path: Path, count: int) -> None:
    path = write_zip(Many(count), tmp_path / "a.zip").path
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == count
        if count:
            assert archive.read(f"f{count - 1:06}") == b""
    with ZipTree(path) as tree:
        assert len(tree.entries) == count
    assert (b"PK\x06\x06" in path.read_bytes()) is (count >= 65535)


@pytest.mark.parametrize(
    ("count", "size", "offset", "wide"),
    [
        (65534, 1, 1, False),
        (65535, 1, 1, True),
        (1, 2**32 - 2, 2**32 - 2, False),
        (1, 2**32 - 1, 1, True),
        (1, 1, 2**32 - 1, True),
    ],
)
def test_the_end_is_wide_only_where_a_field_is_full(count: int, size: int, offset: int, wide: bool) -> None:
    records = layout_module.end_records(count, size, offset)
    assert len(records) == (56 + 20 + 22 if wide else 22)
    if wide:
        assert struct.unpack_from("<QQQQ", records, 24) == (count, count, size, offset)
        assert struct.unpack_from("<Q", records, 56 + 8) == (offset + size,)


class Many:
    """Empty files, quicker made than a MemoryTree of them."""

    def __init__(self, count: int) -> None:
        self.entries: Mapping[str, Entry] = {
            name: Entry(name, EntryKind.FILE, 0o644, 0) for name in (f"f{number:06}" for number in range(count))
        }

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        assert path in self.entries
        yield memoryview(b"")


def test_zip64_records_carry_what_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_module, "MAX_UINT32", 200_000)
    path = tmp_path / "a.zip"
    write_zip(TREE, path)
    data = path.read_bytes()
    monkeypatch.undo()
    start = data.index(b"PK\x03\x04" + struct.pack("<H", 45))
    packed, size = struct.unpack_from("<II", data, start + 18)
    assert packed == size == 200_000
    name_size, extra_size = struct.unpack_from("<HH", data, start + 26)
    real = struct.unpack_from("<HHQQ", data, start + 30 + name_size)
    assert data[start + 30 : start + 30 + name_size] == b"big"
    assert extra_size == 20
    assert real[:3] == (1, 16, len(FILES["big"][0]))
    assert data.count(b"PK\x06\x06") == data.count(b"PK\x06\x07") == 1


@posix
@pytest.mark.full
def test_a_zip_beyond_four_gigabytes_is_readable(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with (root / "a-hole").open("wb") as file:
        file.truncate(2**32 + 5)
    (root / "b-after").write_bytes(b"after")
    archive = write_zip(DirectoryTree(root), tmp_path / "a.zip")
    assert archive.zip_bytes > 2**32
    with zipfile.ZipFile(archive.path) as back:
        assert back.getinfo("a-hole").file_size == 2**32 + 5
        assert back.read("b-after") == b"after"


def test_a_file_too_large_to_be_compressed_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress_module, "MAX_COMPRESSED_FILE_BYTES", 10_000)
    path = write_zip(TREE, tmp_path / "a.zip").path
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("big").compress_type == zipfile.ZIP_STORED
        assert archive.read("big") == FILES["big"][0]


class Failing(MemoryTree):
    """A tree whose last file cannot be read."""

    def __init__(self, error: BaseException) -> None:
        super().__init__({**FILES, "zzz": b"x"})
        self._error = error

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        if path == "zzz":
            raise self._error
        with super().view(path) as data:
            yield data


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LambdapackError(BAD_TARGET, "zzz"), ZeroDivisionError()])
@pytest.mark.parametrize("place", ["a.zip", "new/deep/a.zip"])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, error: BaseException, place: str) -> None:
    with pytest.raises(type(error)):
        write_zip(Failing(error), tmp_path / place)
    assert list(tmp_path.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pack")]


def test_a_failure_keeps_the_archive_of_before(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK before")
    with pytest.raises(ZeroDivisionError):
        write_zip(Failing(ZeroDivisionError()), path)
    assert path.read_bytes() == b"PK before"
    write_zip(TREE, path)
    assert zipfile.is_zipfile(path)
    assert list(tmp_path.iterdir()) == [path]


def test_only_a_zip_or_nothing_is_replaced(tmp_path: Path) -> None:
    source = tmp_path / "index.js"
    source.write_bytes(b"exports.handler = 1")
    os.mkfifo(tmp_path / "pipe")
    for path in (source, tmp_path / "pipe"):
        with pytest.raises(LambdapackError) as raised:
            write_zip(TREE, path)
        assert raised.value.failure is OUTPUT
    assert source.read_bytes() == b"exports.handler = 1"
    assert (tmp_path / "pipe").is_fifo()


def test_a_symlink_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.zip").symlink_to("real/a.zip")
    write_zip(TREE, tmp_path / "link.zip")
    assert (tmp_path / "link.zip").is_symlink()
    assert zipfile.is_zipfile(tmp_path / "real/a.zip")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "directory").mkdir()
    for place in ("file/a.zip", "directory"):
        with pytest.raises(LambdapackError, match=place.partition("/")[0]) as caught:
            write_zip(TREE, tmp_path / place)
        assert caught.value.failure is OUTPUT
    assert sorted(each.name for each in tmp_path.iterdir()) == ["directory", "file"]


def test_directories_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError) as caught:
        write_zip(TREE, tmp_path / "new" / ("n" * 300) / "a.zip")
    assert caught.value.failure is OUTPUT
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_write_that_the_kernel_refuses_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError, match=r"a\.zip: File too large") as caught, small_files_only():
        write_zip(TREE, tmp_path / "new" / "a.zip")
    assert caught.value.failure is OUTPUT
    assert list(tmp_path.iterdir()) == []


@contextmanager
def small_files_only() -> Iterator[None]:
    import resource  # noqa: PLC0415  # not on Windows
    import signal  # noqa: PLC0415  # its SIGXFSZ neither

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_named_with_its_cure() -> None:
    failure = unwritable_error(Path("out/a.zip"), OSError(errno.ENOSPC, "No space left on device"))
    assert failure.failure is OUTPUT
    assert failure.detail == "out/a.zip: no space left on the device"
    assert "Free disk space" in failure.hint


names = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and name[1:2] != ":"
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.tuples(st.binary(max_size=400), st.sampled_from([0o644, 0o755])), max_size=8))
def test_any_tree_comes_back(tmp_path: Path, files: dict[str, tuple[bytes, int]]) -> None:
    tree: Tree = MemoryTree(files)
    path = write_zip(tree, tmp_path / "a.zip").path
    with ZipTree(path) as back:
        assert {name: (read_file(back, name), entry.mode) for name, entry in back.entries.items()} == files


def test_the_observer_hears_of_every_byte(tmp_path: Path) -> None:
    class Heard:
        total: int | None = None
        done = 0

        @contextmanager
        def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[object]:
            assert ("a.zip" in label, unit) == (True, "B")
            self.total = total
            yield self.advance

        def advance(self, amount: int) -> None:
            self.done += amount

        def line(self, text: str) -> None:
            raise AssertionError(text)

        note = line

    heard = Heard()
    write_zip(TREE, tmp_path / "a.zip", observer=heard)  # type: ignore[arg-type]
    assert heard.total == heard.done == sum(len(data) for data, _mode in FILES.values())
