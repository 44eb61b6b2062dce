import struct
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lambdapack.binary.elf import read
from lambdapack.binary.facts import Elf
from tests import elf as make

DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_RELASZ, DT_STRSZ, DT_RELRSZ, DT_VERNEED = 2, 4, 5, 8, 10, 35, 0x6FFFFFFE
SECONDS = 5.0  # for a file of some kilobytes; an honest one takes a millisecond


def all_of(data: bytes) -> Elf:
    view = memoryview(data)
    started = process_time()
    found = read.read_elf(view)
    for _ in read.read_exports(view):
        pass
    read.find_definitions(view, ["napi_register_module_v1", "there"])
    assert process_time() - started < SECONDS
    return found


def _sources(directory: Path) -> list[bytes]:
    versioned = make.library(directory, "libc.so.6", "GLIBC_2.2.5", "GLIBC_2.99")
    user = make.using(directory, "user.node", versioned, flags=("-Wl,-rpath,$ORIGIN",))
    relr = make.link(directory, "relr.node", make.V8_BOTH_WAYS, "-DABI=127", "-Wl,-z,pack-relative-relocs")
    level = make.link(directory, "level.node", make.NODE_API, "-DLEVEL=9", "-Wl,--hash-style=sysv")
    guess = make.link(directory, "guess.node", make.V8_AT_RUN_TIME, "-DABI=115")
    return [each.read_bytes() for each in (versioned, user, relr, level, guess)]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return _sources(tmp_path_factory.mktemp("hostile"))


WORDS = st.one_of(
    st.sampled_from([0, 1, 7, 8, 0xFF, 0xFFFF, 0x10000, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1]),
    st.integers(0, 1 << 15),
    st.integers(0, (1 << 64) - 1),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_of_bytes_makes_the_reader_raise_or_hang(originals: list[bytes], data: st.DataObject) -> None:
    image = data.draw(st.sampled_from(originals))
    places = [*make.dynamic_entries(image), *make.segments(image, 1), *make.segments(image, 2)]
    for _ in range(data.draw(st.integers(1, 6))):
        # Half of the blows go where they hurt: tags and their values, program headers, the file header.
        at = data.draw(st.one_of(st.sampled_from(places), st.integers(0, len(image) - 8)))
        image = make.patched(image, at + data.draw(st.sampled_from([0, 8, 16])), struct.pack("<Q", data.draw(WORDS)))
    all_of(image[: data.draw(st.one_of(st.just(len(image)), st.integers(0, len(image))))])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
@example(b"")
def test_no_bytes_behind_the_magic_make_the_reader_raise(rest: bytes) -> None:
    all_of(b"\x7fELF" + rest)
    all_of(b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + rest)


def test_every_truncation_is_read_and_told(originals: list[bytes]) -> None:
    assert originals
    for original in originals:
        end = make.loaded_end(original)
        for size in {*range(4, 1200, 13), *range(1200, len(original), 509), end - 1, end, end + 1}:
            found = all_of(original[:size])
            assert found.damage or found.missing_bytes or size >= end


def test_version_chains_that_never_end_are_damage(originals: list[bytes]) -> None:
    user = originals[1]
    at = make.tag(user, DT_VERNEED)
    # Every need is followed by one a byte later, each with auxiliaries that do the same.
    dense = make.patched(user, at, b"\x01\0\x01\0\x01\0\0\0\x01\0\0\0\x01\0\0\0" * ((len(user) - at) // 16 - 1))
    all_of(dense)


def test_names_that_share_one_huge_string_cost_no_more_than_the_file(tmp_path: Path) -> None:
    source = "".join(f"extern int n{each};\n" for each in range(3000))
    source += "int *t[] = {" + ", ".join(f"&n{each}" for each in range(3000)) + "};\n"
    data = bytearray(make.link(tmp_path, "many.so", source).read_bytes())
    strings, size = make.tag(bytes(data), DT_STRTAB), make.tag(bytes(data), DT_STRSZ)
    data[strings : strings + size] = b"x" * size  # no name ends before the table does
    assert all_of(bytes(data)).damage == "its tables overlap or have no end"


def test_a_hash_chain_that_bites_its_tail_is_left(tmp_path: Path) -> None:
    source = "".join(f"int name_{each}(void) {{ return {each}; }}\n" for each in range(50))
    data = make.link(tmp_path, "x.so", source, "-Wl,--hash-style=sysv").read_bytes()
    at = make.tag(data, DT_HASH)
    buckets, chains = struct.unpack_from("<II", data, at)
    bitten = make.patched(data, at + 8, struct.pack("<I", 1) * (buckets + chains))
    started = process_time()
    assert read.find_definitions(memoryview(bitten), ["nowhere"]) == ()
    assert process_time() - started < SECONDS


@pytest.mark.parametrize(("original", "tag"), [(1, DT_PLTRELSZ), (4, DT_RELASZ), (2, DT_RELRSZ)])
def test_relocation_tables_beyond_the_file_are_damage(originals: list[bytes], original: int, tag: int) -> None:
    assert "not in the file" in all_of(make.with_tag(originals[original], tag, 1 << 40)).damage
