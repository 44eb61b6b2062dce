"""A file tree in memory that becomes the same tar, byte for byte, whenever and wherever it is written."""

import hashlib
import io
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Final

EPOCH: Final = 315532800
"""1980-01-01 UTC, the modification time of every entry, in seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory (no content, no link), a file or a symbolic link."""

    mode: int
    content: bytes | None = None
    link: str | None = None


class Layer:
    """Entries by path, without a leading slash. A later entry replaces an earlier one."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __getitem__(self, path: str) -> Entry:
        return self._entries[path]

    def paths(self) -> Iterator[str]:
        """Every path so far, in byte order."""
        return iter(sorted(self._entries, key=str.encode))

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory, and those above it with mode 755."""
        self._parents(path)
        self._entries[path] = Entry(mode)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add or replace a file."""
        self._parents(path)
        self._entries[path] = Entry(mode, content=content)

    def symlink(self, path: str, target: str) -> None:
        """Add or replace a symbolic link."""
        self._parents(path)
        self._entries[path] = Entry(0o777, link=target)

    def unpack(self, archive: tarfile.TarFile, place: Callable[[str], str | None]) -> None:
        """Add the archive's entries where `place` says; None leaves one out. Hard links become copies."""
        for member in archive:
            path = place(posixpath.normpath(member.name).lstrip("/"))
            if path is None or path == ".":
                continue
            mode = stat.S_IMODE(member.mode)
            if member.isdir():
                self.directory(path, mode)
            elif member.issym():
                self.symlink(path, member.linkname)
            elif member.isfile() or member.islnk():
                self.file(path, _content(archive, member), mode)

    def write(self, stream: IO[bytes]) -> str:
        """Write the tar; its SHA-256 in hexadecimal is the layer's diff id."""
        digest = _Digesting(stream)
        with tarfile.open(fileobj=digest, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as archive:
            for path in self.paths():
                entry = self._entries[path]
                archive.addfile(_header(path, entry), io.BytesIO(entry.content or b""))
        return digest.sha256.hexdigest()

    def _parents(self, path: str) -> None:
        for parent in PurePosixPath(path).parents:
            self._entries.setdefault(str(parent), Entry(0o755))
        self._entries.pop(".", None)


class _Digesting(io.RawIOBase):
    """Passes bytes on and hashes them on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self.sha256 = hashlib.sha256()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # tarfile hands over bytes only
        self.sha256.update(data)
        return self._stream.write(data)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _header(path: str, entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.mode, header.mtime = entry.mode, EPOCH
    if entry.link is not None:
        header.type, header.linkname = tarfile.SYMTYPE, entry.link
    elif entry.content is None:
        header.type = tarfile.DIRTYPE
    else:
        header.size = len(entry.content)
    return header


def relocated(moves: Mapping[str, str | None]) -> Callable[[str], str | None]:
    """A `place` for `Layer.unpack`: the longest prefix wins; None, or no prefix at all, leaves out."""
    ordered = sorted(moves.items(), key=lambda move: -len(move[0]))

    def place(path: str) -> str | None:
        for prefix, target in ordered:
            if not prefix or path == prefix or path.startswith(prefix + "/"):
                return None if target is None else posixpath.join(target, path[len(prefix) :].lstrip("/")).rstrip("/")
        return None

    return place
