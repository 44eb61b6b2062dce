"""Runs the installed command as a user would, in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lambdapack.engine import container
from tests import products, proofs

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

NAMED = re.compile(r'(?:\[LP\d{3}\]|"code": "LP\d{3}",\s+"name":) "?([a-z0-9-]+)')
"""The name of a finding, as people and as programs are told it."""


def lambdapack(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Return stdout, stderr and exit code of one command; never raises for a bad exit."""
    done = subprocess.run(
        [sys.executable, "-m", "lambdapack", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    products.check_run(list(map(str, arguments)), done.stdout)
    proofs.told(NAMED.findall(done.stdout + done.stderr))
    return done


def started(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, log: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Return a command that runs, for who wants to stop it; what it prints is lost, but stderr with a `log`."""
    with (log or Path(os.devnull)).open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "lambdapack", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )


def containers() -> Sequence[str]:
    """Names of the containers that lambdapack made and whose process is gone: what was left behind."""
    template = '{{.Names}} {{.Status}}\t{{.Label "' + container.OWNER_LABEL + '"}}'
    command = ["docker", "ps", "--all", "--filter", f"label={container.OWNER_LABEL}", "--format", template]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    owners = {line.split("\t")[0]: container.parse_owner(line.split("\t")[1]) for line in found}
    return [name for name, owner in owners.items() if owner is None or not container.is_alive(owner.pid)]
