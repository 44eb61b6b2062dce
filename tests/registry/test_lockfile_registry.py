"""What is said here of npm, asked of npm itself: the same project, our findings and npm's own verdict."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.registry import read_dependencies
from lambdapack.model import Architecture, Severity, Target
from lambdapack.rules.check import check_lockfile
from tests.projects import write_project

pytestmark = pytest.mark.registry


def run(npm: str, directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    environ = {**os.environ, "npm_config_update_notifier": "false"}
    return subprocess.run([npm, *args, *quiet], cwd=directory, capture_output=True, text=True, env=environ, check=False)


@pytest.fixture(scope="module")
def real(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("real")
    write_project(directory, {"dependencies": {"express": "^4.21.0"}, "devDependencies": {"husky": "^9.0.0"}})
    done = run(npm, directory, "install", "--package-lock-only")
    assert done.returncode == 0, done.stderr
    return directory


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nothing": ({}, ()),
    "a-range-that-is-met": ({"dependencies": {"express": "^4.20.0"}}, ()),
    "a-range-that-is-not": ({"dependencies": {"express": "^5.0.0"}}, ()),
    "a-new-dependency": ({"dependencies": {"express": "^4.21.0", "semver": "^7.0.0"}}, ()),
    "a-dependency-less": ({"dependencies": {}}, ()),
    "from-dev-to-production": ({"dependencies": {"express": "^4.21.0", "husky": "^9.0.0"}, "devDependencies": {}}, ()),
    "an-entry-gone": ({}, ("node_modules/accepts",)),
    "a-direct-entry-gone": ({}, ("node_modules/express",)),
    "a-dev-entry-gone": ({}, ("node_modules/husky",)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_we_and_npm_agree_on_what_is_in_step(npm: str, real: Path, tmp_path: Path, change: str) -> None:
    sections, gone = CHANGES[change]
    manifest = {**json.loads((real / "package.json").read_text()), **sections}
    lock = json.loads((real / "package-lock.json").read_text())
    for key in gone:
        del lock["packages"][key]
    write_project(tmp_path, manifest, lock)
    version = run(npm, tmp_path, "--version").stdout.strip()
    found = check_lockfile(
        read_dependencies(tmp_path), Target("nodejs22.x", Architecture.X86_64), version, ManagerSettings()
    )
    refused = run(npm, tmp_path, "ci", "--dry-run", "--ignore-scripts", "--omit=dev")
    assert (refused.returncode != 0) is any(each.weight is Severity.ERROR for each in found), refused.stderr
