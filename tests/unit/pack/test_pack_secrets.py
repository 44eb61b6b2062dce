"""Every token here is made up at run time: none lies in the repository."""

import base64
import random
import string
import time

import pytest

from lambdapack.pack.secrets import FoundSecret, find_secret_kind, find_secrets
from lambdapack.tree.compose import MemoryTree

RANDOM = random.Random(3)  # noqa: S311  # the same made-up tokens each time
WORD = string.ascii_letters + string.digits


def made(size: int, alphabet: str = WORD) -> str:
    return "".join(RANDOM.choice(alphabet) for _ in range(size))


def pem(kind: str, lines: int = 12, *, end: str = "\n", headers: str = "") -> str:
    body = base64.b64encode(RANDOM.randbytes(48 * lines)).decode()
    rows = [body[at : at + 64] for at in range(0, len(body), 64)]
    return end.join([f"-----BEGIN {kind}-----", *([headers] if headers else []), *rows, f"-----END {kind}-----", ""])


def access_key() -> str:
    return "AK" + "IA" + made(16, string.ascii_uppercase + "234567")


def secret_key() -> str:
    return "aB3" + made(37, WORD + "/+")


KEYS = [f"{kind}PRIVATE KEY" for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")]


@pytest.mark.parametrize("kind", [*KEYS, "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n", '\\n" +\n  "'])
def test_a_private_key_is_found_however_its_lines_end(kind: str, end: str) -> None:
    assert find_secret_kind(f'const key = "{pem(kind, end=end)}"'.encode()) == "a private key"


def test_a_private_key_with_headers_is_found() -> None:
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n"
    assert find_secret_kind(pem("RSA PRIVATE KEY", headers=headers).encode()) == "a private key"
    assert find_secret_kind(pem("PGP PRIVATE KEY BLOCK", headers="Version: GnuPG v2\n").encode()) == "a private key"


def test_other_forms_of_private_keys_are_found() -> None:
    name = "PuTTY-User" + "-Key-File-2"
    putty = f"{name}: ssh-rsa\nEncryption: none\nPublic-Lines: 1\n{made(60)}\nPrivate-Lines: 1\n{made(60)}\n"
    assert find_secret_kind(putty.encode()) == "a private key"
    rsa = bytes.fromhex("308204bd020100300d06092a864886f70d0101010500048204a7") + RANDOM.randbytes(1191)
    ed25519 = bytes.fromhex("302e020100300506032b657004220420") + RANDOM.randbytes(32)
    pkcs1 = bytes.fromhex("308204a40201000282010100") + b"\xc5" + RANDOM.randbytes(1100)
    for data in (rsa, ed25519, pkcs1):
        assert find_secret_kind(data) == "a private key"


def harmless() -> list[str]:
    return [
        pem("CERTIFICATE") * 3,
        pem("PUBLIC KEY"),
        pem("RSA PUBLIC KEY"),
        pem("CERTIFICATE REQUEST"),
        "if (text.includes('-----BEGIN PRIVATE KEY-----')) fail()",
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nYOUR_PRIVATE_KEY_HERE\n-----END PRIVATE KEY-----",
        "//registry.example.test/:_authToken=${NPM_TOKEN}",
        "_authToken=<your token>",
        "npm_config_registry npm_lifecycle_event npm_package_dependencies_something_long_indeed",
        "npm_" + "x" * 36,
        "ghp_" + "0" * 36,
        "const _auth = getAuthenticatedClientForThis(user)",
        "this._password = passwordFromEnvironment1",
        "_authToken = readTheTokenFromSomewhere()",
        "AKIA" + "IOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        access_key(),
        f"{access_key()} in commit {made(40, '0123456789abcdef')}",
        made(40),
        "sk_live_",
        "secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY_OF_THE_ACCOUNT_12345678",
    ]


@pytest.mark.parametrize("number", range(len(harmless())))
def test_what_only_looks_like_a_secret_ships(number: int) -> None:
    assert find_secret_kind(harmless()[number].encode()) is None


def tokens() -> list[tuple[str, str]]:
    return [
        ("an npm token", f"npm_{made(36)}"),
        *(("a GitHub token", f"gh{kind}_{made(36)}") for kind in "pousr"),
        ("a GitHub token", f"github_pat_{made(22)}_{made(59)}"),
        ("a GitLab token", f"glpat-{made(20)}"),
        ("a Slack token", f"xoxb-{made(12, string.digits)}-{made(24)}"),
        ("a Stripe key", f"sk_live_{made(24)}"),
        ("a SendGrid key", f"SG.{made(22)}.{made(43)}"),
        ("an OpenAI key", f"sk-proj-{made(48)}"),
        ("an Anthropic key", f"sk-ant-api03-{made(80)}"),
        ("a PyPI token", f"pypi-AgEIcHlwaS5vcmc{made(60)}"),
        ("npm registry credentials", f"//registry.example.test/:_authToken={made(36)}"),
        ("npm registry credentials", f"//registry.example.test/npm/:_password = {made(20)}=="),
        ("npm registry credentials", f'_authToken="{made(32)}"'),
        ("an AWS access key", f"{access_key()},{secret_key()}"),
        ("an AWS access key", f"[default]\nkey = {access_key()}\nvalue = {secret_key()}\n"),
        ("an AWS secret access key", f"aws_secret_access_key = {secret_key()}"),
        ("an AWS secret access key", f'{{"secretAccessKey": "{secret_key()}"}}'),
        ("an AWS secret access key", f"AWS_SECRET_ACCESS_KEY={secret_key()}"),
    ]


@pytest.mark.parametrize("number", range(len(tokens())))
@pytest.mark.parametrize("form", ["{}", "x = '{}';\n", "a\n{}\nb"])
def test_a_token_is_found_and_never_echoed(number: int, form: str) -> None:
    what, token = tokens()[number]
    found = find_secret_kind(form.format(token).encode())
    if form.startswith("x") and token.startswith("_authToken"):
        return
    assert found == what
    assert find_secret_kind(memoryview(form.format(token).encode())) == what


def test_a_token_that_powershell_wrote_is_found() -> None:
    assert find_secret_kind(f"token=npm_{made(36)}".encode("utf-16")) == "an npm token"


def test_files_are_named_with_their_line() -> None:
    tree = MemoryTree(
        {
            "config/keys.json": f'{{\n "a": 1,\n "token": "npm_{made(36)}"\n}}'.encode(),
            "global-bundle.pem": pem("CERTIFICATE").encode(),
            "key.pem": pem("PRIVATE KEY").encode(),
        },
        links={"link": "key.pem"},
    )
    assert find_secrets(tree) == (
        FoundSecret("config/keys.json", "an npm token", 3),
        FoundSecret("key.pem", "a private key", 1),
    )


def seconds(data: bytes) -> float:
    """The processor's, of the best of three runs: what else the machine does counts for little."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        assert find_secret_kind(data) is None
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        (b"-----BEGIN PRIVATE KEY-----\n", 20_000),
        (b"PuTTY-User-Key-File-2: x\n", 500),
        (f"{access_key()}\n".encode(), 500),
        (b"_auth=", 100_000),
        (b"a: b\n", 100_000),
    ],
    ids=["keys", "putty", "access-keys", "auth", "lines"],
)
def test_four_times_the_file_takes_about_four_times_as_long(piece: bytes, count: int) -> None:
    """A search that looks back from every match takes sixteen times as long."""
    small, large = (seconds(piece * (count * times) + b"PRIVATE KEY") for times in (1, 4))
    assert large < 9 * small + 0.02
