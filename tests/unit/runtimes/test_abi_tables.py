from dataclasses import replace

import pytest

from lambdapack.runtimes import versions
from lambdapack.runtimes.runtime import Library, parse_target, shipped_runtime
from lambdapack.runtimes.versions import VersionAvailability, version_availability

RUNTIME = shipped_runtime(parse_target("nodejs20.x", "x86_64"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(127, "Node.js 22"), (125, "Electron 31"), (116, "Electron 25 or 26"), (138, "an unknown Node.js")],
)
def test_an_abi_number_is_named(number: int, words: str) -> None:
    assert versions.describe_abi(number) == words


def test_no_number_is_of_node_and_of_electron() -> None:
    assert 127 in versions.known_abis()
    assert not any(versions.electron_majors(number) for number in versions.known_abis())


@pytest.mark.parametrize(
    ("version", "level"),
    [("8.5.0", 0), ("16.20.2", 8), ("18.16.0", 8), ("18.17.0", 9), ("20.2.0", 8), ("20.20.2", 9), ("22.13.1", 9),
     ("22.14.0", 10), ("23.5.0", 9), ("24.0.0", 10), ("30.1.0", 10)],
)  # fmt: skip
def test_the_node_api_level_follows_from_the_release(version: str, level: int) -> None:
    assert versions.node_api_of_release(version) == level


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
    assert versions.node_defines_symbol(RUNTIME, symbol) is answer


def test_an_image_can_only_say_no() -> None:
    image = replace(
        RUNTIME, source="image", node_exports=frozenset({"SSL_new", "node_api_create_buffer_from_arraybuffer"})
    )
    assert versions.node_defines_symbol(image, "SSL_new") is None
    assert versions.node_defines_symbol(image, "BIO_new") is False
    assert versions.node_defines_symbol(image, "napi_create_object") is False
    assert versions.node_defines_symbol(image, "node_api_create_buffer_from_arraybuffer") is False


def test_a_runtime_file_speaks_alone() -> None:
    file = replace(RUNTIME, source="file", node_exports=frozenset({"SSL_new"}))
    assert versions.node_defines_symbol(file, "SSL_new") is True
    assert versions.node_defines_symbol(file, "uv_run") is False
    assert versions.node_defines_symbol(file, "_ZN2v88internal9HandleBase") is None


@pytest.mark.parametrize(
    ("soname", "version", "answer"),
    [
        ("libc.so.6", "GLIBC_2.34", VersionAvailability.YES),
        ("libc.so.6", "GLIBC_2.4", VersionAvailability.YES),
        ("libc.so.6", "GLIBC_2.35", VersionAvailability.NO),
        ("libc.so.6", "GLIBC_PRIVATE", VersionAvailability.YES),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", VersionAvailability.NO),
        ("libgcc_s.so.1", "GCC_14.0.0", VersionAvailability.UNPROVED),
        ("libudev.so.1", "LIBUDEV_183", VersionAvailability.UNKNOWN),
        ("libown.so", "GLIBC_2.99", VersionAvailability.UNKNOWN),
    ],
)
def test_a_version_is_placed_between_floor_and_ceiling(soname: str, version: str, answer: VersionAvailability) -> None:
    assert version_availability(RUNTIME, Library(soname, ""), version) is answer


def test_an_image_that_lacks_a_version_says_no_and_one_that_has_it_leaves_the_ceiling() -> None:
    newer = Library("libc.so.6", "/lib64/libc.so.6", frozenset({"GLIBC_2.17", "GLIBC_2.36"}))
    assert version_availability(RUNTIME, newer, "GLIBC_2.34") is VersionAvailability.NO
    assert version_availability(RUNTIME, newer, "GLIBC_2.36") is VersionAvailability.NO
    assert version_availability(RUNTIME, newer, "GLIBC_2.17") is VersionAvailability.YES
    alone = replace(RUNTIME, source="file", floor={}, ceiling={})
    assert version_availability(alone, newer, "GLIBC_2.36") is VersionAvailability.YES
