"""A stream from the engine in a file of the host. Never leaves half of one behind."""

import errno
from collections.abc import Iterator
from pathlib import Path

from lambdapack.errors import DISK_FULL, OUTPUT, LambdapackError
from lambdapack.events import Advance

FULL = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG))


def write(chunks: Iterator[bytes], spool: Path, advance: Advance) -> None:
    """Write all chunks to `spool`; on any way out but success the file is removed again. LP106 on a full disk."""
    try:
        _copy(chunks, spool, advance)
    except BaseException:
        spool.unlink(missing_ok=True)
        raise


def _copy(chunks: Iterator[bytes], spool: Path, advance: Advance) -> None:
    try:
        with spool.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                advance(len(chunk))
    except OSError as error:
        failure = DISK_FULL if error.errno in FULL else OUTPUT
        hint = f"Make room in {spool.parent}, or point TMPDIR elsewhere."
        raise LambdapackError(failure, f"{spool}: {error.strerror or error}", hint=hint) from error
