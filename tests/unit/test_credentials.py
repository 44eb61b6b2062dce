import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lambdapack.credentials import (
    list_url_credentials,
    mask_credentials,
    mask_words,
    secret_words,
    strip_url_credentials,
    strip_user,
)
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.events import SILENT
from lambdapack.managers.npm.commands import secret_words as settings_secret_words
from lambdapack.managers.npm.commands import settings_without_secrets
from lambdapack.managers.npm.npmrc import translate_npm_settings
from lambdapack.managers.ping import ping_registry
from lambdapack.pack.secrets import find_secrets
from lambdapack.tree.compose import MemoryTree

CANARY = "cAnArY7"
NOISE = st.text(st.sampled_from("[]:/?#@%&=+!$^*;,.~-_'\"<>`{}|\\" + string.ascii_letters + string.digits), max_size=12)
PASSWORDS = st.tuples(NOISE, NOISE).map(lambda parts: f"{parts[0]}{CANARY}{parts[1]}")
NAMES = st.text(string.ascii_letters, min_size=1, max_size=6)


@given(PASSWORDS, NAMES, st.sampled_from(("http://", "https://", "HTTP://", "//", "socks5://", "")))
def test_a_proxys_password_is_gone_whatever_signs_it_has(password: str, name: str, scheme: str) -> None:
    url = f"{scheme}{name}:{password}@proxy:3128"
    assert CANARY not in strip_user(url, strict=True)
    words = secret_words(url, strict=True)
    assert CANARY not in mask_words(f"connecting to {url}: {password}", words)


@given(PASSWORDS)
def test_a_proxys_password_reaches_no_script_no_message_and_no_log_line(password: str) -> None:
    environ = {"HTTPS_PROXY": f"http://user:{password}@proxy.example:3128"}
    nowhere = Path("/nonexistent")
    settings = translate_npm_settings(nowhere, environ, nowhere)
    assert settings.has_credentials
    assert CANARY not in repr(settings)
    assert CANARY.encode() not in settings_without_secrets(settings).script
    transcript = Transcript(SILENT, settings_secret_words(settings))
    transcript("stdout", f"proxy {environ['HTTPS_PROXY']} said {password}\n".encode())
    assert CANARY not in "\n".join(transcript.lines)


REFUSED = st.sampled_from(("[", "]", "x[", "%[", "a:b", "x/", "x?", "x#", "@", "é", ":"))


@given(REFUSED, NAMES, st.sampled_from(("registry.example/", "h:80", "[::1]:4873/@scope/x")))
def test_text_that_no_parser_takes_is_masked(noise: str, name: str, host: str) -> None:
    url = f"https://{name}:{noise}{CANARY}@{host}"
    for shown in (mask_credentials(f"cannot read {url}, sorry"), str(LambdapackError(BAD_CONFIG, f"{url!r}"))):
        assert CANARY not in shown
        assert "***@" in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://registry.example/@babel/core/-/core-7.0.0.tgz",
        "http://localhost:4873/@scope/pkg",
        "https://esm.sh/react@18",
        "git+ssh://git@github.com/a/b.git",
        "https://github.com/a/b#semver:^1@x",
        "npm warn deprecated glob@7.2.3: see https://x.example",
        "`https-proxy=http://USER:PASSWORD@HOST:PORT`",
        "https://user:${TOKEN}@host/",
        "basic usage of the module",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert mask_credentials(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"//registry.example/:_authToken={CANARY}",
        f'_password = "{CANARY}"',
        f"Authorization: Bearer {CANARY}{CANARY}{CANARY}",
        f"git+https://{CANARY}@github.com/a/b.git",
        f"x:https://u:{CANARY}@h,https://h2/b@1",
    ],
)
def test_tokens_of_settings_headers_and_urls_are_masked(text: str) -> None:
    assert CANARY not in mask_credentials(text)


def test_masking_takes_linear_time() -> None:
    for text in ("//" * 40_000, "//@" * 30_000, "a:" * 40_000 + "//@", "basic " * 20_000, "_auth=" * 20_000):
        assert len(mask_credentials(text)) > 0


@given(PASSWORDS)
def test_manifest_urls_are_credentials_until_they_are_stripped(password: str) -> None:
    assume(not re.search(r"@[^@]*[/?#\\]", password))  # every parser takes what follows such an "@" for the host
    url = f"https://user:{password}@git.example/x.git"
    manifest = {"dependencies": {"x": f"git+{url}", "y": "^1.0.0"}, "list": [url]}
    assert len(list(list_url_credentials(manifest))) == 2
    bare = strip_url_credentials(manifest)
    assert CANARY not in json.dumps(bare)
    assert list(list_url_credentials(bare)) == []
    assert bare["dependencies"]["y"] == "^1.0.0"


def test_a_token_in_a_manifest_or_a_url_is_a_secret_that_ships() -> None:
    manifest = json.dumps({"dependencies": {"x": f"git+https://u:{CANARY}@h/x"}}).encode()
    escaped = json.dumps({"dependencies": {"x": f"git+https://{CANARY}@h/x"}}).replace("/", "\\/").encode()
    source = b'fetch("https://bot:s3cr3tT0kenValue99@api.example/x"); fetch("https://user:password@host/")'
    tree = MemoryTree({"package.json": (manifest, 0o644), "a/package-lock.json": (escaped, 0o644)})
    assert [secret.path for secret in find_secrets(tree)] == ["a/package-lock.json", "package.json"]
    assert [secret.kind for secret in find_secrets(MemoryTree({"x.js": (source, 0o644)}))] == ["a password in a URL"]
    plain = b'"git+ssh://git@github.com/a/b", "https://user:password@host/", `https://${user}:${password}@host`'
    assert find_secrets(MemoryTree({"x.js": (plain, 0o644)})) == ()


def test_a_ping_quotes_no_password_of_a_proxy() -> None:
    environ = {"https_proxy": f"http://u:x[{CANARY}@127.0.0.1:1", "http_proxy": f"http://u:{CANARY}/y@127.0.0.1:1"}
    for url in ("https://registry.invalid", "http://registry.invalid", f"http://a:[{CANARY}@h"):
        trouble = ping_registry(url, environ)
        assert trouble
        assert CANARY not in trouble
