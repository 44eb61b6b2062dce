"""Addresses where a container engine may listen: variables, docker contexts, usual sockets. Never connects."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of a TLS connection; each may be absent."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """One address at which an engine may listen."""

    url: str  # "unix:///var/run/docker.sock", "tcp://...", "ssh://...", "npipe:////./pipe/docker_engine"
    source: str  # who names it, for people: "DOCKER_HOST", "docker context colima", "usual place"
    tls: TlsFiles | None = None

    @property
    def socket(self) -> str | None:
        """The path of a unix socket, None for any other kind of address."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None


@dataclass(frozen=True, slots=True)
class HostEnvironment:
    """What the host says about itself, gathered once at the edge."""

    environ: Mapping[str, str]
    home: Path
    windows: bool = False

    @property
    def config(self) -> Path:
        """The docker client's own directory."""
        return Path(self.environ.get("DOCKER_CONFIG") or self.home / ".docker")


def engine_addresses(around: HostEnvironment, url: str = "") -> tuple[EngineAddress, ...]:
    """Return where to look, best first.

    A place that somebody named for this run (`url`, DOCKER_HOST, DOCKER_CONTEXT) is the only one: another engine than
    the one asked for would be a surprise. The docker client's stored context comes before the usual sockets.
    """
    environ = around.environ
    if url:
        return (EngineAddress(url, "setting"),)
    if host := environ.get("DOCKER_HOST"):
        return (EngineAddress(host, "DOCKER_HOST", _environment_tls(around)),)
    if name := environ.get("DOCKER_CONTEXT"):
        return _context_addresses(around.config, name) if name != "default" else _usual_addresses(around)
    stored = _context_addresses(
        around.config, str(_read_json(around.config / "config.json").get("currentContext") or "default")
    )
    found: dict[str, EngineAddress] = {}
    for place in (*stored, *_usual_addresses(around)):
        found.setdefault(place.url, place)
    return tuple(found.values())


def _environment_tls(around: HostEnvironment) -> TlsFiles | None:
    """DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, read as the docker client reads them."""
    environ = around.environ
    if not environ.get("DOCKER_TLS_VERIFY") and not environ.get("DOCKER_CERT_PATH"):
        return None
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    found = _tls_files(Path(environ.get("DOCKER_CERT_PATH") or around.config), verify=verify)
    return found or (TlsFiles() if verify else None)


def _tls_files(directory: Path, *, verify: bool) -> TlsFiles | None:
    ca, certificate, key = (
        path if path.is_file() else None
        for path in (directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    )
    return TlsFiles(ca, certificate, key, verify) if ca or certificate else None


def _context_addresses(config: Path, name: str) -> tuple[EngineAddress, ...]:
    """Return a stored context's address. The directory is the SHA-256 of the name (docker/cli, context/store)."""
    if name == "default":
        return ()
    directory = hashlib.sha256(name.encode()).hexdigest()
    endpoint = _read_json(config / "contexts" / "meta" / directory / "meta.json").get("Endpoints", {})
    docker = endpoint.get("docker", {}) if isinstance(endpoint, dict) else {}
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(host, str) or not host:
        return (EngineAddress("", f"docker context {name}"),)
    tls = _tls_files(config / "contexts" / "tls" / directory / "docker", verify=not docker.get("SkipTLSVerify"))
    return (EngineAddress(host, f"docker context {name}", tls),)


def _read_json(path: Path) -> dict[str, Any]:
    """Return an object of the docker client's files; a broken or absent one is the same as an empty one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


NAMED_PIPES = ("docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default")
"""Named pipes of Docker Desktop (its two engines) and of podman machine on Windows."""


def _usual_addresses(around: HostEnvironment) -> tuple[EngineAddress, ...]:
    if around.windows:
        return tuple(EngineAddress(f"npipe:////./pipe/{name}", "usual place") for name in NAMED_PIPES)
    return tuple(EngineAddress(f"unix://{path}", "usual place") for path in dict.fromkeys(_usual_sockets(around)))


def _usual_sockets(around: HostEnvironment) -> Iterator[str]:
    """Docker, Docker Desktop, colima, Rancher Desktop, OrbStack, rootless Docker, podman, podman machine."""
    home, environ = PurePosixPath(around.home.as_posix()), around.environ
    yield "/var/run/docker.sock"
    yield f"{home}/.docker/run/docker.sock"
    yield f"{environ.get('COLIMA_HOME') or f'{home}/.colima'}/default/docker.sock"
    yield f"{home}/.rd/docker.sock"
    yield f"{home}/.orbstack/run/docker.sock"
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield f"{runtime}/docker.sock"
        yield f"{runtime}/podman/podman.sock"
    yield "/run/podman/podman.sock"
    yield f"{home}/.local/share/containers/podman/machine/podman.sock"
    if temporary := environ.get("TMPDIR"):
        yield f"{temporary.rstrip('/')}/podman/podman-machine-default-api.sock"
