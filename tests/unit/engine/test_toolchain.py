import io
import tarfile

import pytest

from lambdapack.engine import toolchain
from lambdapack.errors.build import IMAGE_BUILD
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT
from lambdapack.model import Architecture, Target
from tests.fakes import LAB, FakeEngine

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


def test_the_context_is_the_repositorys_dockerfile() -> None:
    with tarfile.open(fileobj=io.BytesIO(toolchain.make_build_context())) as archive:
        file = archive.extractfile("Dockerfile")
        assert file
        text = file.read().decode()
    assert "ARG BASE=public.ecr.aws/lambda/nodejs" in text
    assert "LD_LIBRARY_PATH=" in text
