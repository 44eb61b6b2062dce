"""The two digests that name a package. Neither depends on times, owners or the order of a file system.

The content digest is the SHA-256 of the line "lambdapack/content/1" and one record for each member of the zip, in
byte order of the member names: kind, mode in octal, SHA-256 of the bytes in hex, name, parted by spaces, ended by a
zero byte. A symlink's bytes are its target; a directory (an empty one: others are no members) has none.
"""

import base64
import hashlib
from pathlib import Path

from lambdapack.errors import BAD_TARGET, LambdapackError
from lambdapack.pack.member import Member, digest_of, members
from lambdapack.tree.entry import Tree

HEADER = b"lambdapack/content/1\n"


class ContentDigest:
    """Takes members in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(HEADER)

    def add(self, member: Member, sha256: bytes) -> None:
        """Take the next member."""
        words = f"{member.entry.kind.value} {member.permissions:o} {sha256.hex()} "
        self._hash.update(words.encode() + member.name.encode() + b"\0")

    def text(self) -> str:
        """Return "sha256:..."."""
        return f"sha256:{self._hash.hexdigest()}"


def content_digest(tree: Tree) -> str:
    """Return the content digest that a zip of a tree has, without making one."""
    digest = ContentDigest()
    for member in members(tree):
        with member.contents(tree) as data:
            digest.add(member, digest_of(data))
    return digest.text()


def code_digest(path: Path) -> str:
    """Return AWS's CodeSha256 of a zip: base64 of the SHA-256 of its bytes; LP007 when it cannot be read."""
    try:
        with path.open("rb") as file:
            return base64_of(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror}") from error


def base64_of(sha256: bytes) -> str:
    """Return a digest as AWS writes it."""
    return base64.b64encode(sha256).decode("ascii")
