"""When a file can be known to be unchanged without being read. Where the host cannot tell, nothing is."""

import os

SECOND = 1_000_000_000
"""Nanoseconds."""

SETTLED = 2 * SECOND
"""Nanoseconds after its last change from which a file's times betray the next one. git calls a younger file "racily
clean": it can be written twice within one tick of its file system's clock. FAT's ticks are 2 s, all others finer."""


def identity(status: os.stat_result, *more: int) -> str:
    """Return a text that changes whenever the bytes of a file may have changed, "" where nothing can promise that.

    Device, inode, size, time of the last write, and the time of the last change, which no program can set. Windows has
    no such time. One without a fraction of a second is made up by a read-only image (squashfs, ISO 9660) or too coarse.
    `more` are numbers that name a part of the file.
    """
    if os.name == "nt" or not status.st_ino or not status.st_ctime_ns % SECOND:
        return ""
    part = "".join(f":{number}" for number in more) if more else ""
    times = f"{status.st_ctime_ns}:{status.st_mtime_ns}"
    return f"{times}:{status.st_dev}:{status.st_ino}:{status.st_size}{part}"


def settled(text: str, now: int) -> bool:
    """Tell whether an identity was old enough at `now` (nanoseconds of Unix time) to betray any later change."""
    if not text:
        return False
    changed, written = text.split(":", 2)[:2]
    return max(int(changed), int(written)) < now - SETTLED
