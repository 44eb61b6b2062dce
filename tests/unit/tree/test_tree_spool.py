import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, HOSTILE_ARCHIVE
from lambdapack.tree.entry import EntryKind, read_file
from lambdapack.tree.spool import SpoolTree

LONG = "node_modules/" + "d" * 120 + "/" + "\u00e9" * 60


def member(
    name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    return info, data


def packed(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def make(path: Path, *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    path.write_bytes(packed(*members, form=form))
    return path


def refusal(path: Path, strip: str = "") -> Failure:
    with pytest.raises(LambdapackError) as caught, SpoolTree(path, strip):
        pass
    assert str(path) in caught.value.detail
    return caught.value.failure


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("strip", ["task", "task/"])
def test_a_spool_is_read_by_offset_without_the_engines_directory(tmp_path: Path, form: int, strip: str) -> None:
    path = make(
        tmp_path / "spool",
        member("task/", kind=tarfile.DIRTYPE, mode=0o755),
        member(f"task/{LONG}", b"12345", mode=0o755),
        member("task/hard", kind=tarfile.LNKTYPE, link=f"task/{LONG}", mode=0o755),
        member("task/hard2", kind=tarfile.LNKTYPE, link="task/hard"),
        member("task/soft", kind=tarfile.SYMTYPE, link="../outside"),
        member("task/empty"),
        form=form,
    )
    with SpoolTree(path, strip) as tree:
        assert list(tree.entries) == ["empty", "hard", "hard2", LONG, "soft"]
        assert read_file(tree, LONG) == read_file(tree, "hard") == read_file(tree, "hard2") == b"12345"
        assert read_file(tree, "empty") == b""
        assert tree.entries["hard"].kind is EntryKind.FILE
        assert tree.entries["hard"].size == 5
        assert tree.entries["soft"].target == "../outside"
        with pytest.raises(KeyError), tree.view("soft"):
            pass


def test_a_hard_link_may_be_named_without_the_engines_directory(tmp_path: Path) -> None:
    path = make(tmp_path / "s", member("task/a", b"1"), member("task/b", kind=tarfile.LNKTYPE, link="a"))
    with SpoolTree(path, "task") as tree:
        assert read_file(tree, "b") == b"1"


def test_a_file_larger_than_the_map_threshold_is_lent_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096
    with SpoolTree(make(tmp_path / "s", member("x", b"1"), member("y", data))) as tree:
        assert read_file(tree, "y") == data


HOSTILE = {
    "absolute": [member("/etc/passwd")],
    "leaves": [member("../x")],
    "twice": [member("x"), member("./x")],
    "device": [member("x", kind=tarfile.CHRTYPE)],
    "pipe": [member("x", kind=tarfile.FIFOTYPE)],
    "unknown kind": [member("x", kind=b"Z")],
    "hard link out": [member("x", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "hard link to nothing": [member("x", kind=tarfile.LNKTYPE, link="y")],
    "hard link to itself": [member("x", kind=tarfile.LNKTYPE, link="x")],
    "hard link to a link": [
        member("l", kind=tarfile.SYMTYPE, link="/etc"),
        member("x", kind=tarfile.LNKTYPE, link="l"),
    ],
    "below a link": [member("l", kind=tarfile.SYMTYPE, link="/etc"), member("l/passwd", b"1")],
    "link to nothing": [member("l", kind=tarfile.SYMTYPE, link="")],
    "backslash": [member("a\\b")],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_entries_are_refused(tmp_path: Path, case: str) -> None:
    assert refusal(make(tmp_path / "s", *HOSTILE[case])) is HOSTILE_ARCHIVE


def test_an_entry_beside_the_engines_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(make(tmp_path / "s", member("taskforce/x")), "task") is HOSTILE_ARCHIVE


def test_a_spool_that_was_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    data = packed(member("a", b"1" * 700), member("b", b"2" * 700))
    end = 2 * (512 + 1024)
    for size in (0, 1, 511, 512, 900, 1024, 1536, 1537, 2048, 2600, end):
        path = tmp_path / f"s{size}"
        path.write_bytes(data[:size])
        assert refusal(path) is BAD_TARGET


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(tmp_path: Path) -> None:
    data = bytearray(packed(member("a", b"1"), member("b", b"2")))
    data[1024 + 150] ^= 0xFF
    (tmp_path / "s").write_bytes(data)
    assert refusal(tmp_path / "s") is BAD_TARGET


@pytest.mark.parametrize("size", [-1, -1024, -(2**40), 2**60])
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, size: int) -> None:
    info, _ = member("x")
    info.size = size
    header = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "s").write_bytes(header + bytes(2048))
    assert refusal(tmp_path / "s") is BAD_TARGET


def test_an_absent_spool_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent") is BAD_TARGET


def sample() -> bytes:
    return packed(
        member("d", kind=tarfile.DIRTYPE),
        member("d/x", b"12345"),
        member("d/h", kind=tarfile.LNKTYPE, link="d/x"),
        member("l", kind=tarfile.SYMTYPE, link="d/x"),
        member("n" * 120, b"pax"),
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5120), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_a_damaged_tar_raises_nothing_but_our_failure(
    tmp_path: Path, flips: list[tuple[int, int]], repair: bool
) -> None:
    data = bytearray(sample())
    for at, value in flips:
        data[at] = value
        start = at - at % 512
        if repair:  # so that more than the checksum is tried
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    path = tmp_path / "fuzz.tar"
    path.write_bytes(data)
    try:
        with SpoolTree(path) as tree:
            for name, entry in tree.entries.items():
                if entry.kind is EntryKind.FILE:
                    assert len(read_file(tree, name)) == entry.size
    except LambdapackError:
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["fuzz.tar"]
