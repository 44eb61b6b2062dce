"""A command's output as clean lines, passed on as they come; the last ones are kept. Never keeps a secret."""

import re
from collections import deque
from collections.abc import Callable, Iterable

from lambdapack.credentials import mask_credentials, mask_words
from lambdapack.events import Observer

MAX_KEPT_LINES = 4000
"""Lines remembered for the recognition of a failure; a C++ compile prints hundreds after its first error."""

MAX_LINE_BYTES = 64 * 1024
"""A line is cut here, so that a program without line ends cannot fill the memory."""

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Transcript:
    """A `Stream` that turns bytes into clean lines: no control characters, no secrets, no progress redraws."""

    def __init__(
        self, observer: Observer, secrets: Iterable[str] = (), reader: Callable[[str], None] | None = None
    ) -> None:
        """Pass each line to `observer` and `reader`; `secrets` are replaced wherever they stand in a line."""
        self._observer = observer
        self._secrets = tuple(secrets)
        self._partial: dict[str, bytes] = {}
        self._lines: deque[str] = deque(maxlen=MAX_KEPT_LINES)
        self._reader = reader

    def __call__(self, source: str, data: bytes, /) -> None:
        """Take what came from "stdout" or "stderr"."""
        *whole, rest = (self._partial.get(source, b"") + data).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            whole, rest = [*whole, rest], b""
        self._partial[source] = rest
        for line in whole:
            self._take(line)

    def close(self) -> None:
        """Take what was printed without a line end."""
        partial, self._partial = self._partial, {}
        for rest in partial.values():
            if rest:
                self._take(rest)

    @property
    def lines(self) -> tuple[str, ...]:
        """The last lines of both streams, in the order in which they came."""
        return tuple(self._lines)

    def _take(self, raw: bytes) -> None:
        text = raw[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
        text = _CONTROL.sub("", _ESCAPE.sub("", text.rpartition("\r")[2])).rstrip()
        text = mask_credentials(mask_words(text, self._secrets))
        if self._reader is not None:
            self._reader(text)
        self._lines.append(text)
        self._observer.line(text)
