"""Tree to zip. The bytes depend on names, modes, contents and the compressor's version, on nothing else.

Zip64 records appear only where a file, the zip or the number of members needs them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from lambdapack.errors import OUTPUT, LambdapackError
from lambdapack.events import SILENT, Advance, Observer
from lambdapack.pack.archive import Archive
from lambdapack.pack.atomic import check_writable, replacing
from lambdapack.pack.compress import Packed, pack_all
from lambdapack.pack.digest import ContentDigest, base64_of
from lambdapack.pack.layout import central_header, end_records, local_header
from lambdapack.pack.member import Member, members
from lambdapack.tree.entry import Tree

SLICE = 1024 * 1024
"""Bytes that are copied at a time from a file too large to be compressed."""


def write_zip(tree: Tree, path: Path, *, observer: Observer = SILENT, workers: int | None = None) -> Archive:
    """Write a tree as the zip `path`, which is there whole or, on any failure, as it was before.

    LP009 when it cannot be written; failures of the tree pass through.
    """
    _refuse_other_files(path)
    found = members(tree)
    total = sum(each.entry.size for each in found)
    with observer.task(f"Writing {path.name}", total, "B") as advance, replacing(path) as file:
        return _Writer(file, path, tree).write(found, workers, advance)


def check_output(path: Path) -> None:
    """LP009 when `write_zip` would refuse the path, or could not write there as things are."""
    check_writable(path)
    _refuse_other_files(path)


def _refuse_other_files(path: Path) -> None:
    """LP009 where a file lies that is no zip: `--output src/index.js` is a slip of the hand."""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(2)
        if start not in (b"", b"PK"):
            hint = "Name a zip with `--output`, or remove that file first."
            raise LambdapackError(OUTPUT, f"{path}: a file that is no zip is there", hint=hint)


class _Writer:
    """One zip on its way out: everything that is written passes through one place, which counts and hashes it."""

    def __init__(self, file: BinaryIO, path: Path, tree: Tree) -> None:
        self._file = file
        self._path = path
        self._tree = tree
        self._hash = hashlib.sha256()
        self._offset = 0

    def write(self, found: list[Member], workers: int | None, advance: Advance) -> Archive:
        content = ContentDigest()
        directory = bytearray()
        unzipped = 0
        with closing(pack_all(self._tree, found, workers)) as stream:
            for packed in stream:
                directory += central_header(packed, self._offset)
                for piece in self._pieces(packed):
                    self._put(piece)
                content.add(packed.member, packed.sha256)
                unzipped += packed.size
                advance(packed.member.entry.size)
        self._put(bytes(directory))
        self._put(end_records(len(found), len(directory), self._offset - len(directory)))
        self._file.flush()
        code = base64_of(self._hash.digest())
        return Archive(self._path, code, content.text(), self._offset, unzipped, len(found))

    def _pieces(self, packed: Packed) -> Iterator[bytes | bytearray | memoryview]:
        yield local_header(packed)
        if packed.data is not None:
            yield packed.data
            return
        with packed.member.contents(self._tree) as data:
            for start in range(0, len(data), SLICE):
                yield data[start : start + SLICE]

    def _put(self, piece: bytes | bytearray | memoryview) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self._offset += len(piece)
