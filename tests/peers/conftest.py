import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import EXAMPLES

Copy = Callable[[str], Path]


@pytest.fixture
def project(tmp_path: Path) -> Copy:
    """Copy an example to a directory with a space in its name, without the glue that it comes with."""

    def copy(name: str) -> Path:
        directory = tmp_path / "my projects" / name
        skipped = shutil.ignore_patterns(".lambdapack", "node_modules", "Makefile")
        shutil.copytree(EXAMPLES / name, directory, ignore=skipped)
        (directory / ".git").mkdir()
        return directory

    return copy
