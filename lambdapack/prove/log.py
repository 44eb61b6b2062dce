"""The function's log, as it comes from its sandbox."""

from lambdapack.events import Observer

EMULATOR = " (rapid) "
"""Marks the emulator's own lines, which Lambda does not have; they are shown only when there is no reply."""


class Log:
    """Cuts the function's log into lines and remembers the last ones."""

    def __init__(self, observer: Observer) -> None:
        """Pass lines on to an observer."""
        self._observer = observer
        self._rest = b""
        self._last: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take output, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(line)

    def end(self) -> None:
        """Say what has no line end."""
        if self._rest:
            self._say(self._rest)
            self._rest = b""

    @property
    def tail(self) -> str:
        """The last lines, the emulator's own among them."""
        return "\n".join(self._last)

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if EMULATOR not in text:
            self._observer.line(text)
        self._last = [*self._last[-19:], text]
