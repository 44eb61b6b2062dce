"""Invoke and downloads with faults: no bad answer passes a test, nothing cut short counts as whole."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from lambdapack.errors.record import LambdapackError
from tests.cloud import servers
from tests.cloud.faults import FAULTS, Fault, faulty
from tests.cloud.world import World, served
from tests.faults.table import at, command


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture
def world(endpoint: str, tmp_path: Path) -> World:
    return served("ministack", endpoint, tmp_path)


GOOD = {"429-once", "409-once"}
"""After these Invoke is sent again: it was not carried out."""


def kinds() -> list[object]:
    sample = {"empty", "html", "cut", "reserved"}
    return [kind if kind in sample else pytest.param(kind, marks=pytest.mark.full) for kind in (*FAULTS, "reserved")]


@pytest.mark.parametrize("kind", kinds())
def test_no_answer_but_the_functions_own_passes_the_test(world: World, kind: str) -> None:
    name, event = world.fresh("smoke"), world.directory / "event.json"
    event.write_text("{}")
    base = ("--function", name, "--alias", "live", "--smoke", str(event))
    code, _out, err = command(
        ["deploy", str(world.archive("old")), *base, "--create", "--role", world.role],
        lambda *_a, **_k: at(world.endpoint),
    )
    assert code == 0, err
    new = str(world.archive("new"))
    with faulty(world.endpoint, Fault("Invoke", kind)) as address:
        code, _out, err = command(["deploy", new, *base], lambda *_a, **_k: at(address))
    alias = world.cloud.alias(name, "live")
    assert alias is not None
    if code == 0:
        assert (kind in GOOD or kind == "reserved", alias.version) == (True, "2")
    else:
        assert code in {1, 3, 5}, err
        assert alias.version == "1"
        assert "version 2 was published, and alias live still points at version 1" in " ".join(
            err.replace("| ", "").split()
        )
    assert command(["deploy", new, *base], lambda *_a, **_k: at(world.endpoint))[0] == 0
    alias = world.cloud.alias(name, "live")
    assert alias is not None
    assert alias.version == "2"


class _Cutting(BaseHTTPRequestHandler):
    """Sends half of the answer the first two times."""

    cut = 2
    status = 200

    def do_GET(self) -> None:  # http.server's name
        kind = type(self)
        data = b"x" * 100_000
        self.send_response(kind.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        kind.cut -= 1
        self.wfile.write(data if kind.cut < 0 else data[:50_000])
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("cut", "code"), [(2, ""), (99, "LP405")])
def test_a_download_that_is_cut_short_is_repeated(tmp_path: Path, cut: int, code: str) -> None:
    handler = type("Handler", (_Cutting,), {"cut": cut})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/code?sig=x"
    try:
        if code:
            with pytest.raises(LambdapackError, match=code) as raised:
                at(address).download_url(address, tmp_path / "zip", lambda _amount: None)
            assert "(tried 4 times)" in raised.value.detail
        else:
            at(address).download_url(address, tmp_path / "zip", lambda _amount: None)
            assert (tmp_path / "zip").stat().st_size == 100_000
    finally:
        server.shutdown()
        server.server_close()


def test_a_404_that_is_not_of_aws_is_no_bucket() -> None:
    handler = type("Handler", (_Cutting,), {"cut": 0, "status": 404})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(LambdapackError, match="LP431"):
            at(f"http://127.0.0.1:{server.server_address[1]}").function("fn")
    finally:
        server.shutdown()
        server.server_close()
