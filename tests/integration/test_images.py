"""`lambdapack images` with the real engine."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import lambdapack

pytestmark = pytest.mark.engine

STUB = """FROM lambdapack-lab/nodejs:22-x86_64-build
RUN printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/microdnf && chmod 755 /usr/bin/microdnf
"""
"""The lab has no registry of Amazon Linux packages: a package manager that finds everything installed."""


def docker(*arguments: str, text: str = "") -> str:
    done = subprocess.run(["docker", *arguments], input=text, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def base(lab_engine: dict[str, str], tmp_path: Path) -> Iterator[str]:  # noqa: ARG001  # there is an engine
    (tmp_path / "Dockerfile").write_text(STUB)
    docker("build", "-t", "lambdapack-lab/stub:22-x86_64", str(tmp_path))
    yield "lambdapack-lab/stub:{node}-{arch}"
    docker("image", "rm", "-f", "lambdapack-lab/stub:22-x86_64", "lambdapack/nodejs:22-x86_64-build")


def test_the_list_tells_what_the_engine_holds(lab_engine: dict[str, str]) -> None:
    done = lambdapack("images", "list", "--runtime", "nodejs22.x", "--arch", "all", "--format", "json", env=lab_engine)
    rows = json.loads(done.stdout)["images"]
    assert {row["image"]: row["state"] for row in rows} == {
        f"lambdapack-lab/nodejs:22-{arch}{use}": "here" for arch in ("x86_64", "arm64") for use in ("", "-build")
    }
    absent = lambdapack(
        "images", "list", "--runtime", "nodejs22.x", "--image", "lambdapack-lab/none:{arch}", env=lab_engine
    )
    assert "absent" in absent.stdout
    assert absent.returncode == 0


def test_a_toolchain_image_is_built_and_checked(base: str, lab_engine: dict[str, str]) -> None:
    done = lambdapack("images", "build", "--runtime", "nodejs22.x", "--image", base, env=lab_engine)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "lambdapack/nodejs:22-x86_64-build\n"
    inspected = json.loads(docker("image", "inspect", "lambdapack/nodejs:22-x86_64-build"))[0]
    assert not inspected["Config"]["Entrypoint"]


def test_a_base_without_a_package_manager_fails_with_the_engines_words(lab_engine: dict[str, str]) -> None:
    done = lambdapack("images", "build", "--runtime", "nodejs22.x", env=lab_engine)
    assert done.returncode == 3
    assert "LP108" in done.stderr
    assert "yum: command not found" in done.stderr
