"""Temporary directories of one run; the next run removes those of killed runs."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lambdapack.engine.container import ContainerOwner, current_owner, is_alive

SCRATCH_PREFIX = "lambdapack-"

_OWNED_NAME = re.compile(rf"{SCRATCH_PREFIX}(?P<host>[0-9a-f]+)-(?P<pid>[0-9]+)-[^-]*")


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Create a directory that is removed with its contents at the end; first removes those of killed runs."""
    me = current_owner()
    sweep_scratch_directories(Path(tempfile.gettempdir()), me)
    prefix = f"{SCRATCH_PREFIX}{me.host}-{me.pid}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def sweep_scratch_directories(parent: Path, me: ContainerOwner, lives: Callable[[int], bool] = is_alive) -> None:
    """Remove this user's directories of dead processes on this host. Never fails: other runs do the same."""
    try:
        with os.scandir(parent) as dir_entries:
            abandoned = [dir_entry.path for dir_entry in dir_entries if _is_abandoned(dir_entry, me, lives)]
    except OSError:
        return
    for path in abandoned:
        shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(entry: os.DirEntry[str], me: ContainerOwner, lives: Callable[[int], bool]) -> bool:
    match = _OWNED_NAME.fullmatch(entry.name)
    if match is None or match["host"] != me.host or int(match["pid"]) == me.pid or lives(int(match["pid"])):
        return False
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and mine


@contextmanager
def open_scratch() -> Iterator[tuple[Path, ExitStack]]:
    """Open a scratch directory, and a stack of resources that are closed before it is removed."""
    with scratch_directory() as directory, ExitStack() as stack:
        yield directory, stack


def home_directory(otherwise: Path) -> Path:
    """Return where the user's .npmrc may be; CI containers have users without any home."""
    try:
        return Path.home()
    except RuntimeError:
        return otherwise
