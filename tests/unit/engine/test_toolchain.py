import io
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lambdapack.engine import toolchain
from lambdapack.engine.interface import SystemImage
from lambdapack.errors.build import IMAGE_BUILD
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.system_packages import SYSTEM_PACKAGE
from lambdapack.events import SILENT
from lambdapack.model import Architecture, Target
from tests.fakes import LAB, FakeEngine, RecordingObserver

ARM = Target("nodejs22.x", Architecture.ARM64)
BASE = "lambdapack-lab/nodejs:{node}-{arch}"


def test_the_image_is_made_on_the_targets_bare_image_and_named_for_it() -> None:
    engine = FakeEngine(LAB)
    assert toolchain.make_toolchain_image(engine, ARM, BASE, {}, SILENT) == "lambdapack/nodejs:22-arm64-build"
    assert engine.find_image("lambdapack/nodejs:22-arm64-build", Architecture.ARM64)


def test_a_failed_build_shows_the_engines_last_words() -> None:
    with pytest.raises(LambdapackError) as caught:
        toolchain.make_toolchain_image(FakeEngine({}), ARM, BASE, {}, SILENT)
    assert caught.value.failure is IMAGE_BUILD
    assert "lambdapack-lab/nodejs:22-arm64 is not here" in caught.value.detail
    assert "Step 1" in caught.value.detail


def test_system_packages_are_installed_once_for_a_base_and_a_set() -> None:
    engine = FakeEngine(LAB)
    base = engine.image("lambdapack-lab/nodejs:22-arm64-build", Architecture.ARM64)
    seen = RecordingObserver()
    tag = toolchain.make_system_image(engine, base, ("b-devel", "a-devel", "a-devel"), {}, seen)
    assert engine.system_images() == [SystemImage(tag, "a-devel b-devel", 0)]
    assert toolchain.make_system_image(engine, base, ("a-devel", "b-devel"), {}, seen) == tag
    assert len(seen.tasks) == 1
    assert toolchain.make_system_image(engine, base, ("a-devel",), {}, seen) != tag


@pytest.mark.parametrize("name", ["", "-y", "a b", "a;b", "$(x)", "a/b"])
def test_what_is_no_name_of_a_package_is_refused_before_any_image(name: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        toolchain.check_package_names(["cairo-devel", name])
    assert caught.value.failure is SYSTEM_PACKAGE


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        (
            ["E: Unable to locate package libcario2-dev", "lambdapack-similar: libcairo2-dev"],
            "has no package libcario2-dev",
            "Correct the name: libcairo2-dev.",
        ),
        (["error: No package matches 'cairo-dev'", "lambdapack-similar: cairo-devel"], "cairo-dev", "cairo-devel"),
        (["No match for argument: odbc"], "has no package odbc", "dnf search"),
        (["Error: disk full"], "Error: disk full", "dnf search"),
    ],
)
def test_a_package_that_there_is_not_is_named_with_the_nearest(lines: list[str], said: str, hint: str) -> None:
    engine = RefusingEngine(LAB, lines)
    base = engine.image("lambdapack-lab/nodejs:22-arm64-build", Architecture.ARM64)
    with pytest.raises(LambdapackError) as caught:
        toolchain.make_system_image(engine, base, ("x",), {}, SILENT)
    assert caught.value.failure is SYSTEM_PACKAGE
    assert said in caught.value.detail
    assert hint in caught.value.hint


class RefusingEngine(FakeEngine):
    """An engine whose build prints lines, cut anywhere, and fails."""

    def __init__(self, images: Mapping[str, Architecture], lines: list[str]) -> None:
        super().__init__(images)
        self._text = "".join(f"{line}\n" for line in lines)

    def make_image(
        self, context: bytes, tag: str, arguments: Mapping[str, str], architecture: Architecture
    ) -> Iterator[Mapping[str, Any]]:
        assert all((context, tag, arguments, architecture))
        yield from ({"stream": self._text[start : start + 7]} for start in range(0, len(self._text), 7))
        yield {"error": "returned a non-zero code: 1"}


def test_the_context_is_the_repositorys_dockerfile() -> None:
    with tarfile.open(fileobj=io.BytesIO(toolchain.make_build_context())) as archive:
        file = archive.extractfile("Dockerfile")
        assert file
        text = file.read().decode()
    assert "ARG BASE=public.ecr.aws/lambda/nodejs" in text
    assert "LD_LIBRARY_PATH=" in text
