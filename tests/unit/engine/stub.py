"""A server that speaks just enough of the engine's API to be asked for images by the real SDK."""

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Iterable[bytes]]


def answer(value: object, status: int = 200) -> Answer:
    return status, [json.dumps(value).encode()]


def refusal(status: int, words: str) -> Answer:
    return answer({"message": words}, status)


def node_tar(machine: int) -> bytes:
    elf = (b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + machine.to_bytes(2, "little")).ljust(4096, b"\0")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as stream:
        member = tarfile.TarInfo("node")
        member.size = len(elf)
        stream.addfile(member, io.BytesIO(elf))
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path = "/" + unquote(url.path).removeprefix("/").removeprefix("v1.41/")
        asked = f"{self.command} {path}"
        stub: StubEngine = self.server.stub  # type: ignore[attr-defined]
        stub.asked.append(asked)
        found = stub.respond(asked, parse_qs(url.query), self._body())
        self.send_response(found[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Docker-Container-Path-Stat", "e30=")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in found[1]:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # named by http.server

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size + 2)[:-2]
        self.rfile.readline()
        return body

    def handle(self) -> None:
        try:
            super().handle()
        except (HangUpError, ConnectionError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class HangUpError(Exception):
    """Raised by a body: the engine dies in the middle of an answer."""


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class StubEngine:
    """Holds `held`: reference to e_machine and the platform its label claims. A pull gets the next of `pulls`."""

    def __init__(self, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self.version: dict[str, Any] = {"ApiVersion": "1.41", "Version": "20.10", "Os": "linux", "Arch": "amd64"}
        self.held: dict[str, tuple[int, str]] = {}
        self.pulls: list[Callable[[], Answer]] = []
        self.pulled: list[tuple[str, str]] = []
        self.overrides: dict[str, Callable[[], Answer]] = {}
        self.asked: list[str] = []
        self._machine = 0
        self._server = _Server(str(socket), _Handler)
        self._server.stub = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, asked: str, query: Mapping[str, list[str]], body: bytes) -> Answer:
        for start, found in self.overrides.items():
            if asked.startswith(start):
                return found()
        if asked == "GET /version":
            return answer(self.version)
        if asked == "POST /images/create":
            self.pulled.append((f"{query['fromImage'][0]}:{query['tag'][0]}", query["platform"][0]))
            return self.pulls.pop(0)()
        if asked.startswith("GET /images/"):
            return self._image(asked.removeprefix("GET /images/").removesuffix("/json"))
        if asked == "POST /containers/create":
            return self._create(json.loads(body)["Image"], query)
        if asked.startswith("DELETE /containers/"):
            return 204, []
        return 200, [node_tar(self._machine)]

    def _image(self, reference: str) -> Answer:
        if reference not in self.held:
            return refusal(404, f"No such image: {reference}")
        machine, label = self.held[reference]
        return answer({"Id": f"{machine} {label}", "RootFS": {"Layers": [f"sha256:{machine}"]}})

    def _create(self, identity: str, query: Mapping[str, list[str]]) -> Answer:
        machine, _, label = identity.partition(" ")
        if query.get("platform", [label])[0] != label:
            return refusal(404, "image with reference x was found but does not match the specified platform")
        self._machine = int(machine)
        return answer({"Id": "c1"}, 201)
