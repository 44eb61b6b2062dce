"""A file of the host, mapped and lent out in pieces. Never writes."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lambdapack.errors import BAD_TARGET, LambdapackError


@contextmanager
def lend(data: bytes | bytearray | memoryview | mmap.mmap) -> Iterator[memoryview]:
    """Lend bytes for reading; a piece that somebody still holds afterwards lives on until it is dropped."""
    view = memoryview(data).toreadonly()
    try:
        yield view
    finally:
        release(view)


def release(held: memoryview | mmap.mmap) -> None:
    """Give memory back; a traceback may still hold a slice of it, then the garbage collector does it later."""
    with suppress(BufferError):
        if isinstance(held, memoryview):
            held.release()
        else:
            held.close()


class MappedFile:
    """The bytes of an archive on disk, open until `close`."""

    def __init__(self, path: Path) -> None:
        """Map the file; LP007 when it is absent, unreadable, empty or no file."""
        self.path = path
        if path.exists() and not path.is_file():
            raise LambdapackError(BAD_TARGET, f"{path}: it is not a regular file")
        try:
            with path.open("rb") as file:
                self.status = os.fstat(file.fileno())
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise LambdapackError(BAD_TARGET, f"{path}: it is empty") from error
        except OSError as error:
            raise LambdapackError(BAD_TARGET, f"{path}: {error.strerror}") from error
        self.size = len(self._map)

    def piece(self, start: int, size: int) -> memoryview:
        """Return `size` bytes from `start`; LP007 when the file ends before."""
        if not 0 <= start <= start + size <= self.size:
            raise LambdapackError(BAD_TARGET, f"{self.path}: it is cut off: {start + size} bytes are needed")
        return memoryview(self._map)[start : start + size]

    def close(self) -> None:
        """Give the file back; Windows cannot replace it before."""
        release(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
