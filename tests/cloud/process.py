"""The command in a process of its own, against a real server; and its end by SIGKILL at a known call."""

from collections.abc import Sequence
from pathlib import Path

from tests.cloud import relay
from tests.command import started


def environment(address: str) -> dict[str, str]:
    """Return the variables that lead to a server, and away from the user's own AWS."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": "none",
        "AWS_SHARED_CREDENTIALS_FILE": "none",
    }


def killed(server: str, directory: Path, arguments: Sequence[str], stop_at: int, *, carried_out: bool) -> bool:
    """Run the command and kill it (SIGKILL) at a request; False when it ended before that."""
    with relay.stopping(server, stop_at, carried_out=carried_out) as (address, reached):
        process = started(*arguments, cwd=directory, env=environment(address))
        while process.poll() is None and not reached.wait(0.05):
            pass
        if process.poll() is None:
            process.kill()
        return process.wait(timeout=60) != 0
