"""Finds credentials in URLs and in text that holds URLs, and removes or masks them. Knows no file and no setting.

A URL's password may have any sign, also those with which no parser takes it ("[", "/", "#", a second "@"): what a
parser refuses counts as a credential as well, up to its last "@".
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

MASK = "***"
"""Stands where a credential was."""

MIN_SECRET_CHARACTERS = 4
"""Characters of a word that is masked wherever it stands; a shorter one would take half of the text along."""

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40}:)?[\\/]{2,}")
_WORD = re.compile(r"\S+")
_SCHEME_END = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}:\Z")
_PLAIN_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?")
_AUTHORITY_END = re.compile(r"[/?#\\]")
_TOKEN_ASSIGNMENT = re.compile(
    r"(?P<key>_(?:authToken|auth|password)\b[\"']?[ \t]*[=:][ \t]*[\"']?)(?!\$\{)(?P<secret>[^\s\"']+)", re.IGNORECASE
)
_AUTHORIZATION = re.compile(r"(?P<key>\b(?:bearer|basic)[ \t]+)(?P<secret>[A-Za-z0-9._~+/=-]{16,})", re.IGNORECASE)

_NAMES_ONLY = ("ssh:", "git+ssh:")
"""Schemes whose user without a password is an account's name: ssh proves itself by a key."""

_PLACEHOLDER = re.compile(r"\$\{[^${}]+\}|\*+|USER|PASSWORD|TOKEN|")
"""A variable's name, a mask, and the words of our own hints."""


def _user_end(url: str, start: int, *, strict: bool) -> int:
    """Return the offset behind the "@" that ends the user's part of a URL, `start` where there is none.

    `strict`: no "@" of the URL belongs to its path, as in a proxy's.
    """
    end = _AUTHORITY_END.search(url, start)
    authority_end = end.start() if end else len(url)
    at = url.rfind("@", start)
    if at < 0:
        return start
    authority = url[start:authority_end]
    if strict:
        return at + 1
    if "@" in authority:
        host = authority.rpartition("@")[2]
        beyond = _last_stray_at(url, authority_end)
        refused = not _PLAIN_AUTHORITY.fullmatch(host) or (beyond >= 0 and ":" in authority.partition("@")[0])
        return (beyond if refused and beyond >= 0 else url.rfind("@", start, authority_end)) + 1
    if not _PLAIN_AUTHORITY.fullmatch(authority):
        return at + 1  # "user:pass/word@host": what a parser takes for the port is none
    beyond = _last_stray_at(url, authority_end)
    return beyond + 1 if beyond >= 0 and ":" in authority else start


def _last_stray_at(url: str, start: int) -> int:
    """Return the last "@" of a path that begins no scope ("/@babel/core"), -1 without one."""
    at = url.rfind("@", start)
    return -1 if at < 0 or (url[at - 1] == "/" and "@" not in url[start:at].replace("/@", "")) else at


def strip_user(url: str, *, strict: bool = False) -> str:
    """Return a URL without user name and password, whether a parser takes it or not.

    `strict` is for a proxy, whose URL has no path: its last "@" ends the user's part wherever it stands.
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        # "user:secret@proxy:3128": no scheme, so it is all authority.
        return url.rpartition("@")[2]
    return url[: scheme.end()] + url[_user_end(url, scheme.end(), strict=strict) :]


def user_of(url: str, *, strict: bool = False) -> str:
    """Return the user's part of a URL as written, without "@"; "" where it has none or only names an account."""
    scheme = _SCHEME.match(url)
    start = scheme.end() if scheme else 0
    end = _user_end(url, start, strict=strict) if scheme else url.rfind("@") + 1
    user = url[start : max(start, end - 1)]
    name, colon, password = user.partition(":")
    bare = not colon and scheme is not None and (scheme["scheme"] or "").lower() in _NAMES_ONLY
    return "" if bare or _PLACEHOLDER.fullmatch(password or name) else user


def secret_words(url: str, *, strict: bool = False) -> tuple[str, ...]:
    """Return what of a URL must not be seen in any text: the password, a token in place of a name, both decoded too."""
    user = user_of(url, strict=strict)
    name, colon, password = user.partition(":")
    word = password if colon and password else name
    words = tuple(dict.fromkeys((word, unquote(word))))
    return words if len(word) >= MIN_SECRET_CHARACTERS else (user,) if colon else ()


def mask_credentials(text: str) -> str:
    """Return a text whose URLs, npm settings and authorization headers have *** in place of what proves an identity."""
    if "//" in text and "@" in text:
        text = _WORD.sub(_mask_word, text)
    lower = text.lower()
    if "_auth" in lower or "_password" in lower:
        text = _TOKEN_ASSIGNMENT.sub(lambda match: match["key"] + MASK, text)
    if "bearer" in lower or "basic" in lower:
        text = _AUTHORIZATION.sub(lambda match: match["key"] + MASK, text)
    return text


def mask_words(text: str, words: Iterable[str]) -> str:
    """Return a text with *** in place of each word, the longest first: one may be a part of another."""
    for word in sorted(filter(None, words), key=len, reverse=True):
        text = text.replace(word, MASK)
    return text


def _mask_word(match: re.Match[str]) -> str:
    """Mask from the first URL of a word on: quotes and brackets around it, and what follows, may be the password's."""
    word = match[0]
    slashes = word.find("//")
    if slashes < 0 or word.find("@", slashes) < 0:
        return word
    scheme = _SCHEME_END.search(word[:slashes])
    start = scheme.start() if scheme else slashes
    url = word[start:]
    if not user_of(url):
        return word
    return f"{word[: slashes + 2]}{MASK}@{strip_user(url)[slashes + 2 - start :]}"


def strip_url_credentials(value: Any) -> Any:
    """Return a JSON value whose URLs have no user; an account's name stays."""
    if isinstance(value, str):
        return strip_user(value) if _is_url(value) and user_of(value) else value
    if isinstance(value, list):
        return [strip_url_credentials(part) for part in value]
    if isinstance(value, dict):
        return {key: strip_url_credentials(part) for key, part in value.items()}
    return value


def list_url_credentials(value: Any) -> Iterator[str]:
    """Yield the URLs of a JSON value that carry a user who is no mere account name."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and _is_url(part) and user_of(part):
            yield part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _is_url(text: str) -> bool:
    return "@" in text and "//" in text and _SCHEME.match(text) is not None
