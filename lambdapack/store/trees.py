"""Dependency trees of earlier installs, by name: atomic, shared by processes, proved on read, bounded."""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.pack.zip import DEFAULTS, Compression
from lambdapack.store.claims import claim_name, is_leftover, temporary_name
from lambdapack.store.packed_tree import (
    PackedIndex,
    StoredTree,
    index_from_document,
    index_to_document,
    write_packed_tree,
)
from lambdapack.tree.entry import Tree

TREE_SCHEMA: Final = "lambdapack/tree/1"

MAX_TREES_BYTES: Final = 5 * 1024**3
"""Bytes of all trees together; above, the least recently used are deleted."""

MAX_TREE_AGE_SECONDS: Final = 60 * 24 * 3600
"""Seconds after its last use from which a tree is deleted."""

UNREFERENCED_SECONDS: Final = 3600
"""Seconds for which members that no entry names are kept: another process may be about to name them."""

USE_MARK_SECONDS: Final = 3600
"""Precision of the time of last use: marking every use would cost a write."""

SOURCE_FIELD: Final = "source"
"""Of a record: the shared store that an entry came from."""

ENTRY_SUFFIX, BLOB_SUFFIX = ".entry", ".members"
DAMAGED: Final = (ValueError, KeyError, TypeError, IndexError, RecursionError, LambdapackError)


@dataclass(frozen=True, slots=True)
class StoredInstall:
    """A tree and what is known of its install. The tree can be read until `close`."""

    tree: StoredTree
    record: Mapping[str, Any]  # as it was put, JSON values
    source: str = "local"  # where it comes from: "local", or the shared store's address

    def close(self) -> None:
        """Let go of the tree's file."""
        self.tree.close()


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name of the store, as `cache show` lists it."""

    name: str
    blob: str
    size: int  # bytes of index and members
    used: float  # Unix time of its last use


class DependencyTrees(Protocol):
    """Keeps dependency trees by name. Never raises for a damaged or unreachable entry: it counts as missing."""

    def get(self, name: str, observer: Observer) -> StoredInstall | None:
        """Return the tree of a name, proved by its digest; None when there is none that can be trusted."""
        ...

    def put(
        self,
        names: Sequence[str],
        tree: Tree,
        record: Mapping[str, Any],
        observer: Observer,
        compression: Compression = DEFAULTS,
    ) -> StoredInstall | None:
        """Store a tree under each name; None, with a note, when it cannot be stored."""
        ...

    def claim(self, name: str, observer: Observer) -> AbstractContextManager[None]:
        """Enclose the making of a tree: another process that makes the same one is waited for, and that is said."""
        ...


LOCAL_SOURCE: Final = "local"


@dataclass(frozen=True, slots=True)
class LocalTrees:
    """Dependency trees in a directory of this user, which is made when something is put."""

    directory: Path
    sources: frozenset[str] = frozenset()  # addresses of shared stores from which entries count

    @property
    def _entries(self) -> Path:
        return self.directory / "entries"

    @property
    def _blobs(self) -> Path:
        return self.directory / "members"

    @property
    def _locks(self) -> Path:
        return self.directory / "locks"

    def get(self, name: str, observer: Observer) -> StoredInstall | None:
        """Return the tree of a name. One that is damaged or not this user's is said, removed and counts as missing."""
        path = self._entry_path(name)
        try:
            index, record = self._read_entry(path, name)
            source = str(record.get(SOURCE_FIELD, LOCAL_SOURCE))
            if source != LOCAL_SOURCE and source not in self.sources:
                return None  # of a shared store that this project does not trust
            tree = StoredTree(self._blob_path(index.blob), index)
        except FileNotFoundError:
            return None
        except (OSError, *DAMAGED) as error:
            observer.note(f"the stored dependencies in {path} are not used: {describe_error(error)}")
            self._drop(path)
            return None
        _mark_used(path, self._blob_path(index.blob))
        self._sweep()
        return StoredInstall(tree, record, source)

    def put(
        self,
        names: Sequence[str],
        tree: Tree,
        record: Mapping[str, Any],
        observer: Observer,
        compression: Compression = DEFAULTS,
    ) -> StoredInstall | None:
        """Store a tree under each name, whole or not at all; None, with a note, when that fails."""
        try:
            index = self._write_members(tree, compression, observer)
            content = json.dumps({"record": dict(record), "tree": index_to_document(index)}, separators=(",", ":"))
            for name in names:
                self._write(self._entry_path(name), _with_header(name, index, content.encode()))
            stored = StoredTree(self._blob_path(index.blob), index)
        except (OSError, *DAMAGED) as error:
            observer.note(f"the dependencies are not stored for the next build: {describe_error(error)}")
            return None
        self.trim()
        return StoredInstall(stored, record)

    def claim(self, name: str, observer: Observer) -> AbstractContextManager[None]:
        """Enclose the making of a tree with a file lock, which the system drops when this process dies."""
        _check_name(name)
        return claim_name(self._locks / f"{name}.lock", observer)

    def copy_in(self, name: str, content: bytes, members: Path, source: str) -> None:
        """Take over an entry and its members from elsewhere; the members' file is moved. OSError, ValueError."""
        document = json.loads(content)
        index = index_from_document(document["tree"])
        document["record"][SOURCE_FIELD] = source
        self._make_directories()
        members.replace(self._blob_path(index.blob))
        self._write(self._entry_path(name), _with_header(name, index, json.dumps(document).encode()))

    def read_entry(self, name: str) -> tuple[bytes, str, Path]:
        """Return an entry's bytes, the name of its members and their path. OSError or ValueError when it is damaged."""
        data = self._entry_path(name).read_bytes()
        _content, blob, _size = check_entry(data, name)
        return data, blob, self._blob_path(blob)

    @property
    def scratch(self) -> Path:
        """A directory for temporary files on the file system of the store."""
        self._make_directories()
        return self._blobs

    def list_entries(self) -> tuple[TreeEntry, ...]:
        """Return every entry, the least recently used first. Members that several share count for the first alone."""
        found = list[TreeEntry]()
        for path, status in _files(self._entries, ENTRY_SUFFIX):
            name = path.name.removesuffix(ENTRY_SUFFIX)
            with suppress(OSError, ValueError):
                with path.open("rb") as file:
                    blob, size = _parse_header(file.readline(1000))[1:]
                found.append(TreeEntry(name, blob, status.st_size + size, status.st_mtime))
        return tuple(sorted(found, key=lambda entry: (entry.used, entry.name)))

    def usage(self) -> tuple[int, int]:
        """Return the number of entries and the bytes of all files."""
        entries = list(_files(self._entries, ENTRY_SUFFIX))
        files = [*entries, *_files(self._blobs, "")]
        return len(entries), sum(status.st_size for _, status in files)

    def verify(self) -> tuple[tuple[str, str], ...]:
        """Read everything, remove what is damaged, and return the names and reasons of that."""
        damaged = list[tuple[str, str]]()
        for path, _status in list(_files(self._entries, ENTRY_SUFFIX)):
            name = path.name.removesuffix(ENTRY_SUFFIX)
            try:
                index, _record = self._read_entry(path, name)
                StoredTree(self._blob_path(index.blob), index).close()
            except (OSError, *DAMAGED) as error:
                damaged.append((name, describe_error(error)))
                self._drop(path)
        return tuple(damaged)

    def trim(self, largest: int = MAX_TREES_BYTES, oldest: float = MAX_TREE_AGE_SECONDS) -> tuple[int, int]:
        """Delete entries that are too old or too large, and what killed runs left; return their number and bytes."""
        now, before = time.time(), self.usage()
        entries = self.list_entries()
        kept = [entry for entry in entries if now - entry.used <= oldest]
        while kept and _total_size(kept) > largest:
            kept.pop(0)
        names = {entry.name for entry in kept}
        for entry in entries:
            if entry.name not in names:
                _remove(self._entry_path(entry.name))
        blobs = {entry.blob for entry in kept} | {entry.blob for entry in self.list_entries()}
        dropped = {entry.blob for entry in entries} - blobs
        for path, status in list(_files(self._blobs, "")):
            blob = path.name.removesuffix(BLOB_SUFFIX)
            forgotten = now - status.st_mtime > UNREFERENCED_SECONDS
            if blob in dropped or is_leftover(path.name) or (blob not in blobs and forgotten):
                _remove(path)
        for path, status in [*_files(self._entries, ""), *_files(self._locks, "")]:
            old_lock = path.parent == self._locks and now - status.st_mtime > UNREFERENCED_SECONDS
            if is_leftover(path.name) or old_lock:
                _remove(path)
        after = self.usage()
        return before[0] - after[0], before[1] - after[1]

    def _sweep(self) -> None:
        """Remove what killed processes of this host left half written."""
        for path, _status in [*_files(self._entries, ""), *_files(self._blobs, "")]:
            if is_leftover(path.name):
                _remove(path)

    def clear(self) -> tuple[int, int]:
        """Delete everything and return the number of entries and the bytes."""
        before = self.usage()
        for directory in (self._entries, self._blobs, self._locks):
            for path, _status in list(_files(directory, "")):
                _remove(path)
            with suppress(OSError):
                directory.rmdir()
        with suppress(OSError):
            self.directory.rmdir()
        after = self.usage()
        return before[0] - after[0], before[1] - after[1]

    def _read_entry(self, path: Path, name: str) -> tuple[PackedIndex, Mapping[str, Any]]:
        content, _blob, _size = _split_entry(path, name)
        document = json.loads(content)
        return index_from_document(document["tree"]), document["record"]

    def _write_members(self, tree: Tree, compression: Compression, observer: Observer) -> PackedIndex:
        """Write the members' file under the name of its content."""
        self._make_directories()
        total = sum(entry.size for entry in tree.entries.values())
        temporary = self._blobs / temporary_name()
        try:
            with observer.task("Storing the dependencies", total, "B") as advance, temporary.open("xb") as file:
                index = write_packed_tree(tree, file, compression, advance)
            path = self._blob_path(index.blob)
            temporary.replace(path)
        finally:
            _remove(temporary)
        return index

    def _write(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(temporary_name())
        try:
            with temporary.open("xb") as file:
                file.write(data)
            temporary.replace(path)
        finally:
            _remove(temporary)

    def _make_directories(self) -> None:
        for directory in (self._entries, self._blobs, self._locks):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _drop(self, path: Path) -> None:
        """Remove an entry and its members: one of them is damaged, and another entry of the same bytes is no better."""
        with suppress(OSError, ValueError), path.open("rb") as file:
            _remove(self._blob_path(_parse_header(file.readline(1000))[1]))
        _remove(path)

    def _entry_path(self, name: str) -> Path:
        return self._entries / f"{_check_name(name)}{ENTRY_SUFFIX}"

    def _blob_path(self, blob: str) -> Path:
        return self._blobs / f"{_check_name(blob)}{BLOB_SUFFIX}"


HEX_DIGITS: Final = frozenset("0123456789abcdef")


def _check_name(name: str) -> str:
    if len(name) != hashlib.sha256().digest_size * 2 or not HEX_DIGITS.issuperset(name):
        raise ValueError(f"{name!r} is no name of a stored tree")
    return name


def tree_name(key: str, recipe: str) -> str:
    """Return the name of the tree that a recipe makes of a dependency key."""
    return hashlib.sha256(f"{TREE_SCHEMA}\0{key}\0{recipe}".encode()).hexdigest()


def _with_header(name: str, index: PackedIndex, content: bytes) -> bytes:
    """Return an entry: a line with the digest of its name and content, and the members that it needs."""
    head = f"{TREE_SCHEMA} {_entry_digest(name, index.blob, index.blob_bytes, content)}"
    return f"{head} {index.blob} {index.blob_bytes}\n".encode() + content


def _entry_digest(name: str, blob: str, size: int, content: bytes) -> str:
    return hashlib.sha256(f"{name}\n{blob} {size}\n".encode() + content).hexdigest()


def _parse_header(line: bytes) -> tuple[str, str, int]:
    schema, digest, blob, size = line.decode("ascii").split(" ")
    if schema != TREE_SCHEMA:
        raise ValueError("another program wrote it")
    return digest, _check_name(blob), int(size)


def _split_entry(path: Path, name: str) -> tuple[bytes, str, int]:
    """Return content, blob and its size. ValueError when the entry is not what was written, or by somebody else."""
    with path.open("rb") as file:
        _check_owner(file)
        return check_entry(file.read(), name)


def check_entry(data: bytes, name: str) -> tuple[bytes, str, int]:
    """Return content, blob and its size of an entry's bytes; ValueError when they are not those that were written."""
    head, _, content = data.partition(b"\n")
    digest, blob, size = _parse_header(head)
    if digest != _entry_digest(name, blob, size, content):
        raise ValueError("its bytes are not those that were stored")
    return content, blob, size


def _check_owner(file: BinaryIO) -> None:
    """Refuse what another user wrote: a digest that lies beside the bytes proves nothing about who wrote both."""
    owner = os.fstat(file.fileno()).st_uid
    if hasattr(os, "geteuid") and owner != os.geteuid():
        raise ValueError(f"it belongs to the user with the number {owner}")


def describe_error(error: BaseException) -> str:
    """Return one clause that says why a store cannot be used."""
    if isinstance(error, LambdapackError):
        return error.detail
    return str(error.strerror or error) if isinstance(error, OSError) else f"it is damaged ({error})"


def _mark_used(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            if abs(path.stat().st_mtime - time.time()) > USE_MARK_SECONDS:
                os.utime(path)


def _files(directory: Path, suffix: str) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the regular files of a directory with a suffix; temporary files only for the empty suffix."""
    try:
        with os.scandir(directory) as dir_entries:
            listed = [entry for entry in dir_entries if entry.name.endswith(suffix)]
    except OSError:
        return
    for dir_entry in listed:
        with suppress(OSError):
            if dir_entry.is_file(follow_symlinks=False) and not (suffix and dir_entry.name.startswith(".")):
                yield Path(dir_entry.path), dir_entry.stat(follow_symlinks=False)


def _total_size(entries: Sequence[TreeEntry]) -> int:
    blobs = {entry.blob: entry.size for entry in entries}
    return sum(blobs.values())


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
