"""Runs the installed command as a user would, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def lambdapack(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Return stdout, stderr and exit code of one command; never raises for a bad exit."""
    return subprocess.run(
        [sys.executable, "-m", "lambdapack", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def containers(label: str = "dev.lambdapack.owner") -> Sequence[str]:
    """Names of all containers that lambdapack made and that still exist."""
    done = subprocess.run(
        ["docker", "ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}} {{.Status}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
