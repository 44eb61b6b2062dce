import struct

import pytest

from lambdapack.binary.elf.read import read_elf
from lambdapack.binary.elf.strip import strip_elf
from tests import elf as make


@pytest.fixture(scope="module")
def addon(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make.link(tmp_path_factory.mktemp("strip"), "addon.node", make.NODE_API, "-DLEVEL=9").read_bytes()


def test_what_the_loader_reads_is_the_same(addon: bytes) -> None:
    stripped = strip_elf(memoryview(addon))
    assert stripped is not None
    data = stripped.apply(memoryview(addon))
    assert len(data) == stripped.size < len(addon)
    assert read_elf(memoryview(data)) == read_elf(memoryview(addon))
    assert b".symtab\0" in addon
    assert b".symtab\0" not in data


def test_a_second_time_nothing_is_left_to_strip(addon: bytes) -> None:
    stripped = strip_elf(memoryview(addon))
    assert stripped is not None
    assert strip_elf(memoryview(stripped.apply(memoryview(addon)))) is None


@pytest.mark.parametrize("harm", ["payload", "cut", "empty", "text", "sections"])
def test_an_unusual_file_stays_as_it_is(addon: bytes, harm: str) -> None:
    data = {
        "payload": addon + b"program behind the program",
        "cut": addon[: len(addon) // 2],
        "empty": b"",
        "text": b"#!/bin/sh\n" * 100,
        "sections": addon[:40] + struct.pack("<Q", 2**60) + addon[48:],
    }[harm]
    assert strip_elf(memoryview(data)) is None
