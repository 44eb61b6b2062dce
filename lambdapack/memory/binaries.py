"""What earlier scans of a place found, for the next one. Says nothing of a file that could have changed since."""

import hashlib
import json

from lambdapack.binary.facts import Content, Symbol
from lambdapack.binary.memory import NOT_NATIVE
from lambdapack.memory import content as facts
from lambdapack.memory.store import Store
from lambdapack.tree.entry import Entry
from lambdapack.tree.identity import settled

BINARIES, DEFINITIONS, TREES = "binaries", "definitions", "trees"


class Remembered:
    """The memory of one tree: what its files were, by identity, and what their bytes say, by digest."""

    def __init__(self, store: Store, place: str, now: int) -> None:
        """Recall what is known of a tree by where it lies; `now`, nanoseconds of Unix time, is before any reading."""
        self._store = store
        self._now = now
        self._key = _key("tree", place)
        self._digests = _recalled(store.get(TREES, self._key))  # by name and identity
        self._old: dict[str, str] = {}  # of those digests, what was asked for and is still true
        self._new: dict[str, str] = {}
        self._stored: set[str] = set()  # digests whose facts the store has

    def digest(self, entry: Entry) -> str | None:
        """Return the digest of an unchanged file, NOT_NATIVE, or None when it has to be read."""
        name = _name(entry)
        found = self._digests.get(name) if entry.identity else None
        if found is not None:
            self._old[name] = found
        return found

    def content(self, sha256: str) -> Content | None:
        """Return what bytes of this digest say, None when that is unknown."""
        data = self._store.get(BINARIES, sha256)
        found = None if data is None else facts.from_bytes(sha256, data)
        if found is not None:
            self._stored.add(sha256)
        return found

    def keep(self, entry: Entry, content: Content | None) -> None:
        """Remember what a file says; where it lies only if its times will betray any change from now on."""
        if content is not None and content.sha256 not in self._stored:
            self._stored.add(content.sha256)
            self._store.put(BINARIES, content.sha256, facts.to_bytes(content))
        if settled(entry.identity, self._now):
            self._new[_name(entry)] = NOT_NATIVE if content is None else content.sha256

    def definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:
        """Return which of the names bytes of this digest define, None when that is unknown."""
        data = self._store.get(DEFINITIONS, _key(sha256, *names))
        return None if data is None else facts.symbols_from_bytes(data)

    def keep_definitions(self, sha256: str, names: tuple[str, ...], found: tuple[Symbol, ...]) -> None:
        """Remember it."""
        self._store.put(DEFINITIONS, _key(sha256, *names), facts.symbols_to_bytes(found))

    def save(self) -> None:
        """Write what was learnt; what nobody asked for is no longer in the tree and is forgotten."""
        if self._new:
            document = json.dumps({**self._old, **self._new}, separators=(",", ":"))
            self._store.put(TREES, self._key, document.encode())
        self._store.trim()


def _name(entry: Entry) -> str:
    return f"{entry.identity} {entry.path}"


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _recalled(data: bytes | None) -> dict[str, str]:
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
