"""Removes the cache volumes of the projects that the attacks build."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from lambdapack.install.request import CACHE_VOLUME, PROJECT_MARK_DIGITS
from tests.attack.packages import WRITTEN_PROJECTS


@pytest.fixture(autouse=True, scope="package")
def _volumes_are_removed() -> Iterator[None]:
    yield
    docker = shutil.which("docker")
    if docker and WRITTEN_PROJECTS:
        marks = [hashlib.sha256(str(root.resolve()).encode()).hexdigest() for root in WRITTEN_PROJECTS]
        names = [f"{CACHE_VOLUME}-{mark[:PROJECT_MARK_DIGITS]}" for mark in marks]
        subprocess.run([docker, "volume", "rm", *names], capture_output=True, check=False)  # some were never made
