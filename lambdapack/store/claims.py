"""Claims on names between processes: file locks that end with their process, and temporary files that name theirs."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from lambdapack.engine.container import ContainerOwner, current_owner, is_alive
from lambdapack.events import Observer

POLL_SECONDS: Final = 0.1
"""How often a waiting process looks whether a lock is free."""

TEMPORARY_NAME = re.compile(r"\.(?P<host>[0-9a-f]+)-(?P<pid>[0-9]+)-[0-9a-f]+\.tmp")

this_process = cache(current_owner)


@contextmanager
def claim_name(path: Path, observer: Observer) -> Iterator[None]:
    """Enclose work that one process at a time does; one that has to wait says so.

    Where a file system has no locks the work is done without one: at worst it is done twice.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  # only who makes something waits

    lock = FileLock(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with observer.task("Waiting for another build that installs the same dependencies"):
                lock.acquire(poll_interval=POLL_SECONDS)
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # who waits has it open, and finds what was made
            path.unlink(missing_ok=True)
        lock.release()


def temporary_name() -> str:
    """Return a name for a temporary file that tells whose it is."""
    owner = this_process()
    return f".{owner.host}-{owner.pid}-{secrets.token_hex(6)}.tmp"


def is_leftover(name: str) -> bool:
    """Tell whether a temporary file is that of a process of this host that has ended."""
    match = TEMPORARY_NAME.fullmatch(name)
    return match is not None and _is_ended(ContainerOwner(match["host"], int(match["pid"])))


def _is_ended(owner: ContainerOwner) -> bool:
    me = this_process()
    return owner.host == me.host and owner.pid != me.pid and not is_alive(owner.pid)
