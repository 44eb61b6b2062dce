"""Stores facts of binaries between runs, as JSON by digest. Never answers for a file that may have changed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lambdapack import __version__, binary
from lambdapack.binary.facts import (
    BinaryRole,
    Content,
    Elf,
    Format,
    Registration,
    RegistrationKind,
    Symbol,
    VersionNeed,
)
from lambdapack.binary.scan import NOT_NATIVE_DIGEST
from lambdapack.store.records import Store
from lambdapack.tree.entry import Entry
from lambdapack.tree.identity import is_settled

FACT_FOLDERS = ("tree", "binary", "script", "packages", "store")
"""Folders whose code reads bytes and identities, computes the facts and the module graph, and stores them."""


def program_digest() -> str:
    """Return a digest that changes with the version and with any change of the code that gathers facts."""
    digest = hashlib.sha256(__version__.encode())
    package = Path(binary.__path__[0]).parent
    for folder in FACT_FOLDERS:
        for module in sorted((package / folder).rglob("*.py")):  # none in a zip: then the version alone counts
            digest.update(module.name.encode() + b"\0" + module.read_bytes())
    return digest.hexdigest()


_LISTS = ("needed", "rpath", "runpath", "version_definitions")
_SETS = ("flags", "relocations")


def content_to_bytes(content: Content) -> bytes:
    """Return a content as JSON, without its digest, which is the record's key."""
    document = {
        "size": content.size,
        "format": content.format.value,
        "machines": content.machines,
        "role": content.role.value,
        "first_bytes": content.first_bytes,
        "elf": None if content.elf is None else _elf_to_document(content.elf),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def content_from_bytes(sha256: str, data: bytes) -> Content | None:
    """Return the content of a JSON record, None when the record is invalid."""
    try:
        document = json.loads(data)
        return Content(
            sha256=sha256,
            size=document["size"],
            format=Format(document["format"]),
            machines=tuple(document["machines"]),
            elf=None if document["elf"] is None else _elf_from_document(document["elf"]),
            role=BinaryRole(document["role"]),
            first_bytes=document["first_bytes"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def symbols_to_bytes(symbols: Sequence[Symbol]) -> bytes:
    """Return symbols as JSON."""
    return json.dumps([_field_values(symbol) for symbol in symbols], separators=(",", ":")).encode()


def symbols_from_bytes(data: bytes) -> tuple[Symbol, ...] | None:
    """Return the symbols of a JSON record, None when the record is invalid."""
    try:
        return tuple(Symbol(*load) for load in json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None


def _field_values(noun: Any) -> list[Any]:
    return [getattr(noun, field.name) for field in fields(noun)]


def _elf_to_document(elf: Elf) -> dict[str, Any]:
    document = {field.name: getattr(elf, field.name) for field in fields(elf)}
    document |= {name: sorted(document[name]) for name in _SETS}
    kind, *numbers = _field_values(elf.registration)
    return document | {
        "version_needs": [_field_values(version_need) for version_need in elf.version_needs],
        "undefined": [_field_values(symbol) for symbol in elf.undefined],
        "defines": [_field_values(symbol) for symbol in elf.defines],
        "registration": [kind.value, *numbers],
    }


def _elf_from_document(document: dict[str, Any]) -> Elf:
    kind, abis, *numbers = document["registration"]
    return Elf(
        **(
            document
            | {name: tuple(document[name]) for name in _LISTS}
            | {name: frozenset(document[name]) for name in _SETS}
            | {
                "version_needs": tuple(VersionNeed(*values) for values in document["version_needs"]),
                "undefined": tuple(Symbol(*values) for values in document["undefined"]),
                "defines": tuple(Symbol(*values) for values in document["defines"]),
                "registration": Registration(RegistrationKind(kind), tuple(abis), *numbers),
            }
        )
    )


BINARY_RECORDS, DEFINITION_RECORDS, TREE_RECORDS = "binaries", "definitions", "trees"


class BinaryCache:
    """The cache of one tree: digests of its files by identity, and contents by digest."""

    def __init__(self, store: Store, location: str, now: int) -> None:
        """Read the records of the tree at a location; `now` (nanoseconds of Unix time) is before the first read."""
        self._store = store
        self._now = now
        self._key = _hash_key("tree", location)
        self._digests = _parse_digests(store.get(TREE_RECORDS, self._key))  # by name and identity
        self._old: dict[str, str] = {}  # of those digests, what was asked for and is still true
        self._new: dict[str, str] = {}
        self._stored: set[str] = set()  # digests whose facts the store has

    def find_digest(self, entry: Entry) -> str | None:
        """Return the digest of an unchanged file, NOT_NATIVE_DIGEST, or None when it has to be read."""
        name = _entry_name(entry)
        digest = self._digests.get(name) if entry.identity else None
        if digest is not None:
            self._old[name] = digest
        return digest

    def find_content(self, sha256: str) -> Content | None:
        """Return the content with this digest, None when it is unknown."""
        data = self._store.get(BINARY_RECORDS, sha256)
        content = None if data is None else content_from_bytes(sha256, data)
        if content is not None:
            self._stored.add(sha256)
        return content

    def store_content(self, entry: Entry, content: Content | None) -> None:
        """Store the content of a file, and its digest by identity if its times will reveal any later change."""
        if content is not None and content.sha256 not in self._stored:
            self._stored.add(content.sha256)
            self._store.put(BINARY_RECORDS, content.sha256, content_to_bytes(content))
        if is_settled(entry.identity, self._now):
            self._new[_entry_name(entry)] = NOT_NATIVE_DIGEST if content is None else content.sha256

    def find_definitions(self, sha256: str, names: tuple[str, ...]) -> tuple[Symbol, ...] | None:
        """Return which of these names the file with this digest defines, None when that is unknown."""
        data = self._store.get(DEFINITION_RECORDS, _hash_key(sha256, *names))
        return None if data is None else symbols_from_bytes(data)

    def store_definitions(self, sha256: str, names: tuple[str, ...], symbols: tuple[Symbol, ...]) -> None:
        """Store which of these names the file with this digest defines."""
        self._store.put(DEFINITION_RECORDS, _hash_key(sha256, *names), symbols_to_bytes(symbols))

    def save(self) -> None:
        """Write new digests; digests that were not looked up belong to removed files and are dropped."""
        if self._new:
            document = json.dumps({**self._old, **self._new}, separators=(",", ":"))
            self._store.put(TREE_RECORDS, self._key, document.encode())
        self._store.trim()


def _entry_name(entry: Entry) -> str:
    return f"{entry.identity} {entry.path}"


def _hash_key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _parse_digests(data: bytes | None) -> dict[str, str]:
    try:
        digests = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return digests if isinstance(digests, dict) else {}
