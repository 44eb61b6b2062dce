"""Opens URLs of registries through the user's proxies and certificates. Never follows a credential to another host."""

import contextlib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from lambdapack.errors.local import TOOL_MISSING
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.managers.network import is_loopback

DOWNLOAD_SECONDS = 60.0
"""Longest silence of a server before a download fails."""

CHUNK_BYTES = 256 * 1024

MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024
"""Bytes of a package that is fetched by us: a compiler has 94 million."""


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and takes credentials to no other host."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # urllib's own signature
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            made.remove_header("Authorization")
        return made


def open_url(
    url: str, environ: Mapping[str, str], seconds: float, headers: Mapping[str, str] | None = None
) -> HTTPResponse:
    """Return the response of a GET; ValueError for a URL that is none of http and https."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"{url} is no http or https address")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(_proxies_for(url, environ)),
        urllib.request.HTTPSHandler(context=_tls_context(environ)),
        _SameHostRedirects(),
    )
    request = urllib.request.Request(url, headers={"User-Agent": "lambdapack", **(headers or {})})  # noqa: S310  # http or https: see above
    return cast("HTTPResponse", opener.open(request, timeout=seconds))


def download_file(
    url: str, environ: Mapping[str, str], file: Path, observer: Observer, headers: Mapping[str, str] | None = None
) -> None:
    """Write what a URL has to a new file; LP138 when it cannot be had, and no file then."""
    try:
        _write_response(url, environ, file, observer, headers)
    except (urllib.error.URLError, OSError, HTTPException, ValueError) as error:
        with contextlib.suppress(OSError):
            file.unlink()
        reason = getattr(error, "reason", None) or error
        raise LambdapackError(TOOL_MISSING, f"{url}: {reason}") from error


def _write_response(
    url: str, environ: Mapping[str, str], file: Path, observer: Observer, headers: Mapping[str, str] | None
) -> None:
    with open_url(url, environ, DOWNLOAD_SECONDS, headers) as response, file.open("wb") as out:
        total = int(response.headers.get("Content-Length") or 0) or None
        with observer.task(f"Downloading {url.rpartition('/')[2]}", total, "B") as advance:
            size = 0
            while chunk := response.read(CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_DOWNLOAD_BYTES:
                    raise ValueError(f"it has more than {MAX_DOWNLOAD_BYTES} bytes")
                out.write(chunk)
                advance(len(chunk))
        if total and size < total:
            raise ValueError(f"it ended after {size} of {total} bytes")


def _proxies_for(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    host = urlsplit(url).hostname or ""
    spared = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if is_loopback(host) or any(name.strip() and host.endswith(name.strip().lstrip("*.")) for name in spared):
        return {}
    names = {"http": ("http_proxy", "HTTP_PROXY"), "https": ("https_proxy", "HTTPS_PROXY")}
    proxies = {scheme: next((environ[n] for n in name if environ.get(n)), "") for scheme, name in names.items()}
    return {scheme: value for scheme, value in proxies.items() if value}


def _tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    bundle = environ.get("NODE_EXTRA_CA_CERTS")
    if bundle and Path(bundle).is_file():
        context.load_verify_locations(bundle)
    return context
