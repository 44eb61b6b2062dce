"""Asks a registry whether it is there, the way npm would get to it. Sends no credentials."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lambdapack.project.network import is_loopback

SECONDS = 10.0
"""How long a registry may take; a healthy one answers within one."""


def registries(settings: str) -> tuple[str, ...]:
    """Return the registries that npm settings without secrets name, the general one first."""
    pairs = [line.partition("=")[::2] for line in settings.splitlines()]
    named = [(name.strip(), value.strip().strip('"')) for name, value in pairs]
    general = [value for name, value in named if name == "registry"]
    scoped = [value for name, value in named if name.endswith(":registry")]
    return tuple(dict.fromkeys([*general, *scoped]))


def ping(url: str, environ: Mapping[str, str]) -> str:
    """Return "" when a server answers at a registry's URL, whatever it says; else the words of what stood between."""
    try:
        _ask(url.rstrip("/") + "/-/ping", environ)
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else f"it answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def _ask(url: str, environ: Mapping[str, str]) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"{url} is no http or https address")
    proxies = _proxies(url, environ)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=_context(environ))
    )
    request = urllib.request.Request(url, headers={"User-Agent": "lambdapack"})  # noqa: S310  # http or https: see above
    opener.open(request, timeout=SECONDS).close()


def _proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    host = urlsplit(url).hostname or ""
    spared = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if is_loopback(host) or any(name.strip() and host.endswith(name.strip().lstrip("*.")) for name in spared):
        return {}
    names = {"http": ("http_proxy", "HTTP_PROXY"), "https": ("https_proxy", "HTTPS_PROXY")}
    found = {scheme: next((environ[n] for n in each if environ.get(n)), "") for scheme, each in names.items()}
    return {scheme: value for scheme, value in found.items() if value}


def _context(environ: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    bundle = environ.get("NODE_EXTRA_CA_CERTS")
    if bundle and Path(bundle).is_file():
        context.load_verify_locations(bundle)
    return context
