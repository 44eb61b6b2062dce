from dataclasses import replace

import pytest

from lambdapack.runtimes import abi
from lambdapack.runtimes.catalogue import parse_target, shipped
from lambdapack.runtimes.runtime import Library
from lambdapack.runtimes.versions import Provided, provided

RUNTIME = shipped(parse_target("nodejs20.x", "x86_64"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(127, "Node.js 22"), (125, "Electron 31"), (116, "Electron 25 or 26"), (138, "an unknown Node.js")],
)
def test_an_abi_number_is_named(number: int, words: str) -> None:
    assert abi.describe(number) == words


def test_no_number_is_of_node_and_of_electron() -> None:
    assert not any(abi.electron_majors(number) for number in abi.known_abis())


@pytest.mark.parametrize(
    ("version", "level"),
    [("8.5.0", 0), ("16.20.2", 8), ("18.16.0", 8), ("18.17.0", 9), ("20.2.0", 8), ("20.20.2", 9), ("22.13.1", 9),
     ("22.14.0", 10), ("23.5.0", 9), ("24.0.0", 10), ("30.1.0", 10)],
)  # fmt: skip
def test_the_node_api_level_follows_from_the_release(version: str, level: int) -> None:
    assert abi.node_api_of(version) == level


@pytest.mark.parametrize(
    ("symbol", "answer"),
    [
        ("napi_create_object", True),
        ("napi_module_register", True),
        ("node_module_register", True),
        ("node_api_create_property_key_utf8", True),
        ("node_api_create_buffer_from_arraybuffer", False),
        ("napi_of_tomorrow", None),
        ("uv_run", True),
        ("uv_thread_setname", False),
        ("SSL_new", None),
        ("_ZN2v87Isolate10GetCurrentEv", None),
    ],
)
def test_shipped_tables_say_what_node_exports(symbol: str, answer: bool | None) -> None:
    assert abi.provides(RUNTIME, symbol) is answer


def test_an_image_can_only_say_no() -> None:
    image = replace(
        RUNTIME, source="image", node_exports=frozenset({"SSL_new", "node_api_create_buffer_from_arraybuffer"})
    )
    assert abi.provides(image, "SSL_new") is None
    assert abi.provides(image, "BIO_new") is False
    assert abi.provides(image, "napi_create_object") is False
    assert abi.provides(image, "node_api_create_buffer_from_arraybuffer") is False


def test_a_runtime_file_speaks_alone() -> None:
    file = replace(RUNTIME, source="file", node_exports=frozenset({"SSL_new"}))
    assert abi.provides(file, "SSL_new") is True
    assert abi.provides(file, "uv_run") is False
    assert abi.provides(file, "_ZN2v88internal9HandleBase") is None


@pytest.mark.parametrize(
    ("soname", "version", "answer"),
    [
        ("libc.so.6", "GLIBC_2.34", Provided.YES),
        ("libc.so.6", "GLIBC_2.4", Provided.YES),
        ("libc.so.6", "GLIBC_2.35", Provided.NO),
        ("libc.so.6", "GLIBC_PRIVATE", Provided.YES),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", Provided.NO),
        ("libgcc_s.so.1", "GCC_14.0.0", Provided.UNPROVED),
        ("libudev.so.1", "LIBUDEV_183", Provided.UNKNOWN),
        ("libown.so", "GLIBC_2.99", Provided.UNKNOWN),
    ],
)
def test_a_version_is_placed_between_floor_and_ceiling(soname: str, version: str, answer: Provided) -> None:
    assert provided(RUNTIME, Library(soname, ""), version) is answer


def test_an_image_that_lacks_a_version_says_no_and_one_that_has_it_leaves_the_ceiling() -> None:
    newer = Library("libc.so.6", "/lib64/libc.so.6", frozenset({"GLIBC_2.17", "GLIBC_2.36"}))
    assert provided(RUNTIME, newer, "GLIBC_2.34") is Provided.NO
    assert provided(RUNTIME, newer, "GLIBC_2.36") is Provided.NO
    assert provided(RUNTIME, newer, "GLIBC_2.17") is Provided.YES
    alone = replace(RUNTIME, source="file", floor={}, ceiling={})
    assert provided(alone, newer, "GLIBC_2.36") is Provided.YES
