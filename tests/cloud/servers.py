"""Real HTTP servers that speak AWS: moto in this process, ministack in one of its own."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moto.server import ThreadedMotoServer

HOME = Path(__file__).resolve().parents[2] / ".lab" / "aws" / "ministack"
PINNED = "ministack==1.5.33"
"""It wants one exact botocore, so it has a virtual environment to itself."""

STARTS_WITHIN = 30.0  # seconds


@contextmanager
def moto() -> Iterator[str]:
    """Lend the address of a moto server: the wire format of Lambda's control plane, S3, IAM and STS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """Lend the address of a ministack on the loopback device; it runs the functions that it is given."""
    port = _free_port()
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    environment = {
        **kept,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(directory),
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    with (directory / "ministack.log").open("wb") as log:
        server = subprocess.Popen([*_bound_to_us(), install()], env=environment, cwd=directory, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/_ministack/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def install() -> Path:
    """Return ministack's program; made the first time, saying so."""
    program = HOME / "bin" / "ministack"
    if not program.exists():
        print(f"Installing {PINNED} (the tests' AWS) into .lab/aws/ministack, a virtual environment of its own")
        shutil.rmtree(HOME, ignore_errors=True)
        venv.create(HOME, with_pip=True)
        subprocess.run([HOME / "bin" / "pip", "install", "--quiet", PINNED], check=True)
    return program


def _bound_to_us() -> list[str]:
    """Return what lets a program end when this process is killed, where the host has it (util-linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own address
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"ministack does not answer at {url}")


if __name__ == "__main__":
    install()
