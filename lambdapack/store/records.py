"""A directory of records by kind and key. A damaged or foreign record counts as absent."""

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

RECORD_KINDS: Final = ("binaries", "definitions", "trees", "runtimes")
"""Directories of the store. `runtimes` are runtime files, which runtimes/ itself writes and reads."""

MAX_STORE_BYTES: Final = 256 * 1024**2
"""Bytes that all records together may take; beyond, the longest unused go until three quarters are left."""

USE_MARK_SECONDS: Final = 24 * 3600
"""How stale the mark of a record's last use may be: marking it at every use would cost a write."""

RECORD_KEY = re.compile(r"[0-9a-f]{64}\Z")
RECORD_SUFFIX = ".record"


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """What a store holds of one kind."""

    kind: str
    entries: int
    size: int  # bytes


class Store:
    """A directory of records. It never fails: what cannot be read is not there, what cannot be written is lost."""

    def __init__(self, directory: Path, code: str) -> None:
        """`code` names the program that makes the records; those of any other are not read."""
        self.directory = directory
        self._mark = f"lambdapack/store/1 {code} ".encode()
        self._wrote = False

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a record, None when there is none that this code wrote and that is whole."""
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
        """Forget what was unused for longest when all together has become too large. Cheap when nothing was written."""
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
        """Return what there is of each kind, also of other code's."""
        sizes = {kind: [status.st_size for _, status in self._files(kind)] for kind in RECORD_KINDS}
        return tuple(StoreUsage(kind, len(record_sizes), sum(record_sizes)) for kind, record_sizes in sizes.items())

    def clear(self) -> tuple[StoreUsage, ...]:
        """Remove every record and return what is gone; anything else in the directory stays."""
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
            raise ValueError(f"{kind}/{key} is no name of a record")
        return self.directory / kind / f"{key}{RECORD_SUFFIX}"

    def _header(self, kind: str, key: str, content: bytes) -> bytes:
        """The first line: who made it, and a digest over name and content, so that a copied record is foreign too."""
        return self._mark + hashlib.sha256(f"{kind}/{key}\n".encode() + content).hexdigest().encode()

    @staticmethod
    def _mark_used(path: Path) -> None:
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - USE_MARK_SECONDS:
                os.utime(path)

    def _files(self, *kinds: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield what we wrote, left-over temporary files included; never a link, a directory or another name."""
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
