"""Asks a package registry whether it answers. Never sends a credential."""

import re
import urllib.error
from collections.abc import Iterator, Mapping
from http.client import HTTPException

from lambdapack.credentials import mask_credentials, mask_words, secret_words, user_of
from lambdapack.managers.http import open_url
from lambdapack.managers.network import PROXY_VARIABLES

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
    open_url(url, environ, PING_SECONDS).close()
