"""A store that several machines share: its entries count only if a trusted key signed them, or the place is trusted.

What is taken from there is bytes and where they come from. It is put into the local store, proved by its digest as
everything there is, and judged as if it had just been installed.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from lambdapack.events import Observer
from lambdapack.pack.zip import DEFAULTS, Compression
from lambdapack.store.claims import temporary_name
from lambdapack.store.signing import StoreKeys
from lambdapack.store.trees import DAMAGED, LocalTrees, StoredInstall, check_entry, describe_error
from lambdapack.tree.entry import Tree

SHARED_SCHEMA: Final = "lambdapack/shared/1"

MAX_ENTRY_BYTES: Final = 128 * 1024**2
"""Bytes of an entry's index: 200,000 files have about 40 MB."""

ENTRIES, MEMBERS = "entries", "members"


class StoreBucket(Protocol):
    """Files by name, somewhere. Every method raises LambdapackError or OSError when the place cannot be used."""

    @property
    def address(self) -> str:
        """What people call it: "s3://bucket/prefix"."""
        ...

    def read(self, name: str, file: BinaryIO, largest: int) -> bool:
        """Write the bytes of a name to a file; False when there is none. ValueError for more than `largest` bytes."""
        ...

    def write(self, name: str, path: Path, sha256: bytes, *, replaces: bool) -> bool:
        """Store a file under a name, whole or not at all; False when there is one that is not to be replaced."""
        ...


@dataclass(frozen=True, slots=True)
class DirectoryBucket:
    """A directory that machines share."""

    directory: Path

    @property
    def address(self) -> str:
        """Its path."""
        return str(self.directory)

    def read(self, name: str, file: BinaryIO, largest: int) -> bool:
        """Copy a file of the directory."""
        try:
            source = (self.directory / name).open("rb")
        except FileNotFoundError:
            return False
        with source:
            shutil.copyfileobj(source, file)
        if file.tell() > largest:
            raise ValueError(f"it has more than {largest} bytes")
        return True

    def write(self, name: str, path: Path, sha256: bytes, *, replaces: bool) -> bool:  # noqa: ARG002  # of all buckets
        """Copy a file into the directory."""
        target = self.directory / name
        if target.exists() and not replaces:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(temporary_name())
        try:
            shutil.copyfile(path, temporary)
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return True


@dataclass(frozen=True, slots=True)
class SharedTrees:
    """The local store, filled from a shared one, which gets what is made here. Losing the latter costs time alone."""

    local: LocalTrees
    source: StoreBucket  # where entries are read
    target: StoreBucket | None  # where entries are written; None: nowhere
    keys: StoreKeys

    def get(self, name: str, observer: Observer) -> StoredInstall | None:
        """Return the tree of a name from the local store, or from the shared one if it can be trusted there."""
        stored = self.local.get(name, observer)
        if stored is not None:
            return stored
        places = [self.source, *([self.target] if self.target and self.target.address != self.source.address else [])]
        for place in places:
            try:
                if self._fetch(place, name, observer):
                    return self.local.get(name, observer)
            except (OSError, *DAMAGED) as error:
                observer.note(f"nothing is taken from the shared store {place.address}: {describe_error(error)}")
        return None

    def put(
        self,
        names: Sequence[str],
        tree: Tree,
        record: Mapping[str, Any],
        observer: Observer,
        compression: Compression = DEFAULTS,
    ) -> StoredInstall | None:
        """Store a tree in the local store, and under each name in the shared one."""
        stored = self.local.put(names, tree, record, observer, compression)
        if stored is None or self.target is None:
            return stored
        try:
            with observer.task(f"Sharing the dependencies in {self.target.address}"):
                for name in names:
                    self._share(self.target, name)
        except (OSError, *DAMAGED) as error:
            observer.note(f"the dependencies are not shared in {self.target.address}: {describe_error(error)}")
        return stored

    def claim(self, name: str, observer: Observer) -> AbstractContextManager[None]:
        """Enclose the making of a tree on this machine."""
        return self.local.claim(name, observer)

    def _fetch(self, place: StoreBucket, name: str, observer: Observer) -> bool:
        """Take an entry and its members over; ValueError when it cannot be trusted."""
        with _temporary_file(self.local) as path:
            with path.open("wb") as file:
                if not place.read(f"{ENTRIES}/{name}", file, MAX_ENTRY_BYTES):
                    return False
            head, _, entry = path.read_bytes().partition(b"\n")
        schema, _, signature = head.decode("ascii").partition(" ")
        if schema != SHARED_SCHEMA:
            raise ValueError(f"entry {name} was written by another program")
        if not self.keys.is_trusted(entry, signature):
            raise ValueError(f"entry {name} is not signed by a key that this project trusts")
        content, blob, size = check_entry(entry, name)
        with _temporary_file(self.local) as path, observer.task(f"Fetching the dependencies from {place.address}"):
            with path.open("wb") as file:
                if not place.read(f"{MEMBERS}/{blob}", file, size):
                    raise ValueError(f"the members of entry {name} are missing")
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != blob:
                    raise ValueError(f"the members of entry {name} are not those that were stored")
            self.local.copy_in(name, content, path, place.address)
        return True

    def _share(self, place: StoreBucket, name: str) -> None:
        """Write members first: an entry without them would be of no use."""
        entry, blob, members = self.local.read_entry(name)
        place.write(f"{MEMBERS}/{blob}", members, bytes.fromhex(blob), replaces=False)
        data = f"{SHARED_SCHEMA} {self.keys.sign(entry)}\n".encode() + entry
        with _temporary_file(self.local) as path:
            path.write_bytes(data)
            place.write(f"{ENTRIES}/{name}", path, hashlib.sha256(data).digest(), replaces=False)


@contextmanager
def _temporary_file(local: LocalTrees) -> Iterator[Path]:
    """Lend a path on the file system of the local store."""
    path = local.scratch / temporary_name()
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def open_shared_trees(
    local: LocalTrees, source: StoreBucket, target: StoreBucket | None, keys: StoreKeys
) -> SharedTrees:
    """Return the two stores as one; what came from elsewhere counts in the local one only while that is set."""
    addresses = {source.address, *([target.address] if target else [])}
    return SharedTrees(replace(local, sources=frozenset(addresses)), source, target, keys)
