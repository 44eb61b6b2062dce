"""A tar stream that was written to one file, read by offset. Never unpacks, never follows a link."""

import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lambdapack.errors import BAD_TARGET, LambdapackError
from lambdapack.tree.entry import Entry, Kind
from lambdapack.tree.index import file_entry, index
from lambdapack.tree.mapped import MappedFile, lend
from lambdapack.tree.names import admitted, refused, target_objection

Place = tuple[int, int]
"""Offset and size of a file's bytes in the spool."""

Keep = Callable[[str, bool], bool]
"""Tells whether a path belongs to the tree, as for a directory; the second argument is True for a directory."""


class SpoolTree:
    """The entries of a tar file, open until `close`."""

    def __init__(self, path: Path, strip: str = "", *, keep: Keep | None = None) -> None:
        """Index it; `strip` is the directory that an engine puts before every name. What `keep` refuses is not there.

        LP007 when it is no tar or is cut off, LP008 when an entry must not be unpacked or lies outside `strip`.
        """
        self._file = MappedFile(path)
        try:
            entries, self._places = _read(self._file, strip.strip("/"), keep)
            self.entries = index(entries, path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def view(self, path: str) -> Iterator[memoryview]:
        """Lend a file's bytes: a slice of the mapped spool."""
        file_entry(self.entries, path)
        with lend(self._file.piece(*self._places[path])) as data:
            yield data

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _read(file: MappedFile, strip: str, keep: Keep | None) -> tuple[list[Entry], Mapping[str, Place]]:
    entries: list[Entry] = []
    places: dict[str, Place] = {}
    for member in _members(file):
        path = _below(strip, member.name, file.path)
        if not path or (keep is not None and not keep(path, member.isdir())):
            continue
        if member.islnk():
            places[path] = _linked(member, strip, places, file.path)
        elif member.isreg():
            places[path] = _place(member, file)
        entries.append(_entry(path, member, places, file.path))
    return entries, places


def _members(file: MappedFile) -> Iterator[tarfile.TarInfo]:
    """Give the members; LP007 when they end anywhere but at the closing block of zeros, where tarfile is silent."""
    before = -1
    try:
        with tarfile.open(file.path, "r:", errorlevel=2) as archive:
            for member in archive:
                if member.size < 0 or archive.offset <= before:
                    raise _damaged(file.path, f"{member.name!r} has a size that cannot be")
                before = archive.offset
                yield member
            end = archive.offset
    except (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError) as error:
        raise _damaged(file.path, str(error)) from error
    except OSError as error:
        raise LambdapackError(BAD_TARGET, f"{file.path}: {error.strerror or error}") from error
    if bytes(file.piece(end, tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        raise _damaged(file.path, f"no entry can be read at offset {end}")


def _below(strip: str, name: str, where: Path) -> str:
    """Return a name without the engine's leading directory, "" for that directory itself."""
    path = admitted(name, where)
    if not strip or not path:
        return path
    if path != strip and not path.startswith(f"{strip}/"):
        raise refused(where, name, f"it lies outside {strip!r}")
    return path[len(strip) + 1 :]


def _linked(member: tarfile.TarInfo, strip: str, places: Mapping[str, Place], where: Path) -> Place:
    """Return the bytes that a hard link shares with an earlier file; podman names that one without the prefix."""
    target = admitted(member.linkname, where)
    for path in (target.removeprefix(f"{strip}/") if strip else target, target):
        if path in places:
            return places[path]
    raise refused(where, member.name, f"it is a hard link to {member.linkname!r}, which is no file before it")


def _place(member: tarfile.TarInfo, file: MappedFile) -> Place:
    if member.issparse():
        raise _damaged(file.path, f"{member.name!r} is stored sparse")
    if member.offset_data + member.size > file.size:
        raise _damaged(file.path, f"it is cut off in {member.name!r}")
    return member.offset_data, member.size


def _entry(path: str, member: tarfile.TarInfo, places: Mapping[str, Place], where: Path) -> Entry:
    mode = member.mode & 0o777
    if path in places:
        return Entry(path, Kind.FILE, mode, places[path][1])
    if member.isdir():
        return Entry(path, Kind.DIRECTORY, mode, 0)
    if not member.issym():
        raise refused(where, member.name, "it is a pipe, a device or of a kind that no file system knows")
    reason = target_objection(member.linkname)
    if reason is not None:
        raise refused(where, member.name, reason)
    return Entry(path, Kind.SYMLINK, 0o777, 0, member.linkname)


def _damaged(path: Path, cause: str) -> LambdapackError:
    return LambdapackError(BAD_TARGET, f"{path}: {cause}", hint=f"Make it again; `tar -tf {path}` tests it.")
