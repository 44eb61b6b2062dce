"""The members of a zip in byte order, and the content and code digests that name it. Independent of times and owners.

The content digest is the SHA-256 of the line "lambdapack/content/1" and one record for each member of the zip, in
byte order of the member names: kind, mode in octal, SHA-256 of the bytes in hex and name, separated by spaces and ended
by a zero byte. A symlink's bytes are its target; a directory (only empty ones are members) has none.
"""

import base64
import hashlib
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET
from lambdapack.tree.entry import Entry, EntryKind, Tree, ancestors, lend, portable_mode


@dataclass(frozen=True, slots=True)
class ZipMember:
    """An entry as a member of a zip."""

    name: str  # the entry's path; a directory's ends in "/"
    entry: Entry

    @property
    def permissions(self) -> int:
        """The permission bits, the same on every host and under any umask."""
        return portable_mode(self.entry)

    @property
    def mode(self) -> int:
        """The permissions with the type bits of a Unix file."""
        match self.entry.kind:
            case EntryKind.FILE:
                return stat.S_IFREG | self.permissions
            case EntryKind.SYMLINK:
                return stat.S_IFLNK | self.permissions
            case EntryKind.DIRECTORY:
                return stat.S_IFDIR | self.permissions

    def contents(self, tree: Tree) -> AbstractContextManager[memoryview]:
        """Give a view of the bytes: a file's contents, a link's target, nothing for a directory."""
        return tree.view(self.entry.path) if self.entry.kind is EntryKind.FILE else lend(self.entry.target.encode())


def zip_members(tree: Tree) -> list[ZipMember]:
    """Return the members of a zip of a tree, in byte order of their names.

    Only empty directories have a member, since a program may write into one; others are implied by their contents.
    """
    filled: set[str] = set()
    for path in tree.entries:
        for _parent in ancestors(path, filled):
            pass
    members = [
        ZipMember(f"{path}/" if entry.kind is EntryKind.DIRECTORY else path, entry)
        for path, entry in tree.entries.items()
        if entry.kind is not EntryKind.DIRECTORY or path not in filled
    ]
    return sorted(members, key=lambda member: member.name)


def sha256_digest(data: memoryview) -> bytes:
    """Return the SHA-256 of a member's bytes."""
    return hashlib.sha256(data).digest()


CONTENT_DIGEST_HEADER = b"lambdapack/content/1\n"


class ContentDigest:
    """Computes the content digest from members, added in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(CONTENT_DIGEST_HEADER)

    def add(self, member: ZipMember, sha256: bytes) -> None:
        """Add the next member."""
        words = f"{member.entry.kind.value} {member.permissions:o} {sha256.hex()} "
        self._hash.update(words.encode() + member.name.encode() + b"\0")

    def text(self) -> str:
        """Return "sha256:..."."""
        return f"sha256:{self._hash.hexdigest()}"


def content_digest(tree: Tree) -> str:
    """Return the content digest that a zip of a tree has, without making one."""
    digest = ContentDigest()
    for member in zip_members(tree):
        with member.contents(tree) as data:
            digest.add(member, sha256_digest(data))
    return digest.text()


def code_digest(path: Path) -> str:
    """Return AWS's CodeSha256 of a zip: base64 of the SHA-256 of its bytes; LP007 when it cannot be read."""
    try:
        with path.open("rb") as file:
            return base64_digest(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror}") from error


def base64_digest(sha256: bytes) -> str:
    """Return a digest as AWS writes it."""
    return base64.b64encode(sha256).decode("ascii")
