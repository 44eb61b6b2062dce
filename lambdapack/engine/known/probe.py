"""Asks a container engine on a unix socket for one thing, without its SDK: who it is, or which image a name means."""

from __future__ import annotations

import json
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes as long as an answer does
    from collections.abc import Mapping
    from typing import Any

PROBE_SECONDS = 10.0
"""How long an answer may take."""

MAX_ANSWER_BYTES = 4 * 1024**2
"""Bytes of an answer: what inspecting an image gives is some kilobytes."""

OK, NOT_FOUND = 200, 404


class NoAnswerError(Exception):
    """Nobody answers at the socket, or not as an engine does. The message is one clause for people."""


def probe_version(path: str) -> Mapping[str, Any]:
    """Return what the engine at a socket says of itself. NoAnswerError."""
    status, answer = _request(path, "/version")
    if status != OK:
        raise NoAnswerError(f"it answered with status {status}")
    return answer


def probe_image(path: str, reference: str) -> str:
    """Return the engine's own id of an image, "" when it holds none of that name. NoAnswerError."""
    status, answer = _request(path, f"/images/{_quote_reference(reference)}/json")
    if status == NOT_FOUND:
        return ""
    identity = answer.get("Id")
    if status != OK or not isinstance(identity, str):
        raise NoAnswerError(f"it answered with status {status}")
    return identity


def _request(path: str, target: str) -> tuple[int, Mapping[str, Any]]:
    """Send one request as HTTP/1.0, whose answer ends with the connection."""
    if not hasattr(socket, "AF_UNIX"):
        raise NoAnswerError("this system has no unix sockets")
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PROBE_SECONDS)
            connection.connect(path)
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: engine\r\nConnection: close\r\n\r\n".encode())
            answer = _read_all(connection)
    except OSError as error:
        raise NoAnswerError(str(error.strerror or error)) from error
    return _parse_answer(answer)


def _read_all(connection: socket.socket) -> bytes:
    answer = bytearray()
    while len(answer) < MAX_ANSWER_BYTES:
        data = connection.recv(65536)
        if not data:
            break
        answer += data
    return bytes(answer)


def _parse_answer(answer: bytes) -> tuple[int, Mapping[str, Any]]:
    head, separator, body = answer.partition(b"\r\n\r\n")
    words = head.split(b"\r\n")[0].split()
    try:
        status = int(words[1])
        document = json.loads(_join_chunks(body) if b"transfer-encoding: chunked" in head.lower() else body)
    except (IndexError, ValueError, RecursionError) as error:
        raise NoAnswerError("it does not answer as a container engine does") from error
    if not separator or not isinstance(document, dict):
        raise NoAnswerError("it does not answer as a container engine does")
    return status, document


def _join_chunks(body: bytes) -> bytes:
    """Return the content of a chunked body, which a relay may send even to HTTP/1.0. ValueError when it is cut."""
    content = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            return bytes(content)
        content += rest[:length]
        body = rest[length + 2 :]
    raise ValueError("the last chunk is missing")


def _quote_reference(reference: str) -> str:
    """Return a reference as a part of a URL; nearly all consist of signs that mean themselves there."""
    return "".join(map(_quote_sign, reference))


def _quote_sign(sign: str) -> str:
    if sign.isascii() and (sign.isalnum() or sign in "/:@._-"):
        return sign
    return "".join(f"%{byte:02X}" for byte in sign.encode())
