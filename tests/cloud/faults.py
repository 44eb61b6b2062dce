"""A real HTTP server before another, which answers one operation of AWS with a fault."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.cloud.relay import UNPASSED

FUNCTION = r"/\d{4}-\d\d-\d\d/functions"
NAME = r"[^/?]+"
OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("CreateFunction", "POST", rf"{FUNCTION}/?"),
    ("GetFunctionConfiguration", "GET", rf"{FUNCTION}/{NAME}/configuration"),
    ("UpdateFunctionConfiguration", "PUT", rf"{FUNCTION}/{NAME}/configuration"),
    ("UpdateFunctionCode", "PUT", rf"{FUNCTION}/{NAME}/code"),
    ("PublishVersion", "POST", rf"{FUNCTION}/{NAME}/versions"),
    ("ListVersionsByFunction", "GET", rf"{FUNCTION}/{NAME}/versions"),
    ("CreateAlias", "POST", rf"{FUNCTION}/{NAME}/aliases"),
    ("ListAliases", "GET", rf"{FUNCTION}/{NAME}/aliases"),
    ("GetAlias", "GET", rf"{FUNCTION}/{NAME}/aliases/{NAME}"),
    ("UpdateAlias", "PUT", rf"{FUNCTION}/{NAME}/aliases/{NAME}"),
    ("GetPolicy", "GET", rf"{FUNCTION}/{NAME}/policy"),
    ("GetFunctionConcurrency", "GET", rf"{FUNCTION}/{NAME}/concurrency"),
    ("GetFunctionUrlConfig", "GET", rf"{FUNCTION}/{NAME}/url"),
    ("GetProvisionedConcurrencyConfig", "GET", rf"{FUNCTION}/{NAME}/provisioned-concurrency"),
    ("Invoke", "POST", rf"{FUNCTION}/{NAME}/invocations"),
    ("ListEventSourceMappings", "GET", r"/\d{4}-\d\d-\d\d/event-source-mappings/?"),
    ("ListTags", "GET", r"/\d{4}-\d\d-\d\d/tags/.+"),
    ("TagResource", "POST", r"/\d{4}-\d\d-\d\d/tags/.+"),
    ("ListLayerVersions", "GET", rf"/\d{{4}}-\d\d-\d\d/layers/{NAME}/versions"),
    ("PublishLayerVersion", "POST", rf"/\d{{4}}-\d\d-\d\d/layers/{NAME}/versions"),
    ("GetLayerVersion", "GET", rf"/\d{{4}}-\d\d-\d\d/layers/{NAME}/versions/\d+"),
    ("GetCallerIdentity", "POST", r"/"),
)
"""Operation, method and path (botocore's model of Lambda and STS)."""

FAULTS = (
    "500-once", "500-always", "429-once", "409-once", "412-once", "403-once", "reset-before", "reset-after", "hang",
    "cut", "empty", "html",
)  # fmt: skip
"""All but the ends of the process, which its caller brings about."""

ERRORS = {
    "500-once": (500, "ServiceException", "An error occurred"),
    "500-always": (500, "ServiceException", "An error occurred"),
    "429-once": (429, "TooManyRequestsException", "Rate exceeded"),
    "409-once": (
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. An update is in progress for resource: x",
    ),
    "412-once": (412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id."),
    "reserved": (429, "TooManyRequestsException", "Rate Exceeded."),
    "403-once": (403, "AccessDeniedException", "User: u is not authorized to perform: lambda:X on resource: y"),
}

REASONS = {"reserved": "ReservedFunctionConcurrentInvocationLimitExceeded"}
"""Why AWS refuses to invoke (botocore, ThrottleReason)."""


@dataclass
class Fault:
    """What goes wrong, once or always, from a given request of the operation on."""

    operation: str
    kind: str
    nth: int = 1
    seen: int = 0
    operations: list[str] = field(default_factory=list)  # of all requests, in their order
    lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, operation: str) -> bool:
        """Note a request, and tell whether it is the one."""
        with self.lock:
            self.operations.append(operation)
            if operation != self.operation:
                return False
            self.seen += 1
            return self.seen == self.nth or (self.kind == "500-always" and self.seen > self.nth)


def operation_of(method: str, path: str) -> str:
    """Return the operation of a request, "" for one that is not known."""
    bare = urlsplit(path).path
    return next((name for name, verb, form in OPERATIONS if verb == method and re.fullmatch(form, bare)), "")


@contextmanager
def faulty(upstream: str, fault: Fault) -> Iterator[str]:
    """Lend the address of a server that passes requests on, and lets one go wrong."""
    proxy = type("Proxy", (_Proxy,), {"upstream": upstream, "fault": fault})
    server = ThreadingHTTPServer(("127.0.0.1", 0), proxy)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: str
    fault: Fault

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        strikes = self.fault.strikes(operation_of(self.command, self.path))
        kind = self.fault.kind if strikes else ""
        if kind in ERRORS:
            self._refuse(*ERRORS[kind])
            return
        if kind == "reset-before":
            self._reset()
            return
        status, headers, data = self._ask(body)
        if kind == "reset-after":
            self._reset()
        elif kind == "hang":
            self.connection.settimeout(60)
            with suppress(OSError):
                self.connection.recv(1)  # until the client is gone
            self.close_connection = True
        elif kind == "empty":
            self._answer(200, [], b"")
        elif kind == "html":
            self._answer(200, [("Content-Type", "text/html")], b"<html><body>Please log in</body></html>")
        elif kind == "cut":
            self._answer(status, headers, data, cut=True)
        else:
            self._answer(status, headers, data)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        host = urlsplit(self.upstream)
        upstream = HTTPConnection(host.hostname or "", host.port, timeout=60)
        upstream.request(self.command, self.path, body, dict(self.headers))
        reply = upstream.getresponse()
        data = reply.read()
        upstream.close()
        return reply.status, reply.getheaders(), data

    def _refuse(self, status: int, code: str, words: str) -> None:
        reason = REASONS.get(self.fault.kind, "")
        data = f'{{"Type": "User", "message": "{words}", "Message": "{words}", "Reason": "{reason}"}}'.encode()
        self._answer(status, [("x-amzn-errortype", code), ("Content-Type", "application/json")], data)

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, *, cut: bool = False) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in UNPASSED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        """End the connection with RST, as a firewall does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile = self.wfile = _Nowhere()  # type: ignore[assignment]

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass  # noqa: N815  # http.server's names


class _Nowhere:
    closed = False

    def flush(self) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nobody listens."""

    def readline(self, _size: int = -1) -> bytes:
        return b""
