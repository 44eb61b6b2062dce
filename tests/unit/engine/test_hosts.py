import hashlib
import json
from pathlib import Path

import pytest

from lambdapack.engine.hosts import EngineAddress, HostEnvironment, TlsFiles, engine_addresses


def around(home: Path, *, windows: bool = False, **environ: str) -> HostEnvironment:
    return HostEnvironment(environ, home, windows=windows)


def store_context(config: Path, name: str, host: object, **endpoint: object) -> Path:
    directory = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / directory / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host, **endpoint}}}))
    return config / "contexts" / "tls" / directory / "docker"


def test_docker_host_is_the_only_place(tmp_path: Path) -> None:
    store_context(tmp_path / ".docker", "x", "tcp://other:1")
    found = engine_addresses(around(tmp_path, DOCKER_HOST="tcp://10.0.0.1:2375", DOCKER_CONTEXT="x"))
    assert found == (EngineAddress("tcp://10.0.0.1:2375", "DOCKER_HOST"),)


def test_a_setting_wins_over_the_environment(tmp_path: Path) -> None:
    assert engine_addresses(around(tmp_path, DOCKER_HOST="tcp://x"), "ssh://graviton") == (
        EngineAddress("ssh://graviton", "setting"),
    )


def test_docker_host_with_certificates(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    (place,) = engine_addresses(
        around(tmp_path, DOCKER_HOST="tcp://h:2376", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
    )
    assert place.tls is not None
    assert (place.tls.ca, place.tls.key, place.tls.verify) == (tmp_path / "ca.pem", tmp_path / "key.pem", True)


def test_tls_that_is_demanded_is_never_dropped(tmp_path: Path) -> None:
    (place,) = engine_addresses(around(tmp_path, DOCKER_HOST="tcp://h:2376", DOCKER_TLS_VERIFY="1"))
    assert place.tls == TlsFiles()
    (place,) = engine_addresses(around(tmp_path, DOCKER_HOST="tcp://h:2375", DOCKER_CERT_PATH=str(tmp_path / "none")))
    assert place.tls is None


def test_a_context_named_for_this_run_is_the_only_place(tmp_path: Path) -> None:
    tls = store_context(tmp_path / ".docker", "far \u00fc", "tcp://far:2376", SkipTLSVerify=True)
    tls.mkdir(parents=True)
    (tls / "ca.pem").touch()
    (place,) = engine_addresses(around(tmp_path, DOCKER_CONTEXT="far \u00fc"))
    assert (place.url, place.source) == ("tcp://far:2376", "docker context far \u00fc")
    assert place.tls is not None
    assert (place.tls.ca, place.tls.certificate, place.tls.verify) == (tls / "ca.pem", None, False)


def test_a_context_that_does_not_exist_is_named_without_an_address(tmp_path: Path) -> None:
    assert engine_addresses(around(tmp_path, DOCKER_CONTEXT="gone")) == (EngineAddress("", "docker context gone"),)


def test_the_stored_context_comes_before_the_usual_sockets_and_once(tmp_path: Path) -> None:
    colima = f"unix://{tmp_path}/.colima/default/docker.sock"
    store_context(tmp_path / "cfg", "colima", colima)
    (tmp_path / "cfg" / "config.json").write_text('{"currentContext": "colima"}')
    found = engine_addresses(around(tmp_path, DOCKER_CONFIG=str(tmp_path / "cfg"), XDG_RUNTIME_DIR="/run/user/7"))
    assert found[0] == EngineAddress(colima, "docker context colima")
    assert [place.url for place in found].count(colima) == 1
    assert found[1].socket == "/var/run/docker.sock"
    assert "unix:///run/user/7/podman/podman.sock" in {place.url for place in found}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"currentContext": ["x"]}', '{"currentContext": "default"}'])
def test_a_broken_client_configuration_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(text)
    found = engine_addresses(around(tmp_path))
    assert "unix:///var/run/docker.sock" in {place.url for place in found}


def test_the_context_called_default_means_the_usual_sockets(tmp_path: Path) -> None:
    assert engine_addresses(around(tmp_path, DOCKER_CONTEXT="default"))[0].url == "unix:///var/run/docker.sock"


@pytest.mark.parametrize("host", [None, 7, ""])
def test_a_context_without_a_host_has_no_address(tmp_path: Path, host: object) -> None:
    store_context(tmp_path / ".docker", "x", host)
    assert engine_addresses(around(tmp_path, DOCKER_CONTEXT="x"))[0].url == ""


def test_windows_has_pipes(tmp_path: Path) -> None:
    found = engine_addresses(around(tmp_path, windows=True))
    assert [place.url for place in found] == [
        "npipe:////./pipe/docker_engine",
        "npipe:////./pipe/dockerDesktopLinuxEngine",
        "npipe:////./pipe/podman-machine-default",
    ]
    assert found[0].socket is None
