"""What tells that a file is unchanged, as git's index does. Light to import: an unchanged run needs nothing more."""

import os

NANOSECONDS_PER_SECOND = 1_000_000_000
"""Nanoseconds in a second."""

SETTLED_NANOSECONDS = 2 * NANOSECONDS_PER_SECOND
"""Nanoseconds after its last change from which a file's times reveal the next change. git calls a younger file "racily
clean": it can be written twice within one tick of its file system's clock. FAT's ticks are 2 s, all others finer."""

SHA256_IDENTITY = "sha256:"
"""Begins the identity of a file of a stored tree: the digest of its bytes, which nothing can change."""


def file_identity(status: os.stat_result, *more: int) -> str:
    """Return a text that changes whenever the bytes of a file may have changed, "" when nothing guarantees that.

    Device, inode, size, time of the last write, and the time of the last change, which no program can set. Windows has
    no such time. A time without a fraction of a second comes from a read-only image (squashfs, ISO 9660) or is too
    coarse. `more` are numbers that name a part of the file.
    """
    if os.name == "nt" or not status.st_ino or not status.st_ctime_ns % NANOSECONDS_PER_SECOND:
        return ""
    part = "".join(f":{number}" for number in more) if more else ""
    times = f"{status.st_ctime_ns}:{status.st_mtime_ns}"
    return f"{times}:{status.st_dev}:{status.st_ino}:{status.st_size}{part}"


def is_settled(text: str, now: int) -> bool:
    """Tell whether an identity was old enough at `now` (nanoseconds of Unix time) to reveal any later change."""
    if not text:
        return False
    if text.startswith(SHA256_IDENTITY):
        return True
    changed, written = text.split(":", 2)[:2]
    return max(int(changed), int(written)) < now - SETTLED_NANOSECONDS
