import io
import os
import stat
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lambdapack.tree.archive as archive_module
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, HOSTILE_ARCHIVE
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.entry import EntryKind, read_file

BIG = bytes(range(256)) * 1024


def member(name: str, mode: int = stat.S_IFREG | 0o644, system: int = 3) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.create_system = system
    return info


def make(path: Path, *members: tuple[zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # duplicate names are the point of a test
        for info, data in members:
            archive.writestr(info, data, compress_type=method)
    return path


def refusal(path: Path, read_all: bool = False) -> tuple[Failure, str]:
    with pytest.raises(LambdapackError) as caught, ZipTree(path) as tree:  # noqa: PT012  # either may refuse
        for name, entry in tree.entries.items():
            if read_all and entry.kind is EntryKind.FILE:
                read_file(tree, name)
    assert str(path) in caught.value.detail
    return caught.value.failure, caught.value.detail


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_entries_and_bytes_are_read_in_place(tmp_path: Path, method: int) -> None:
    path = make(
        tmp_path / "a.zip",
        (member("z/run", stat.S_IFREG | 0o755), b"#!"),
        (member("empty", stat.S_IFREG | 0o600), b""),
        (member("dir/", stat.S_IFDIR | 0o700), b""),
        (member("link", stat.S_IFLNK | 0o777), b"z/run"),
        (member("big"), BIG),
        method=method,
    )
    with ZipTree(path) as tree:
        assert list(tree.entries) == ["big", "dir", "empty", "link", "z/run"]
        assert [oct(entry.mode) for entry in tree.entries.values()] == ["0o644", "0o700", "0o600", "0o777", "0o755"]
        assert tree.entries["link"].target == "z/run"
        assert tree.entries["link"].size == 0
        assert read_file(tree, "big") == BIG
        assert read_file(tree, "empty") == b""
        with pytest.raises(KeyError), tree.view("link"):
            pass


def test_a_zip_from_windows_has_portable_modes_and_no_links(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", (member("x", 0, system=0), b"1"), (member("l", stat.S_IFLNK | 0o777, 0), b"x"))
    with ZipTree(path) as tree:
        assert {(entry.kind, entry.mode) for entry in tree.entries.values()} == {(EntryKind.FILE, 0o644)}


def test_utf_8_names_without_the_flag_are_read_as_linux_reads_them(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", (member("aXXb"), b"1"))
    path.write_bytes(path.read_bytes().replace(b"aXXb", "a\u00e9b".encode()))
    with ZipTree(path) as tree:
        assert list(tree.entries) == ["a\u00e9b"]
        assert read_file(tree, "a\u00e9b") == b"1"


HOSTILE = {
    "absolute": [(member("/etc/passwd"), b"")],
    "leaves": [(member("../x"), b"")],
    "backslash": [(member("a\\b"), b"")],
    "drive": [(member("C:/x"), b"")],
    "device": [(member("x", stat.S_IFCHR | 0o644), b"")],
    "pipe": [(member("x", stat.S_IFIFO | 0o644), b"")],
    "twice": [(member("x"), b"1"), (member("x"), b"2")],
    "twice under two names": [(member("x"), b"1"), (member("./x"), b"2")],
    "below a file": [(member("x"), b"1"), (member("x/y"), b"2")],
    "below a link": [(member("x", stat.S_IFLNK | 0o777), b"/etc"), (member("x/passwd"), b"2")],
    "link to nothing": [(member("x", stat.S_IFLNK | 0o777), b"")],
    "link too long": [(member("x", stat.S_IFLNK | 0o777), b"a/" * 4000)],
    "link named as a directory": [(member("x/", stat.S_IFLNK | 0o777), b"a")],
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.skipif(sys.platform == "win32", reason="zipfile changes backslashes there")
def test_hostile_entries_are_refused(tmp_path: Path, case: str) -> None:
    assert refusal(make(tmp_path / "a.zip", *HOSTILE[case]))[0] is HOSTILE_ARCHIVE


def patched(path: Path, **fields: int) -> Path:
    """Change fields of the only record of the directory."""
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    offsets = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<I"),
        "packed": (20, "<I"),
        "size": (24, "<I"),
        "offset": (42, "<I"),
    }
    for name, value in fields.items():
        at, form = offsets[name]
        struct.pack_into(form, data, start + at, value)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", [len(BIG) - 1, 0, 100])
def test_an_entry_that_unpacks_to_more_than_it_declares_is_refused(tmp_path: Path, size: int) -> None:
    failure, detail = refusal(patched(make(tmp_path / "a.zip", (member("x"), BIG)), size=size), read_all=True)
    assert failure is HOSTILE_ARCHIVE
    assert "declares" in detail


def test_a_size_that_deflate_cannot_reach_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    assert refusal(patched(make(tmp_path / "a.zip", (member("x"), b"12345")), size=2**31))[0] is HOSTILE_ARCHIVE


def test_a_sum_of_sizes_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.zip", (member("x"), BIG), (member("y"), BIG))
    monkeypatch.setattr(archive_module, "MAX_DECLARED_BYTES", 2 * len(BIG) - 1)
    assert refusal(path)[0] is HOSTILE_ARCHIVE


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    assert refusal(patched(make(tmp_path / "a.zip", (member("x"), b"1")), flags=1))[0] is HOSTILE_ARCHIVE


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "fields", [{"crc": 1}, {"offset": 3}, {"method": 12}, {"size": len(BIG) + 1}, {"packed": 2**30}]
)
def test_damage_is_named_with_the_file(tmp_path: Path, fields: dict[str, int], method: int) -> None:
    path = patched(make(tmp_path / "a.zip", (member("x"), BIG), method=method), **fields)
    assert refusal(path, read_all=True)[0] is BAD_TARGET


def test_an_entry_with_another_name_in_its_own_header_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", (member("good"), b"1"))
    path.write_bytes(path.read_bytes().replace(b"good", b"evil", 1))
    assert refusal(path, read_all=True)[0] is HOSTILE_ARCHIVE


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert refusal(path)[0] is BAD_TARGET


def test_a_directory_and_an_absent_file_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path)[0] is BAD_TARGET
    assert refusal(tmp_path / "absent.zip")[0] is BAD_TARGET


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    assert refusal(tmp_path / "pipe.zip")[0] is BAD_TARGET


def sample() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member("a/x"), BIG[:3000])
        archive.writestr(member("l", stat.S_IFLNK | 0o777), b"a/x")
        archive.writestr(member("s"), b"stored", compress_type=zipfile.ZIP_STORED)
    return buffer.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, len(sample()) - 1), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 40),
)
def test_a_damaged_zip_raises_nothing_but_our_failure(tmp_path: Path, flips: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(sample())
    for at, value in flips:
        data[at] = value
    path = tmp_path / "fuzz.zip"
    path.write_bytes(data[: len(data) - cut])
    try:
        with ZipTree(path) as tree:
            for name, entry in tree.entries.items():
                if entry.kind is EntryKind.FILE:
                    assert len(read_file(tree, name)) == entry.size
    except LambdapackError:
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["fuzz.zip"]
