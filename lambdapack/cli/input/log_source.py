"""Opens the text for `explain`: from the command line, a file, standard input or a function's log."""

import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE

if TYPE_CHECKING:
    from lambdapack.cli.input.resources import AwsOptions
    from lambdapack.events import Observer
    from lambdapack.explain.log import LogSource

LOG_FILE_NAME = r"(?i)[^\s:'\"]+\.(?:log|txt|jsonl?|csv|gz|out|zip)"
"""One word that is nothing else: a message is longer."""

GZIP_MAGIC = b"\x1f\x8b"
BINARY_MAGICS = (b"PK\x03\x04", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")

_SINCE_FORM = r"(\d{1,6})\s*([smhdw])"
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_since(text: str) -> int:
    """Return the seconds of 30m, 1h, 2d; LP001 for what is no time."""
    match = re.fullmatch(_SINCE_FORM, text.strip().lower())
    if match is None:
        raise LambdapackError(USAGE, f"--since {text} is not a duration", hint="Pass 30m, 1h, 2d or 1w.")
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def is_existing_file(word: str) -> bool:
    """Tell whether a word names a file that is there; a long message names none."""
    try:
        return bool(word) and "\n" not in word and Path(word).is_file()
    except (OSError, ValueError):
        return False


@contextmanager
def open_text(word: str | None) -> "Iterator[LogSource]":
    """Open what the argument names, standard input without one; LP001 when nothing is given, LP007 for bad bytes."""
    name = "standard input" if word in {None, "-"} else str(word)
    try:
        if word is None and sys.stdin.isatty():
            raise LambdapackError(USAGE, "no text to explain", hint="Pass a message, a file, or - for stdin.")
        if word is None or word == "-":
            yield _text_stream(cast("BufferedReader", sys.stdin.buffer), name)
        elif is_existing_file(word):
            with Path(word).open("rb") as file:
                yield _text_stream(file, name)
        else:
            _refuse_missing_file(word)
            yield BytesIO(word.encode("utf-8", "surrogateescape"))
    except (OSError, EOFError) as error:
        raise LambdapackError(BAD_TARGET, f"{name}: {error}", hint="Check the file; `gzip -t` tests a .gz.") from error


def _refuse_missing_file(word: str) -> None:
    """What looks like a file and is not there is a slip, and a directory is no message."""
    if not word.strip():
        raise LambdapackError(USAGE, "the text is empty", hint="Pass a message, a file, or - for stdin.")
    if re.fullmatch(LOG_FILE_NAME, word):
        raise LambdapackError(USAGE, f"{word}: there is no such file", hint="Pass a message, a file, or - for stdin.")
    if "\n" not in word and len(word) < 256 and Path(word).is_dir():
        raise LambdapackError(USAGE, f"{word} is a directory", hint=f"Run `lambdapack verify {word}`.")


def _text_stream(file: BufferedReader, name: str) -> "LogSource":
    """CloudWatch's exports to S3 are gzip; a zip or an addon is to be verified."""
    head = file.peek(4)[:4]
    if head.startswith(BINARY_MAGICS):
        raise LambdapackError(USAGE, f"{name} is a binary file, not text", hint="Run `lambdapack verify TARGET`.")
    return GzipStream(file) if head.startswith(GZIP_MAGIC) else file


@contextmanager
def open_function_log(function: str, since: str, place: "AwsOptions", observer: "Observer") -> "Iterator[LogSource]":
    """Give the log of a function, page by page as it is read; LP416 when there is none."""
    begin = max(0, round((time.time() - parse_since(since)) * 1000))
    cloud = place.connect()
    with observer.task(f"Reading the log of {function}") as advance:
        yield ByteStream(_encode_messages(cloud.log_events(function, begin), advance))


def _encode_messages(messages: Iterable[str], advance: Any) -> Iterator[bytes]:
    for message in messages:
        advance(1)
        yield message.encode("utf-8", "surrogatepass") + b"\n"


class GzipStream:
    """A gzip file, read as a file is; EOFError and OSError for one that is cut short or broken."""

    def __init__(self, file: BufferedReader) -> None:
        """Take the file at its first byte."""
        import gzip  # noqa: PLC0415  # for exports of CloudWatch alone

        self._file = gzip.GzipFile(fileobj=file)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, nothing at the end."""
        import zlib  # noqa: PLC0415

        try:
            return self._file.read(size)
        except zlib.error as error:
            raise OSError(str(error)) from error


class ByteStream:
    """Pieces of bytes, read as a file is."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces in their order; they are asked for one by one."""
        self._pieces = pieces
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, nothing at the end."""
        parts, length = [self._held], len(self._held)
        while length < size and (more := next(self._pieces, None)) is not None:
            parts.append(more)
            length += len(more)
        whole = b"".join(parts)
        self._held = whole[size:]
        return whole[:size]
