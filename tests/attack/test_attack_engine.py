"""A server in the engine's place that answers garbage: every command ends in seconds, with a named failure."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.packages import HostilePackage, write_project
from tests.command import lambdapack

SECONDS = 30.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
VERSION = json.dumps({"Version": "20", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"})

Answer = Callable[[socket.socket, bytes], None]


def whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def noise(client: socket.socket, _request: bytes) -> None:
    client.sendall(os.urandom(5000))


def null(client: socket.socket, _request: bytes) -> None:
    client.sendall(whole(b"null"))


def endless(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"\r\n")
    while True:
        client.sendall(b"[" * 65536)


def dripping(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        client.sendall(b"1\r\n[\r\n")
        time.sleep(0.2)


def only_a_version(body: bytes) -> Answer:
    def answer(client: socket.socket, request: bytes) -> None:
        while request:
            client.sendall(whole(VERSION.encode() if b"/version" in request else body))
            request = client.recv(65536)

    return answer


ANSWERS: dict[str, Answer] = {
    "noise": noise,
    "null": null,
    "endless": endless,
    "dripping": dripping,
    "lists": only_a_version(b"[]"),
    "records": only_a_version(b'{"Id": {"a": []}, "RootFS": [1], "State": 5, "Volumes": "x"}'),
    "numbers": only_a_version(b"12345"),
    "cut": only_a_version(b'{"Id": "'),
    "deep": only_a_version(b"[" * 100_000),
}
SAMPLE = frozenset(("endless", "records"))


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Answer every connection in a thread of its own."""

    def talk(client: socket.socket) -> None:
        with client:
            try:
                answer(client, client.recv(65536))
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "name", [pytest.param(key, marks=[] if key in SAMPLE else [pytest.mark.full]) for key in ANSWERS]
)
def test_a_server_that_is_no_engine_is_told_in_time(name: str, tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", HostilePackage("x"))
    with served(ANSWERS[name]) as address:
        begun = time.monotonic()
        done = lambdapack("build", project, env={"DOCKER_HOST": address}, timeout=120)
    assert done.returncode == 3, done.stderr
    assert "LP999" not in done.stderr
    assert time.monotonic() - begun < SECONDS
