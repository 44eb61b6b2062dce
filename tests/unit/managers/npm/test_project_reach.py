from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.ping import ping_registry


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[str]]]:
    """A server that gives every question the same answer: its address, and what it is asked."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            assert self.headers.get("Authorization") is None
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    asked: list[str] = []
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}", asked
    finally:
        listening.shutdown()
        listening.server_close()


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_registry_is_there_whatever_it_says(status: int) -> None:
    with server(status) as (address, asked):
        assert ping_registry(f"{address}/npm/", {}) == ""
        assert asked == ["/npm/-/ping"]


def test_a_gateway_that_finds_nobody_behind_it_is_not_a_registry() -> None:
    with server(502) as (address, _asked):
        assert ping_registry(address, {}).startswith("it answers 502")


def test_a_name_that_only_the_proxy_knows_is_asked_of_the_proxy() -> None:
    with server(200) as (address, asked):
        assert ping_registry("http://registry.invalid/", {"http_proxy": address}) == ""
        assert asked == ["http://registry.invalid/-/ping"]


def test_no_proxy_is_obeyed() -> None:
    with server(200) as (address, asked):
        assert ping_registry("http://registry.invalid/", {"http_proxy": address, "NO_PROXY": ".invalid"}) != ""
        assert asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "file:///etc/passwd", "http://[", ""])
def test_what_cannot_be_asked_is_told_in_words(url: str) -> None:
    assert ping_registry(url, {}) != ""


def test_registries_are_those_of_the_settings_the_general_one_first(tmp_path: Path) -> None:
    settings = '@b:registry=https://b.example/\nlegacy-peer-deps=true\nregistry="https://u:p@a.example/"\n'
    assert translate_npm_settings(tmp_path, {}, tmp_path).registries == ()
    (tmp_path / ".npmrc").write_text(settings)
    assert translate_npm_settings(tmp_path, {}, tmp_path).registries == ("https://a.example/", "https://b.example/")
