"""A directory of records by kind and key. A damaged or foreign record counts as missing."""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RECORD_KINDS: Final = ("binaries", "definitions", "trees", "scripts", "graphs", "runtimes", "proofs", "engines", "keys")
"""Directories of the store. `runtimes` holds runtime files, which runtimes/ itself writes and reads."""

MAX_STORE_BYTES: Final = 256 * 1024**2
"""Bytes of all records together; above, the least recently used are deleted until three quarters are left."""

USE_MARK_SECONDS: Final = 24 * 3600
"""Precision of a record's last-use time: updating it at every use would cost a write."""

RECORD_KEY = re.compile(r"[0-9a-f]{64}\Z")
RECORD_SUFFIX = ".record"


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """Number and size of a store's records of one kind."""

    kind: str
    entries: int
    size: int  # bytes


class Store:
    """A directory of records. Never raises OSError: an unreadable record is missing, an unwritable one is lost."""

    def __init__(self, directory: Path, code: str) -> None:
        """`code` identifies the program that writes the records; those of other programs are ignored."""
        self.directory = directory
        self._mark = f"lambdapack/store/1 {code} ".encode()
        self._wrote = False

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a record, None when it is missing, damaged or written by other code."""
        path = self._record_path(kind, key)
        try:
            head, _, content = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if head != self._header(kind, key, content):
            return None
        self._mark_used(path)
        return content

    def put(self, kind: str, key: str, content: bytes) -> None:
        """Write a record, whole or not at all."""
        path = self._record_path(kind, key)
        temporary = path.with_name(f".{key}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(self._header(kind, key, content) + b"\n" + content)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._wrote = True

    def trim(self, largest: int = MAX_STORE_BYTES) -> None:
        """Delete the least recently used records when the store is too large. Cheap when nothing was written."""
        if not self._wrote:
            return
        self._wrote = False
        files = sorted(self._files(), key=lambda item: item[1].st_mtime)
        total = sum(status.st_size for _, status in files)
        goal = total if total <= largest else largest * 3 // 4
        for path, status in files:
            if total <= goal:
                return
            with suppress(OSError):
                path.unlink()
                total -= status.st_size

    def usage(self) -> tuple[StoreUsage, ...]:
        """Return number and size of the records of each kind, including other programs'."""
        sizes = {kind: [status.st_size for _, status in self._files(kind)] for kind in RECORD_KINDS}
        return tuple(StoreUsage(kind, len(record_sizes), sum(record_sizes)) for kind, record_sizes in sizes.items())

    def clear(self) -> tuple[StoreUsage, ...]:
        """Delete every record and return what was deleted; other files in the directory stay."""
        before = self.usage()
        for path, _ in list(self._files()):
            with suppress(OSError):
                path.unlink()
        for directory in (*(self.directory / kind for kind in RECORD_KINDS), self.directory):
            with suppress(OSError):
                directory.rmdir()  # only when empty
        remaining = {store_usage.kind: store_usage for store_usage in self.usage()}
        return tuple(
            StoreUsage(
                store_usage.kind,
                store_usage.entries - remaining[store_usage.kind].entries,
                store_usage.size - remaining[store_usage.kind].size,
            )
            for store_usage in before
        )

    def _record_path(self, kind: str, key: str) -> Path:
        if kind not in RECORD_KINDS or not RECORD_KEY.match(key):
            raise ValueError(f"{kind}/{key} is not the name of a record")
        return self.directory / kind / f"{key}{RECORD_SUFFIX}"

    def _header(self, kind: str, key: str, content: bytes) -> bytes:
        """Return the first line: the program, and a digest over name and content, so that copies are invalid."""
        return self._mark + hashlib.sha256(f"{kind}/{key}\n".encode() + content).hexdigest().encode()

    @staticmethod
    def _mark_used(path: Path) -> None:
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - USE_MARK_SECONDS:
                os.utime(path)

    def _files(self, *kinds: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the records and left-over temporary files; never a link, a directory or another file."""
        for kind in kinds or RECORD_KINDS:
            try:
                with os.scandir(self.directory / kind) as dir_entries:
                    listed = [
                        dir_entry
                        for dir_entry in dir_entries
                        if dir_entry.name.endswith((RECORD_SUFFIX, ".tmp", ".json"))
                    ]
            except OSError:
                continue
            for dir_entry in listed:
                with suppress(OSError):
                    if dir_entry.is_file(follow_symlinks=False):
                        yield Path(dir_entry.path), dir_entry.stat(follow_symlinks=False)
