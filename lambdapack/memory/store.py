"""Records on disk, by kind and key. One that is damaged, foreign or made by other code is as good as none."""

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

KINDS: Final = ("binaries", "definitions", "trees", "runtimes")
"""Directories of the store. `runtimes` are runtime files, which runtimes/ itself writes and reads."""

LARGEST: Final = 256 * 1024**2
"""Bytes that all records together may take; beyond, the longest unused go until three quarters are left."""

USED_SECONDS: Final = 24 * 3600
"""How stale the mark of a record's last use may be: marking it at every use would cost a write."""

KEY = re.compile(r"[0-9a-f]{64}\Z")
SUFFIX = ".record"


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds of one kind."""

    kind: str
    entries: int
    size: int  # bytes


class Store:
    """A directory of records. It never fails: what cannot be read is not there, what cannot be written is lost."""

    def __init__(self, directory: Path, code: str) -> None:
        """`code` names the program that makes the records; those of any other are not read."""
        self.directory = directory
        self._mark = f"lambdapack/memory/1 {code} ".encode()
        self._wrote = False

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a record, None when there is none that this code wrote and that is whole."""
        place = self._place(kind, key)
        try:
            head, _, content = place.read_bytes().partition(b"\n")
        except OSError:
            return None
        if head != self._head(kind, key, content):
            return None
        self._used(place)
        return content

    def put(self, kind: str, key: str, content: bytes) -> None:
        """Write a record, whole or not at all."""
        place = self._place(kind, key)
        temporary = place.with_name(f".{key}.{secrets.token_hex(4)}.tmp")
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(self._head(kind, key, content) + b"\n" + content)
            temporary.replace(place)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._wrote = True

    def trim(self, largest: int = LARGEST) -> None:
        """Forget what was unused for longest when all together has become too large. Cheap when nothing was written."""
        if not self._wrote:
            return
        self._wrote = False
        files = sorted(self._files(), key=lambda each: each[1].st_mtime)
        total = sum(status.st_size for _, status in files)
        goal = total if total <= largest else largest * 3 // 4
        for path, status in files:
            if total <= goal:
                return
            with suppress(OSError):
                path.unlink()
                total -= status.st_size

    def held(self) -> tuple[Held, ...]:
        """Return what there is of each kind, also of other code's."""
        sizes = {kind: [status.st_size for _, status in self._files(kind)] for kind in KINDS}
        return tuple(Held(kind, len(found), sum(found)) for kind, found in sizes.items())

    def clear(self) -> tuple[Held, ...]:
        """Remove every record and return what is gone; anything else in the directory stays."""
        before = self.held()
        for path, _ in list(self._files()):
            with suppress(OSError):
                path.unlink()
        for place in (*(self.directory / kind for kind in KINDS), self.directory):
            with suppress(OSError):
                place.rmdir()  # only when empty
        left = {each.kind: each for each in self.held()}
        return tuple(
            Held(each.kind, each.entries - left[each.kind].entries, each.size - left[each.kind].size) for each in before
        )

    def _place(self, kind: str, key: str) -> Path:
        if kind not in KINDS or not KEY.match(key):
            raise ValueError(f"{kind}/{key} is no name of a record")
        return self.directory / kind / f"{key}{SUFFIX}"

    def _head(self, kind: str, key: str, content: bytes) -> bytes:
        """The first line: who made it, and a digest over name and content, so that a copied record is foreign too."""
        return self._mark + hashlib.sha256(f"{kind}/{key}\n".encode() + content).hexdigest().encode()

    @staticmethod
    def _used(place: Path) -> None:
        with suppress(OSError):
            if place.stat().st_mtime < time.time() - USED_SECONDS:
                os.utime(place)

    def _files(self, *kinds: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield what we wrote, left-over temporary files included; never a link, a directory or another name."""
        for kind in kinds or KINDS:
            try:
                with os.scandir(self.directory / kind) as found:
                    listed = [each for each in found if each.name.endswith((SUFFIX, ".tmp", ".json"))]
            except OSError:
                continue
            for each in listed:
                with suppress(OSError):
                    if each.is_file(follow_symlinks=False):
                        yield Path(each.path), each.stat(follow_symlinks=False)
