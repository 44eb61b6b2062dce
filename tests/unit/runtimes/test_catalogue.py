from datetime import date

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import UNKNOWN_ARCHITECTURE, UNKNOWN_RUNTIME
from lambdapack.model import Architecture, Target
from lambdapack.runtimes.runtime import (
    newest_runtime,
    parse_architecture,
    parse_runtime,
    parse_target,
    runtime_architectures,
    runtime_ids,
    runtime_node_major,
    shipped_runtime,
)


@pytest.mark.parametrize("text", ["nodejs22.x", "nodejs22", "node22", "22", "22.x", "v22", " NodeJS22.X "])
def test_a_runtime_is_known_under_what_people_type(text: str) -> None:
    assert parse_runtime(text) == "nodejs22.x"


@pytest.mark.parametrize("text", ["nodejs", "nodejs4.3", "nodejs8.10"])
def test_old_identifiers_are_known_by_their_own_names(text: str) -> None:
    assert parse_runtime(text) == text


@pytest.mark.parametrize("text", ["nodejs23.x", "", "x", "python3.12", "nodejs22.y"])
def test_an_unknown_runtime_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        parse_runtime(text)
    assert caught.value.failure is UNKNOWN_RUNTIME
    assert "nodejs24.x" in caught.value.detail


def test_a_near_miss_is_guessed() -> None:
    with pytest.raises(LambdapackError, match=r"did you mean nodejs2\d\.x"):
        parse_runtime("nodjs22.x")


@pytest.mark.parametrize("text", ["provided", "provided.al2023"])
def test_a_custom_runtime_is_no_node_runtime_and_told_so(text: str) -> None:
    with pytest.raises(LambdapackError, match=r"no Node\.js of its own"):
        parse_runtime(text)


@pytest.mark.parametrize(
    ("text", "architecture"),
    [("x86_64", Architecture.X86_64), ("x64", Architecture.X86_64), ("AMD64", Architecture.X86_64),
     ("arm64", Architecture.ARM64), ("aarch64", Architecture.ARM64)],
)  # fmt: skip
def test_an_architecture_is_known_under_each_of_its_names(text: str, architecture: Architecture) -> None:
    assert parse_architecture(text) is architecture


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(LambdapackError) as caught:
        parse_architecture("sparc")
    assert caught.value.failure is UNKNOWN_ARCHITECTURE


def test_a_runtime_without_the_architecture_is_refused_with_what_it_has() -> None:
    with pytest.raises(LambdapackError, match=r"nodejs10\.x runs on x86_64 only") as caught:
        parse_target("nodejs10.x", "arm64")
    assert caught.value.failure is UNKNOWN_ARCHITECTURE


def test_every_runtime_has_shipped_data_for_each_of_its_architectures() -> None:
    assert {"nodejs20.x", "nodejs22.x", "nodejs24.x"} <= set(runtime_ids())
    for name in runtime_ids():
        assert runtime_architectures(name)
        for cpu in runtime_architectures(name):
            runtime = shipped_runtime(Target(name, cpu))
            assert runtime.node_major == runtime_node_major(name)
            assert runtime.abi > 0
            assert set(runtime.floor) == set(runtime.ceiling)
            assert "libc.so.6" in runtime.libraries
            assert runtime.lifecycle is not None


def test_the_numbers_are_those_of_the_tables() -> None:
    runtime = shipped_runtime(parse_target("nodejs22.x", "arm64"))
    assert (runtime.abi, runtime.node_api) == (127, 10)
    assert (runtime.floor["GLIBC"], runtime.floor["GLIBCXX"], runtime.ceiling["GLIBCXX"]) == (
        "2.34",
        "3.4.29",
        "3.4.33",
    )
    assert runtime.interpreters == {"/lib/ld-linux-aarch64.so.1"}
    assert runtime.libraries["libstdc++.so.6"].certain
    assert not runtime.libraries["libcurl.so.4"].certain
    assert "libexpat.so.1" not in runtime.libraries
    assert "libcrypto.so.3" in runtime.loaded


@pytest.mark.parametrize(
    ("today", "name"),
    [(date(2024, 11, 20), "nodejs20.x"), (date(2024, 11, 21), "nodejs22.x"), (date(2026, 11, 21), "nodejs24.x")],
)
def test_the_newest_runtime_is_a_generally_available_one(today: date, name: str) -> None:
    assert newest_runtime(today) == name
