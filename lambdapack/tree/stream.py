"""A tree as a tar stream for an engine. The same tree gives the same bytes; nothing of this host is in them."""

import tarfile
from collections.abc import Iterator

from lambdapack.tree.entry import Entry, Kind, Tree
from lambdapack.tree.index import ancestors
from lambdapack.tree.names import objection, refused

EPOCH = 315532800
"""1980-01-01T00:00:00Z in Unix seconds, the oldest time that a zip can hold: one date everywhere."""

CHUNK = 256 * 1024
"""Bytes of a chunk: large enough that an HTTP connection is not the brake, small enough to hold many."""


def tar_chunks(tree: Tree, prefix: str = "", owner: tuple[int, int] = (0, 0)) -> Iterator[bytes]:
    """Give the bytes of a tar of a tree below `prefix`, in bounded memory.

    Modes are the entries' own (compose.readable makes them 644 and 755). Every directory comes once and before what it
    holds; of `prefix` only the last directory has an entry: one for /tmp or /var would change those of the container.
    """
    reason = objection(prefix) if prefix else None
    if reason is not None:
        raise refused("prefix", prefix, reason)
    pending = bytearray()
    for piece in _pieces(tree, f"{prefix}/" if prefix else "", owner):
        pending += piece
        if len(pending) >= CHUNK:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending + bytes(2 * tarfile.BLOCKSIZE))


def _pieces(tree: Tree, prefix: str, owner: tuple[int, int]) -> Iterator[bytes]:
    if prefix:
        yield _header(Entry(prefix, Kind.DIRECTORY, 0o755, 0), "", owner)
    known: set[str] = set()
    for path, entry in tree.entries.items():
        for parent in reversed(list(ancestors(path, known))):
            yield _header(Entry(parent, Kind.DIRECTORY, 0o755, 0), prefix, owner)
        if entry.kind is not Kind.DIRECTORY or path not in known:
            known.add(path)
            yield _header(entry, prefix, owner)
        if entry.kind is Kind.FILE:
            yield from _contents(tree, entry)


def _contents(tree: Tree, entry: Entry) -> Iterator[bytes]:
    with tree.view(entry.path) as data:
        for start in range(0, len(data), CHUNK):
            yield bytes(data[start : start + CHUNK])
    yield bytes(-entry.size % tarfile.BLOCKSIZE)


def _header(entry: Entry, prefix: str, owner: tuple[int, int]) -> bytes:
    member = tarfile.TarInfo(prefix + entry.path.rstrip("/"))
    member.mtime = EPOCH
    member.uid, member.gid = owner
    member.size = entry.size
    member.mode = entry.mode
    match entry.kind:
        case Kind.DIRECTORY:
            member.type = tarfile.DIRTYPE
        case Kind.SYMLINK:
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        case Kind.FILE:
            pass
    return member.tobuf(tarfile.PAX_FORMAT, encoding="utf-8", errors="strict")
