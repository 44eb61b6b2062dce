"""A raw connection of the engine and its frames of stdout and stderr. Closing it hangs up."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

Receive = Callable[[int], bytes]
"""Read at most so many bytes; b"" at the end."""

FRAME_HEADER_BYTES = 8
"""One byte of source, three of padding, four of big-endian length (Docker Engine API, ContainerAttach)."""

MAX_FRAME_CHUNK_BYTES = 65536

STREAM_NAMES = {0: "stdout", 1: "stdout", 2: "stderr"}
"""0 is stdin, which the engine writes back on stdout; 3 is the engine's own voice."""


def read_frames(receive: Receive) -> Iterator[tuple[str, bytes]]:
    """Yield source and data as they come. A stream that is cut anywhere simply ends."""
    while len(header := _receive_exactly(receive, FRAME_HEADER_BYTES)) == FRAME_HEADER_BYTES:
        left = int.from_bytes(header[4:])
        while left:
            data = receive(min(left, MAX_FRAME_CHUNK_BYTES))
            if not data:
                return
            left -= len(data)
            yield STREAM_NAMES.get(header[0], "stderr"), data


def _receive_exactly(receive: Receive, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := receive(size - len(data))):
        data += more
    return data


SEND_NOW_BYTES = 32 * 1024
"""Bytes sent before anything is read: less than any pipe or socket holds. An SSL object serves one thread at a time."""

MAX_QUEUED_FRAMES = 256
"""Frames read ahead of their consumer."""


class Wire:
    """A hijacked HTTP connection, whatever the transport: unix socket, TCP, TLS, ssh, named pipe."""

    def __init__(self, handle: Any) -> None:
        """Take over what the SDK calls a socket; it and its response are kept, since dropping them hangs up."""
        self._handle = handle
        self._raw = getattr(handle, "_sock", None) or handle
        with contextlib.suppress(Exception):  # a pipe to ssh has no timeouts
            self._raw.settimeout(None)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._raw.sendall(data)

    def receive(self, size: int) -> bytes:
        """Return at most `size` bytes, b"" at the end, however that came."""
        try:
            return bytes(self._raw.recv(size) or b"")
        except Exception:  # noqa: BLE001  # each transport has its own way to say that it ended
            return b""

    def patience(self, seconds: float) -> None:
        """Make receive() end after so long without data, where the transport can."""
        with contextlib.suppress(Exception):
            self._raw.settimeout(seconds)

    def close(self) -> None:
        """Hang up, waking a thread that reads."""
        with contextlib.suppress(Exception):
            self._raw.shutdown(socket.SHUT_RDWR)
        for stream in (getattr(self._handle, "_response", self._raw), self._handle, self._raw):
            with contextlib.suppress(Exception):
                stream.close()


Frame = tuple[str, bytes]


class FrameReader:
    """Reads a wire on a thread of its own, so that its consumer can look at the clock and be interrupted."""

    def __init__(self, wire: Wire) -> None:
        """Start nothing yet: send() does."""
        self._wire = wire
        self._queue: queue.Queue[Frame | None] = queue.Queue(MAX_QUEUED_FRAMES)
        self._stopped = threading.Event()

    def send(self, data: bytes) -> None:
        """Send `data`, all of it before reading when it is small, and begin to read."""
        if len(data) > SEND_NOW_BYTES:
            self._start(self._send_all, data)
        else:
            self._send_all(data)
        self._start(self._read)

    def ticks(self, patience: Callable[[], float]) -> Iterator[Frame | None]:
        """Yield frames to the end of the stream, and None whenever there was none for `patience()` seconds."""
        while True:
            try:
                frame = self._queue.get(timeout=max(patience(), 0.001))
            except queue.Empty:
                yield None
                continue
            if frame is None:
                return
            yield frame

    def close(self) -> None:
        """Hang up and let the threads end."""
        self._stopped.set()
        self._wire.close()

    def _start(self, target: Any, *arguments: Any) -> None:
        threading.Thread(target=target, args=arguments, name="lambdapack-wire", daemon=True).start()

    def _send_all(self, data: bytes) -> None:
        with contextlib.suppress(Exception):  # a program may end before it has read everything
            self._wire.send(data)

    def _read(self) -> None:
        for frame in read_frames(self._wire.receive):
            if not self._put(frame):
                return
        self._put(None)

    def _put(self, item: Frame | None) -> bool:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.5)
                return True
        return False


class UploadBody:
    """A body that remembers what went wrong in it: requests calls every OSError a broken connection."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        """Send what `chunks` yield."""
        self._chunks = chunks
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except Exception as error:
            self.failed = error
            raise
