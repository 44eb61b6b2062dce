"""The engines that one contract suite runs on: in memory, Docker, and Debian's podman."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lambdapack.engine.containers import ContainerEngine
from lambdapack.engine.docker import connect_engine

IMAGE = "lambdapack-lab/nodejs:22-x86_64"
OTHER = "lambdapack-lab/nodejs:22-arm64"


@pytest.fixture(scope="session")
def docker(lab_engine: dict[str, str]) -> ContainerEngine:  # noqa: ARG001  # it is there, and so are its images
    return connect_engine({})


@pytest.fixture(scope="session")
def podman(lab_engine: dict[str, str]) -> Iterator[ContainerEngine]:  # noqa: ARG001
    named = os.environ.get("LAMBDAPACK_PODMAN_HOST")
    if named:
        yield connect_engine({"DOCKER_HOST": named})
        return
    if shutil.which("podman") is None:
        message = "podman is not installed: apt-get install podman catatonit"
        if os.environ.get("LAMBDAPACK_REQUIRE_ENGINE") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with TemporaryDirectory() as directory, _service(Path(directory) / "podman.sock") as url:
        for image in (IMAGE, OTHER):
            _copy_image(image)
        yield connect_engine({"DOCKER_HOST": url})


class _service:  # noqa: N801  # used as a function
    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def __enter__(self) -> str:
        url = f"unix://{self._socket}"
        command = ["podman", "system", "service", "--time=0", url]
        quiet = subprocess.DEVNULL
        where = self._socket.parent  # conmon leaves a file "oom" where the service was started
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=where)
        until = time.monotonic() + 30
        while not self._socket.exists():
            assert self._process.poll() is None, "podman's service ended"
            assert time.monotonic() < until, "podman's service does not listen"
            time.sleep(0.05)
        return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


def _copy_image(image: str) -> None:
    """Give podman the very image that Docker has, once."""
    if _identity("docker", image) == _identity("podman", image):
        return
    save = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
    subprocess.run(["podman", "load", "--quiet"], stdin=save.stdout, check=True, capture_output=True)
    assert save.stdout is not None
    save.stdout.close()
    assert save.wait(60) == 0


def _identity(program: str, image: str) -> str:
    done = subprocess.run(
        [program, "image", "inspect", "--format", "{{.Id}}", image], capture_output=True, text=True, check=False
    )
    return done.stdout.strip().removeprefix("sha256:")
