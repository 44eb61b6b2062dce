from pathlib import Path

import pytest

from lambdapack.credentials import strip_user
from lambdapack.errors.record import LambdapackError
from lambdapack.managers.network import host_environment, is_loopback


def test_proxies_pass_through_in_both_spellings() -> None:
    environ = {"HTTPS_PROXY": "http://p.example:3128", "no_proxy": "localhost,.corp", "HOME": "/root", "http_proxy": ""}
    found = host_environment(environ, {}, None)
    assert found.variables == {"HTTPS_PROXY": "http://p.example:3128", "no_proxy": "localhost,.corp"}
    assert not found.has_credentials


def test_a_proxy_with_a_password_is_a_credential() -> None:
    found = host_environment({"https_proxy": "http://me:pw@p.example"}, {}, None)
    assert found.has_credentials
    assert "pw" not in repr(found)


@pytest.mark.parametrize("value", ["http://localhost:3128", "127.0.0.1:3128", "me:pw@localhost:1", "socks5://[::1]:9"])
def test_a_proxy_on_this_machine_is_refused(value: str) -> None:
    with pytest.raises(LambdapackError, match=r"LP006.*ALL_PROXY") as caught:
        host_environment({"ALL_PROXY": value}, {}, None)
    assert "pw" not in caught.value.detail


def test_extra_certificates_go_before_npms_and_travel_as_content(tmp_path: Path) -> None:
    (tmp_path / "corp.pem").write_text("CORP")
    files: dict[str, bytes] = {}
    found = host_environment({"NODE_EXTRA_CA_CERTS": str(tmp_path / "corp.pem")}, files, "/run/lambdapack/ca.pem")
    assert found.variables == {"NODE_EXTRA_CA_CERTS": "/run/lambdapack/extra-ca.pem"}
    assert files == {"extra-ca.pem": b"CORP"}


def test_a_bundle_that_is_not_there_is_refused() -> None:
    with pytest.raises(LambdapackError, match=r"LP006.*NODE_EXTRA_CA_CERTS: /nowhere"):
        host_environment({"NODE_EXTRA_CA_CERTS": "/nowhere"}, {}, None)


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("127.example.com", False),
        ("localhost.example.com", False),
        ("", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback_is_known_by_name_and_number(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("http://a:b@h:1/x", "http://h:1/x"),
        ("a:b@h:1", "h:1"),
        ("http://h/@scope", "http://h/@scope"),
        ("http://[::1", "http://[::1"),
        ("", ""),
    ],
)
def test_user_and_password_are_taken_off(url: str, bare: str) -> None:
    assert strip_user(url) == bare
