"""A dependency tree as the store keeps it: an index of its entries over one file of compressed members."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.events import Advance
from lambdapack.pack.digest import ZipMember
from lambdapack.pack.zip import Compression, PackedMember, pack_members
from lambdapack.tree.archive import ZIP_DEFLATED, ZIP_STORED, MappedFile
from lambdapack.tree.entry import (
    Entry,
    EntryKind,
    Tree,
    file_entry,
    index_entries,
    lend,
    path_objection,
    target_objection,
)
from lambdapack.tree.identity import SHA256_IDENTITY

PACKED_METHODS: Final = frozenset((ZIP_STORED, ZIP_DEFLATED))


@dataclass(frozen=True, slots=True)
class PackedFile:
    """Where a file's compressed bytes lie, and what they are."""

    method: int  # ZIP_STORED or ZIP_DEFLATED
    crc: int
    size: int  # bytes unpacked
    sha256: bytes  # of the unpacked bytes
    offset: int
    packed_size: int


@dataclass(frozen=True, slots=True)
class PackedIndex:
    """The entries of a packed tree and the file of its members, which has the name of its content."""

    entries: Mapping[str, Entry]
    files: Mapping[str, PackedFile]
    blob: str  # SHA-256 of the members' file, in hex
    blob_bytes: int
    compression: str  # a word of DEFLATE_LEVELS


def write_packed_tree(tree: Tree, file: BinaryIO, compression: Compression, advance: Advance) -> PackedIndex:
    """Write the compressed bytes of every file of a tree and return the index of them."""
    members = [ZipMember(path, entry) for path, entry in tree.entries.items() if entry.kind is EntryKind.FILE]
    digest, offset, files = hashlib.sha256(), 0, dict[str, PackedFile]()
    with closing(pack_members(tree, members, compression)) as stream:
        for packed in stream:
            data = packed.data
            if data is None:
                with packed.member.contents(tree) as whole:
                    file.write(whole)
                    digest.update(whole)
            else:
                file.write(data)
                digest.update(data)
            files[packed.member.name] = PackedFile(
                packed.method, packed.crc, packed.size, packed.sha256, offset, packed.packed_size
            )
            offset += packed.packed_size
            advance(packed.size)
    file.flush()
    entries = {path: _name_content(entry, files) for path, entry in tree.entries.items()}
    return PackedIndex(entries, files, digest.hexdigest(), offset, compression.level)


def _name_content(entry: Entry, files: Mapping[str, PackedFile]) -> Entry:
    """Return an entry whose identity is its content: it changes with the bytes, and with nothing else."""
    packed = files.get(entry.path)
    return replace(entry, identity=_content_identity(packed) if packed else "")


def _content_identity(packed: PackedFile) -> str:
    return f"{SHA256_IDENTITY}{packed.sha256.hex()}"


class StoredTree:
    """The entries of a packed tree, open until `close`. Its bytes were proved by their digest when it was opened."""

    def __init__(self, path: Path, index: PackedIndex) -> None:
        """Open the members; LP007 when they cannot be read or are not what the index says."""
        self.index = index
        self.entries = index.entries
        self._file = None if not index.blob_bytes else MappedFile(path)
        try:
            self._prove(path)
        except BaseException:
            self.close()
            raise

    def _prove(self, path: Path) -> None:
        size = self._file.size if self._file else 0
        data = self._file.read_range(0, size) if self._file else memoryview(b"")
        with lend(data) as whole:
            digest = hashlib.sha256(whole).hexdigest()
        data.release()
        if size != self.index.blob_bytes or digest != self.index.blob:
            raise LambdapackError(BAD_TARGET, f"{path}: its bytes are not those that were stored")

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Give a view of a file's bytes: a slice of the members' file, or inflated into memory."""
        file_entry(self.entries, path)
        packed = self.index.files[path]
        data = self._packed_bytes(packed)
        with lend(data if packed.method == ZIP_STORED else self._inflate(path, packed, data)) as contents:
            yield contents

    def find_packed(self, path: str) -> PackedFile | None:
        """Return how a file was compressed, None for anything that is no file of this tree."""
        return self.index.files.get(path)

    def packed_member(self, member: ZipMember, path: str) -> PackedMember | None:
        """Return a file of this tree as a member of a zip; None when the member is not that file."""
        packed = self.index.files.get(path)
        if packed is None or member.entry.size != packed.size or member.entry.identity != _content_identity(packed):
            return None
        return PackedMember(member, packed.method, packed.crc, packed.size, packed.sha256, self._packed_bytes(packed))

    def _packed_bytes(self, packed: PackedFile) -> memoryview:
        return self._file.read_range(packed.offset, packed.packed_size) if self._file else memoryview(b"")

    def _inflate(self, path: str, packed: PackedFile, data: memoryview) -> bytearray:
        import deflate  # noqa: PLC0415  # only when bytes are wanted

        try:
            contents: bytearray = deflate.deflate_decompress(data, packed.size)
        except deflate.DeflateError as error:
            raise LambdapackError(BAD_TARGET, f"stored file {path!r}: its compressed data are damaged") from error
        return contents

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class SplicedFiles:
    """A stored tree as a source of compressed members for a zip that has it below a directory."""

    tree: StoredTree
    prefix: str = ""  # directory of the zip in which the tree lies: "nodejs" for a layer
    changed: frozenset[str] = field(default_factory=frozenset)  # paths of the zip whose bytes are others by now

    def find_packed(self, member: ZipMember) -> PackedMember | None:
        """Return the stored member, None for a file of another tree or one that was changed since."""
        path = member.entry.path
        if path in self.changed or (self.prefix and not path.startswith(f"{self.prefix}/")):
            return None
        return self.tree.packed_member(member, path[len(self.prefix) + 1 :] if self.prefix else path)


KIND_LETTERS: Final = {EntryKind.FILE: "f", EntryKind.DIRECTORY: "d", EntryKind.SYMLINK: "l"}


def index_to_document(index: PackedIndex) -> dict[str, Any]:
    """Return an index as JSON values."""
    return {
        "blob": index.blob,
        "bytes": index.blob_bytes,
        "compression": index.compression,
        "entries": [_row_of_entry(entry, index.files.get(entry.path)) for entry in index.entries.values()],
    }


def _row_of_entry(entry: Entry, packed: PackedFile | None) -> list[Any]:
    row: list[Any] = [entry.path, KIND_LETTERS[entry.kind], entry.mode]
    if packed is None:
        return [*row, entry.target]
    return [*row, packed.size, packed.method, packed.crc, packed.sha256.hex(), packed.offset, packed.packed_size]


def index_from_document(document: Mapping[str, Any]) -> PackedIndex:
    """Return the index of JSON values; ValueError, KeyError or TypeError when it is none, LP008 for a hostile path."""
    entries, files = list[Entry](), dict[str, PackedFile]()
    for row in document["entries"]:
        entry, packed = _entry_of_row(row)
        entries.append(entry)
        if packed is not None:
            files[entry.path] = packed
    blob, size, compression = document["blob"], document["bytes"], document["compression"]
    if any(file.offset < 0 or file.packed_size < 0 or file.offset + file.packed_size > size for file in files.values()):
        raise ValueError("a member lies outside the members' file")
    return PackedIndex(index_entries(entries, "stored tree"), files, str(blob), int(size), str(compression))


def _entry_of_row(row: Sequence[Any]) -> tuple[Entry, PackedFile | None]:
    path, letter, mode, *values = row
    objection = path_objection(path)
    if objection is not None:
        raise ValueError(f"{path!r}: {objection}")
    if letter == "f":
        size, method, crc, sha256, offset, packed_size = values
        if method not in PACKED_METHODS or size < 0 or (method == ZIP_STORED and size != packed_size):
            raise ValueError(f"{path!r}: it is not packed as a zip has it")
        packed = PackedFile(method, crc, size, bytes.fromhex(sha256), offset, packed_size)
        return Entry(path, EntryKind.FILE, mode & 0o777, size, "", f"{SHA256_IDENTITY}{sha256}"), packed
    target = values[0]
    if letter == "l":
        objection = target_objection(target)
        if objection is not None:
            raise ValueError(f"{path!r}: {objection}")
        return Entry(path, EntryKind.SYMLINK, 0o777, 0, target), None
    if letter != "d":
        raise ValueError(f"{path!r}: {letter!r} is no kind of entry")
    return Entry(path, EntryKind.DIRECTORY, mode & 0o777, 0), None
