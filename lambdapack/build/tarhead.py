"""The first member of a tar stream, read from its first kilobytes. Never reads the rest."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

ELF_MAGIC = b"\x7fELF"


class ChunkReader(io.RawIOBase):
    """A stream of chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        """Read nothing yet."""
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while size < 0 or len(self._rest) < size:
            more = next(self._chunks, b"")
            if not more:
                break
            self._rest += more
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


@dataclass(frozen=True, slots=True)
class Head:
    """What the first member is."""

    link: str = ""  # where it points, when it is a symlink
    machine: int | None = None  # e_machine, when it is a little-endian ELF file


def head(chunks: Iterator[bytes]) -> Head:
    """Return what the first member is; an empty Head for no tar stream, a directory, or anything else than ELF."""
    try:
        with tarfile.open(fileobj=ChunkReader(chunks), mode="r|", bufsize=tarfile.BLOCKSIZE) as stream:
            member = stream.next()
            if member is None or member.issym():
                return Head(link=member.linkname if member else "")
            file = stream.extractfile(member)
            start = file.read(64) if file else b""
    except tarfile.TarError:
        return Head()
    if len(start) < 20 or not start.startswith(ELF_MAGIC):
        return Head()
    return Head(machine=int.from_bytes(start[18:20], "little"))
