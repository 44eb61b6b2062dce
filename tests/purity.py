"""A pure test starts no program of others and speaks to no other machine: tests/conftest.py holds tests/unit to it."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = frozenset({Path(sys.executable).name, "bash", "sh", "unzip"})
"""Python itself for a command in a process of its own, and shells around it; unzip is skipped where it is missing.

Besides these a test may start what it wrote itself, and ask for programs that are on no PATH.
"""

LOOPBACK = frozenset({"", "127.0.0.1", "::1", "localhost"})
RESERVED = (".example", ".invalid", ".test")
"""Top-level domains that no name server knows (RFC 2606): asking for them is answered here, not by the network."""

TEMPORARY = Path(tempfile.gettempdir())
"""Read before a test sets another."""

_guarding: list[str] = []


@contextmanager
def kept(test: str) -> Iterator[None]:
    """Fail the test as soon as this process does what no pure test does."""
    _guarding.append(test)
    try:
        yield
    finally:
        _guarding.pop()


def _watch(event: str, values: tuple[Any, ...]) -> None:
    if not _guarding:
        return
    match event, values:
        case "subprocess.Popen", (program, _argv, _directory, environment):
            paths = (environment or os.environ).get("PATH")
            found = shutil.which(program, path=paths) or ""
            _demand(Path(found).name in PROGRAMS or not found or _is_temporary(found), f"starts {program}")
        case "socket.connect", (_socket, (host, *_)):
            _demand(str(host) in LOOPBACK, f"connects to {host}")
        case "socket.connect", (_socket, str() | bytes() as path):
            name = os.fsdecode(path)
            _demand(_is_temporary(name), f"connects to {name}")
        case "socket.getaddrinfo", (host, *_):
            name = host.decode() if isinstance(host, bytes) else str(host or "")
            if name.endswith(RESERVED):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            _demand(name in LOOPBACK, f"looks up {name}")
        case _:
            pass


def _is_temporary(path: str) -> bool:
    return Path(path).is_relative_to(TEMPORARY)


def _demand(pure: bool, deed: str) -> None:
    if not pure:
        pytest.fail(f"{_guarding[-1]} {deed}, so it is not pure: tests/unit is no place for it")


sys.addaudithook(_watch)
