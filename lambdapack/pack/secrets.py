"""Finds secrets in the project's own source by content. Never echoes a secret, never scans registry packages.

Only the source is scanned: packages from a registry are public, and their tests and documentation contain sample keys.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lambdapack.credentials import list_url_credentials
from lambdapack.tree.entry import EntryKind, Tree

MIN_DISTINCT_CHARACTERS: Final = 8
"""Minimum number of different characters in a generated token; "npm_xxxxxxxx" and "ghp_000000" are placeholders."""

PAIR_DISTANCE: Final = 1024
"""Bytes between an access key id and its secret: one profile of a credentials file, one object of a JSON file."""

TOKEN_END = rb"(?![A-Za-z0-9_])"
TOKEN_START = rb"(?<![A-Za-z0-9_])"

PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\[rn]|[\s\"'`+,])*"  # a line end, also as JSON and source code write it
    rb"(?:[A-Za-z-]{2,20}: [^\r\n\\]{0,200}(?:\\[rn]|[\s\"'`+,])+){0,5}"  # RFC 1421 and RFC 4880 headers
    rb"[A-Za-z0-9+/=]{40}"  # without a body it is a text about keys
)
PUTTY_KEY = re.compile(rb"PuTTY-User-Key-File-[23]: [^\r\n]+[\s\S]{1,4000}?Private-Lines: \d")
DER_KEY = re.compile(
    rb"\A0(?:[\x20-\x7f]|\x81.|\x82..)\x02\x01\x00"  # SEQUENCE, INTEGER 0: RFC 5208 PKCS#8, RFC 8017 PKCS#1
    rb"(?:0.\x06[\x03-\x09](?:\*\x86H\x86\xf7\r\x01\x01|\*\x86H\xce=\x02\x01|\+e[n-q]\x04)|\x02\x82?.{1,2}\x00?[\x80-\xff])",
    re.DOTALL,
)
ACCESS_KEY_ID = re.compile(rb"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])")
SECRET_KEY = re.compile(rb"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
NAMED_SECRET_KEY = re.compile(rb"(?i:secret_?access_?key)[\"'\s:=]{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")
NPMRC_CREDENTIAL = re.compile(
    rb"(?:(?m:^[ \t]*)|:)_(authToken|auth|password)[ \t]*=[ \t]*[\"']?([A-Za-z0-9+/=._-]{16,})(?![A-Za-z0-9({\[])"
)

URL_CREDENTIAL = re.compile(
    rb"(?<![A-Za-z0-9+.-])(?:git\+)?https?://(?:[A-Za-z0-9._~%+-]{1,64}:)?([A-Za-z0-9._~%!$&*+,;=\[\]^-]{16,512})@[A-Za-z0-9\[]"
)
"""A generated password in a URL; `${NAME}` and the short ones of documents are none."""

MANIFEST_NAMES: Final = frozenset(("package.json", "package-lock.json", "npm-shrinkwrap.json"))
"""Files whose URLs npm uses as they are: any user in one is a credential."""


@dataclass(frozen=True, slots=True)
class TokenForm:
    """A kind of token that its issuer marks with a fixed prefix."""

    kind: str  # with its article, for a message
    prefix: bytes  # always there: a file without it is not searched further
    pattern: re.Pattern[bytes]


def _token_form(kind: str, prefix: str, body: str) -> TokenForm:
    return TokenForm(
        kind, prefix.encode(), re.compile(TOKEN_START + re.escape(prefix.encode()) + body.encode() + TOKEN_END)
    )


TOKEN_FORMS: Final = (
    _token_form("an npm token", "npm_", "[A-Za-z0-9]{36}"),  # github.blog 2021-09-23
    _token_form("a GitHub token", "github_pat_", "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    *(_token_form("a GitHub token", f"gh{kind}_", "[A-Za-z0-9]{36,251}") for kind in "pousr"),  # github.blog 2021-04-05
    _token_form("a GitLab token", "glpat-", "[A-Za-z0-9_-]{20,}"),
    *(_token_form("a Slack token", f"xox{kind}-", "[0-9]{6,}-[0-9A-Za-z-]{20,}") for kind in "abprs"),
    *(_token_form("a Stripe key", prefix, "[0-9A-Za-z]{24,}") for prefix in ("sk_live_", "rk_live_")),
    _token_form("a SendGrid key", "SG.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _token_form("an OpenAI key", "sk-proj-", "[A-Za-z0-9_-]{40,}"),
    _token_form("an Anthropic key", "sk-ant-", "[A-Za-z0-9_-]{40,}"),
    _token_form("a PyPI token", "pypi-AgEIcHlwaS5vcmc", "[A-Za-z0-9_-]{50,}"),
)


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """Path, line and kind of a secret, never the secret itself."""

    path: str
    kind: str  # "a private key"
    line: int  # 1-based


def find_secrets(tree: Tree) -> tuple[FoundSecret, ...]:
    """Return the first secret of every file of a tree that holds one, in order of the paths."""
    return tuple(_iterate_secrets(tree))


def _iterate_secrets(tree: Tree) -> Iterator[FoundSecret]:
    for path, entry in tree.entries.items():
        if entry.kind is EntryKind.FILE:
            with tree.view(path) as view:
                data = _as_ascii(bytes(view))
            secret = _find_secret(data) or (_find_manifest_credential(data) if _is_manifest(path) else None)
            if secret is not None:
                yield FoundSecret(path, secret[0], data.count(b"\n", 0, secret[1]) + 1)


def find_secret_kind(data: bytes | memoryview) -> str | None:
    """Return the kind of secret that bytes contain, None when they contain no known one.

    Certificates and public keys are not secrets.
    """
    secret = _find_secret(_as_ascii(bytes(data)))
    return None if secret is None else secret[0]


def _as_ascii(data: bytes) -> bytes:
    """Return the text of a UTF-16 file (PowerShell's `>` writes them) in one byte a letter, other bytes as they are."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("ascii", "replace")
    return data


def _find_secret(data: bytes) -> tuple[str, int] | None:
    for search in SECRET_SEARCHES:
        secret = search(data)
        if secret is not None:
            return secret
    return None


def _find_private_key(data: bytes) -> tuple[str, int] | None:
    match = PRIVATE_KEY.search(data) if b"PRIVATE KEY" in data else None
    match = match or (PUTTY_KEY.search(data) if b"PuTTY-User-Key-File" in data else None)
    match = match or DER_KEY.match(data)
    return match and ("a private key", match.start())


def _find_token(data: bytes) -> tuple[str, int] | None:
    for form in TOKEN_FORMS:
        for match in form.pattern.finditer(data) if form.prefix in data else ():
            if _is_random(match[0][len(form.prefix) :]):
                return form.kind, match.start()
    return None


def _find_npm_credential(data: bytes) -> tuple[str, int] | None:
    for match in NPMRC_CREDENTIAL.finditer(data) if b"_auth" in data or b"_password" in data else ():
        bare = data[match.start() : match.start() + 1] != b":"
        if _is_random(match[2]) and not (bare and match[1] != b"authToken"):
            return "npm registry credentials", match.start()
    return None


def _find_url_credential(data: bytes) -> tuple[str, int] | None:
    for match in URL_CREDENTIAL.finditer(data) if b"://" in data and b"@" in data else ():
        if _is_random(match[1]):
            return "a password in a URL", match.start()
    return None


def _is_manifest(path: str) -> bool:
    return path.rpartition("/")[2] in MANIFEST_NAMES


def _find_manifest_credential(data: bytes) -> tuple[str, int] | None:
    """Return the first URL of a manifest that carries a user, however short and however written."""
    if b"@" not in data or b"/" not in data:
        return None
    try:
        url = next(list_url_credentials(json.loads(data)), None)
    except (ValueError, RecursionError):
        return None
    return None if url is None else ("a password or token in a URL", max(data.find(url.encode("utf-8", "replace")), 0))


def _find_aws_key(data: bytes) -> tuple[str, int] | None:
    for key_match in NAMED_SECRET_KEY.finditer(data) if b"ccess" in data or b"CCESS" in data else ():
        if _is_aws_secret(key_match[1]):
            return "an AWS secret access key", key_match.start()
    for key_match in ACCESS_KEY_ID.finditer(data) if b"AKIA" in data or b"ASIA" in data else ():
        around = data[max(0, key_match.start() - PAIR_DISTANCE) : key_match.end() + PAIR_DISTANCE]
        if _is_random(key_match[0]) and any(_is_aws_secret(match[0]) for match in SECRET_KEY.finditer(around)):
            return "an AWS access key", key_match.start()
    return None


def _is_aws_secret(text: bytes) -> bool:
    """Tell a secret from a SHA-1 and from a path: letters of both cases and digits."""
    kinds = (re.compile(rb"[a-z]"), re.compile(rb"[A-Z]"), re.compile(rb"[0-9]"))
    return _is_random(text) and all(kind.search(text) for kind in kinds)


def _is_random(text: bytes) -> bool:
    """Tell a generated token from a placeholder; AWS writes EXAMPLE into the keys of its documents."""
    return len(set(text)) >= MIN_DISTINCT_CHARACTERS and b"EXAMPLE" not in text.upper()


SECRET_SEARCHES: Final[tuple[Callable[[bytes], tuple[str, int] | None], ...]] = (
    _find_private_key,
    _find_token,
    _find_npm_credential,
    _find_aws_key,
    _find_url_credential,
)
