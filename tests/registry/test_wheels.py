"""lambdapack installs from wheels alone on the hosts that docs/limits.md names."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.registry, pytest.mark.full]

ROOT = Path(__file__).resolve().parents[2]

PLATFORMS = {
    "manylinux-x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "manylinux-arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "musllinux-x86_64": ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64"),
    "musllinux-arm64": ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64"),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x86_64": ("macosx_11_0_x86_64", "macosx_10_13_x86_64", "macosx_10_9_x86_64"),
    "windows-x86_64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
}

WITHOUT_WHEELS = {(version, "musllinux-arm64") for version in ("3.11", "3.12", "3.13", "3.14")} | {
    ("3.11", "windows-arm64")
}
"""tree-sitter and PyYAML have none there (read 2026-11); docs/limits.md says so."""


def requirements() -> list[str]:
    listed: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [requirement for requirement in listed if "sys_platform" not in requirement]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("host", PLATFORMS)
def test_wheels_are_enough(version: str, host: str, tmp_path: Path) -> None:
    tags = [word for tag in PLATFORMS[host] for word in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--only-binary=:all:", "--target", str(tmp_path), "--python-version", version, *tags, *requirements()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ((version, host) not in WITHOUT_WHEELS), done.stderr
