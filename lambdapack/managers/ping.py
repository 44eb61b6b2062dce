"""Asks a package registry whether it answers. Never sends a credential."""

import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from lambdapack.credentials import mask_credentials, mask_words, secret_words, user_of
from lambdapack.managers.network import PROXY_VARIABLES, is_loopback

PING_SECONDS = 10.0
"""How long a registry may take; a healthy one answers within one."""


def ping_registry(url: str, environ: Mapping[str, str]) -> str:
    """Return "" when a server answers at a registry's URL, whatever it says; else the words of what stood between."""
    return mask_credentials(mask_words(_find_trouble(url, environ), _proxy_words(environ)))


def _find_trouble(url: str, environ: Mapping[str, str]) -> str:
    try:
        _send_ping(url.rstrip("/") + "/-/ping", environ)
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else f"it answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError, HTTPException) as error:
        return str(error)
    return ""


def _proxy_words(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what of the proxies must not be said: a parser quotes the piece of a URL that it refuses."""
    for variable in PROXY_VARIABLES[:3]:
        for name in (variable, variable.lower()):
            yield from secret_words(environ.get(name, ""), strict=True)
            yield from re.split(r"[/?#@:\[\]]", user_of(environ.get(name, ""), strict=True).partition(":")[2])


def _send_ping(url: str, environ: Mapping[str, str]) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"{url} is no http or https address")
    proxies = _proxies_for(url, environ)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=_tls_context(environ))
    )
    request = urllib.request.Request(url, headers={"User-Agent": "lambdapack"})  # noqa: S310  # http or https: see above
    opener.open(request, timeout=PING_SECONDS).close()


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
