import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdapack.engine import sandbox
from lambdapack.engine.image_store import TarHead, read_tar_head
from lambdapack.engine.wire import read_frames
from lambdapack.errors.build import DISK_FULL
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT, TOO_LARGE

FRAMES = st.lists(st.tuples(st.sampled_from((0, 1, 2, 3)), st.binary(max_size=300)), max_size=12)


def wire(sent: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes((source, 0, 0, 0)) + len(data).to_bytes(4) + data for source, data in sent)


def received(raw: bytes, most: int) -> list[tuple[str, bytes]]:
    stream = io.BytesIO(raw)
    return list(read_frames(lambda size: stream.read(min(size, most))))


def joined(pieces: list[tuple[str, bytes]], source: str) -> bytes:
    return b"".join(data for name, data in pieces if name == source)


@given(FRAMES, st.integers(1, 40))
def test_frames_survive_any_cutting_of_the_stream(sent: list[tuple[int, bytes]], most: int) -> None:
    found = received(wire(sent), most)
    assert joined(found, "stdout") == b"".join(data for source, data in sent if source in {0, 1})
    assert joined(found, "stderr") == b"".join(data for source, data in sent if source in {2, 3})


@given(FRAMES, st.data())
def test_a_stream_that_is_cut_off_ends_without_an_error(sent: list[tuple[int, bytes]], data: st.DataObject) -> None:
    raw = wire(sent)
    kept = data.draw(st.integers(0, len(raw)))
    whole, part = received(raw, 64), received(raw[:kept], 64)
    for source in ("stdout", "stderr"):
        assert joined(whole, source).startswith(joined(part, source))


@given(st.binary(max_size=200))
def test_garbage_is_not_an_error(raw: bytes) -> None:
    received(raw, 7)


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as stream:
        for member, data in members:
            member.size = len(data)
            stream.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def elf(machine: int) -> bytes:
    return (b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + machine.to_bytes(2, "little")).ljust(100_000, b"\0")


def chunked(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[start : start + size] for start in range(0, len(raw), size))


@pytest.mark.parametrize("size", [1, 511, 100_000])
def test_the_cpu_is_read_from_the_first_bytes(size: int) -> None:
    chunks = chunked(tar((tarfile.TarInfo("node"), elf(183))), size)
    assert read_tar_head(chunks) == TarHead(machine=183)
    assert next(chunks, b""), "the rest was not read"


def test_extended_headers_before_the_file_are_passed_over() -> None:
    member = tarfile.TarInfo("node")
    member.pax_headers = {"SCHILY.xattr.security.capability": "x" * 2000}
    assert read_tar_head(iter([tar((member, elf(62)))])) == TarHead(machine=62)


def test_a_link_says_where_it_points() -> None:
    member = tarfile.TarInfo("node")
    member.type, member.linkname = tarfile.SYMTYPE, "../node-22/bin/node"
    assert read_tar_head(iter([tar((member, b""))])) == TarHead(link="../node-22/bin/node")


@pytest.mark.parametrize("raw", [b"", b"x", b"x" * 5000, tar(), tar((tarfile.TarInfo("a"), b"#!/bin/sh"))])
def test_anything_else_is_nothing(raw: bytes) -> None:
    assert read_tar_head(iter([raw])) == TarHead()


def test_a_directory_is_nothing() -> None:
    member = tarfile.TarInfo("node")
    member.type = tarfile.DIRTYPE
    assert read_tar_head(iter([tar((member, b""))])) == TarHead()


def test_a_spool_has_all_the_bytes_and_tells_how_many(tmp_path: Path) -> None:
    told: list[int] = []
    sandbox.write_spool(iter([b"ab", b"c"]), tmp_path / "spool", told.append)
    assert (tmp_path / "spool").read_bytes() == b"abc"
    assert told == [2, 1]


def test_an_interrupted_spool_is_removed(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.write_spool(chunks(), tmp_path / "spool", lambda _size: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").symlink_to("/dev/full")
    with pytest.raises(LambdapackError, match="No space left") as raised:
        sandbox.write_spool(iter([b"a" * 100_000]), tmp_path / "spool", lambda _size: None)
    assert raised.value.failure is DISK_FULL


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LambdapackError) as raised:
        sandbox.write_spool(iter([b"a"]), tmp_path / "no" / "spool", lambda _size: None)
    assert raised.value.failure is OUTPUT


def test_copying_out_stops_at_what_no_package_may_be(tmp_path: Path) -> None:
    taken: list[int] = []

    def holes() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(1000)

    with pytest.raises(LambdapackError) as caught:
        sandbox.write_spool(holes(), tmp_path / "spool", lambda _size: None, 10_000)
    assert caught.value.failure is TOO_LARGE
    assert len(taken) == 11
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_a_directory_that_stays(tmp_path: Path) -> None:
    scratch = tmp_path / "lambdapack-scratch"
    with pytest.raises(LambdapackError) as caught:
        sandbox.write_spool(iter([b"a"]), scratch / "spool", lambda _size: None)
    assert str(scratch) not in caught.value.hint
    assert tempfile.gettempdir() in caught.value.hint
