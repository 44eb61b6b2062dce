"""A real HTTP server before another, which stops answering at one request: so a process is killed at a known call."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

UNPASSED = frozenset(("transfer-encoding", "content-length", "connection"))
"""Headers that are the connection's own."""


@contextmanager
def stopping(upstream: str, stop_at: int, *, carried_out: bool) -> Iterator[tuple[str, threading.Event]]:
    """Lend the address of a relay that answers `stop_at` requests, and what tells that the next one came.

    `carried_out`: that one reaches the other server, and only its reply is kept.
    """
    fields = {"upstream": upstream, "stop_at": stop_at, "carried_out": carried_out, "seen": 0}
    reached = threading.Event()
    relay = type("At", (_Relay,), {**fields, "reached": reached})
    server = ThreadingHTTPServer(("127.0.0.1", 0), relay)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", reached
    finally:
        server.shutdown()
        server.server_close()


class _Relay(BaseHTTPRequestHandler):
    upstream: str
    stop_at: int
    carried_out: bool
    seen: int
    reached: threading.Event

    def _pass(self) -> None:
        kind = type(self)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind.seen += 1
        last = kind.seen > kind.stop_at
        if last and not kind.carried_out:
            self._hang()
            return
        host = urlsplit(kind.upstream)
        upstream = HTTPConnection(host.hostname or "", host.port, timeout=60)
        upstream.request(self.command, self.path, body, dict(self.headers))
        reply = upstream.getresponse()
        data = reply.read()
        upstream.close()
        if last:
            self._hang()
            return
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in UNPASSED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang(self) -> None:
        self.reached.set()
        self.connection.settimeout(60)
        self.connection.recv(1)  # until the client is gone

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass  # noqa: N815  # http.server's names
