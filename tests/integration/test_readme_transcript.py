"""What README and the docs show of a build and of a refusal is what the commands print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import EXAMPLES, lambdapack
from tests.conftest import forget_builds
from tests.house.test_readme import FINDINGS, README, replaced

pytestmark = [pytest.mark.engine, pytest.mark.registry]


def transcript(directory: Path, *arguments: str, env: dict[str, str]) -> str:
    """Both streams of a command in the order in which they came, with the times that differ taken out."""
    command = [sys.executable, "-m", "lambdapack", *arguments]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = re.sub(r"\d+(\.\d+)?( ?)m?s\b", r"2\2s", re.sub(r"(?m)^time: .*(\n {6}.*)*\n", "", done.stdout))
    lines = "".join(f"    {line}".rstrip() + "\n" for line in said.splitlines())
    return f"\n    $ lambdapack {' '.join(arguments)}\n{lines}\n"


@pytest.mark.parametrize(
    ("page", "block", "name", "arguments"),
    [
        (README, "transcript", "thumbnail", ["build", "--arch", "arm64"]),
        (
            FINDINGS,
            "refusal",
            "sqlite",
            ["verify", ".lambdapack/sqlite-nodejs22.x-x86_64.zip", "--runtime", "nodejs20.x"],
        ),
    ],
)
def test_the_transcript_is_true(
    page: Path,
    block: str,
    name: str,
    arguments: list[str],
    tmp_path: Path,
    lab_engine: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    project = tmp_path / name
    shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns(".lambdapack", "node_modules"))
    first = lambdapack(
        "build", "--arch", "arm64" if block == "transcript" else "x86_64", cwd=project, env=lab_engine
    )  # measures the image once
    assert first.returncode == 0, first.stderr
    forget_builds()
    fresh = replaced(page.read_text(encoding="utf-8"), block, transcript(project, *arguments, env=lab_engine))
    if request.config.getoption("--update-golden"):
        page.write_text(fresh, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == fresh
