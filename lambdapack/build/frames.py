"""The engine's stream format: stdout and stderr in one connection. Never touches a socket itself."""

from collections.abc import Callable, Iterator

Receive = Callable[[int], bytes]
"""Read at most so many bytes; b"" at the end."""

HEADER_BYTES = 8
"""One byte of source, three of padding, four of big-endian length (Docker Engine API, ContainerAttach)."""

CHUNK_BYTES = 65536

SOURCES = {0: "stdout", 1: "stdout", 2: "stderr"}
"""0 is stdin, which the engine writes back on stdout; 3 is the engine's own voice."""


def frames(receive: Receive) -> Iterator[tuple[str, bytes]]:
    """Yield source and data as they come. A stream that is cut anywhere simply ends."""
    while len(header := _exactly(receive, HEADER_BYTES)) == HEADER_BYTES:
        left = int.from_bytes(header[4:])
        while left:
            data = receive(min(left, CHUNK_BYTES))
            if not data:
                return
            left -= len(data)
            yield SOURCES.get(header[0], "stderr"), data


def _exactly(receive: Receive, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := receive(size - len(data))):
        data += more
    return data
