"""Where a container engine may be: variables, docker contexts, usual sockets. Never opens a connection."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a TLS connection; each may be absent."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """One address at which an engine may listen."""

    url: str  # "unix:///var/run/docker.sock", "tcp://...", "ssh://...", "npipe:////./pipe/docker_engine"
    source: str  # who names it, for people: "DOCKER_HOST", "docker context colima", "usual place"
    tls: Tls | None = None

    @property
    def socket(self) -> str | None:
        """The path of a unix socket, None for any other kind of address."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the host says about itself, gathered once at the edge."""

    environ: Mapping[str, str]
    home: Path
    windows: bool = False

    @property
    def config(self) -> Path:
        """The docker client's own directory."""
        return Path(self.environ.get("DOCKER_CONFIG") or self.home / ".docker")


def places(around: Surroundings, url: str = "") -> tuple[Place, ...]:
    """Return where to look, best first.

    A place that somebody named for this run (`url`, DOCKER_HOST, DOCKER_CONTEXT) is the only one: another engine than
    the one asked for would be a surprise. The docker client's stored context comes before the usual sockets.
    """
    environ = around.environ
    if url:
        return (Place(url, "setting"),)
    if host := environ.get("DOCKER_HOST"):
        return (Place(host, "DOCKER_HOST", _environment_tls(around)),)
    if name := environ.get("DOCKER_CONTEXT"):
        return _context(around.config, name) if name != "default" else _usual(around)
    stored = _context(around.config, str(_json(around.config / "config.json").get("currentContext") or "default"))
    found: dict[str, Place] = {}
    for place in (*stored, *_usual(around)):
        found.setdefault(place.url, place)
    return tuple(found.values())


def _environment_tls(around: Surroundings) -> Tls | None:
    """DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, read as the docker client reads them."""
    environ = around.environ
    if not environ.get("DOCKER_TLS_VERIFY") and not environ.get("DOCKER_CERT_PATH"):
        return None
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    found = _tls(Path(environ.get("DOCKER_CERT_PATH") or around.config), verify=verify)
    return found or (Tls() if verify else None)


def _tls(directory: Path, *, verify: bool) -> Tls | None:
    ca, certificate, key = (
        path if path.is_file() else None
        for path in (directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    )
    return Tls(ca, certificate, key, verify) if ca or certificate else None


def _context(config: Path, name: str) -> tuple[Place, ...]:
    """Return a stored context's address. The directory is the SHA-256 of the name (docker/cli, context/store)."""
    if name == "default":
        return ()
    directory = hashlib.sha256(name.encode()).hexdigest()
    endpoint = _json(config / "contexts" / "meta" / directory / "meta.json").get("Endpoints", {})
    docker = endpoint.get("docker", {}) if isinstance(endpoint, dict) else {}
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(host, str) or not host:
        return (Place("", f"docker context {name}"),)
    tls = _tls(config / "contexts" / "tls" / directory / "docker", verify=not docker.get("SkipTLSVerify"))
    return (Place(host, f"docker context {name}", tls),)


def _json(path: Path) -> dict[str, Any]:
    """Return an object of the docker client's files; a broken or absent one is the same as an empty one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


PIPES = ("docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default")
"""Named pipes of Docker Desktop (its two engines) and of podman machine on Windows."""


def _usual(around: Surroundings) -> tuple[Place, ...]:
    if around.windows:
        return tuple(Place(f"npipe:////./pipe/{name}", "usual place") for name in PIPES)
    return tuple(Place(f"unix://{path}", "usual place") for path in dict.fromkeys(_sockets(around)))


def _sockets(around: Surroundings) -> Iterator[str]:
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
