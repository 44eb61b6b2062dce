"""Writes a file whole or not at all. A failure leaves nothing behind."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import OUTPUT

TEMPORARY_SUFFIX = ".lambdapack-tmp"
"""Ending of the temporary name: a file with it that survived a SIGKILL is nobody's."""

NO_SPACE_ERRNOS = frozenset(
    number for name in ("ENOSPC", "EDQUOT") if (number := getattr(errno, name, None)) is not None
)


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Lend a new file that takes the place of `path` when the block ends well; LP009 when it cannot be written."""
    path = _replaceable_path(path)
    missing = [parent for parent in path.absolute().parents if not os.path.lexists(parent)]
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException as error:
        _remove_leftovers(temporary, missing)
        if isinstance(error, OSError):
            raise unwritable_error(path, error) from error
        raise


def check_writable(path: Path) -> None:
    """LP009 when a file could not be written there as things are; makes nothing. For before work that takes long."""
    parent = next(each for each in _replaceable_path(path).absolute().parents if os.path.lexists(each))
    if not parent.is_dir():
        raise LambdapackError(OUTPUT, f"{path}: {parent} is not a directory")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise LambdapackError(OUTPUT, f"{path}: {parent} cannot be written to")


def _replaceable_path(path: Path) -> Path:
    """Return the file to write: a symlink's target; LP009 for what is there and no plain file."""
    try:
        target = path.resolve() if path.is_symlink() else path
        kind = target.lstat().st_mode if os.path.lexists(target) else stat.S_IFREG
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links (Python 3.11)
        raise LambdapackError(OUTPUT, f"{path}: {error}") from error
    if stat.S_ISDIR(kind):
        raise LambdapackError(OUTPUT, f"{path}: it is a directory")
    if not stat.S_ISREG(kind):
        raise LambdapackError(OUTPUT, f"{path}: it is a device, a pipe or a socket, and would be replaced by a file")
    return target


def unwritable_error(path: Path, error: OSError) -> LambdapackError:
    """Return LP009 that names the file and the cause."""
    if error.errno in NO_SPACE_ERRNOS:
        hint = "Make room, or name a place on another disk, where the command takes one (`--output`, `--html`)."
        return LambdapackError(OUTPUT, f"{path}: no space left on the device", hint=hint)
    return LambdapackError(OUTPUT, f"{path}: {error.strerror or error}")


def _remove_leftovers(temporary: Path, directories: list[Path]) -> None:
    """Best effort: a directory that somebody else put something into meanwhile stays. Innermost first."""
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
    for directory in directories:
        with suppress(OSError):
            directory.rmdir()
