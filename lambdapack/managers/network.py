"""Proxies, CA bundle and compiler flags that reach the sandbox. Never prints a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lambdapack.credentials import strip_user
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.managers.interface import SECRETS_DIRECTORY

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Read by npm, node-gyp, prebuild-install and curl; the lower-case names count as well."""

CA_FILE_NAME = "ca.pem"
EXTRA_CA_FILE_NAME = "extra-ca.pem"

_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(?:\.\d{1,3}){1,3}|::1|0\.0\.0\.0|::|::ffff:127\..*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """Environment for the sandbox; secret, since a proxy's URL can hold a password."""

    variables: Mapping[str, str] = field(repr=False)
    has_credentials: bool = False


def host_environment(environ: Mapping[str, str], files: dict[str, bytes], cafile: object) -> HostNetwork:
    """Return the variables for the sandbox and add the CA bundle to `files`.

    NODE_EXTRA_CA_CERTS counts first; without it what npm's cafile named serves node-gyp and the downloaders as well.
    LP006 for a proxy on a loopback address and for a bundle that cannot be read.
    """
    names = (*PROXY_VARIABLES, *(variable.lower() for variable in PROXY_VARIABLES))
    variables = {name: environ[name] for name in names if environ.get(name)}
    proxies = {name: value for name, value in variables.items() if not name.upper().startswith("NO_")}
    for name, value in proxies.items():
        refuse_loopback(value, name)
    bundle = _add_ca_bundle(environ, files, cafile)
    if bundle:
        variables["NODE_EXTRA_CA_CERTS"] = bundle
    secret = any(strip_user(value, strict=True) != value for value in proxies.values())
    return HostNetwork(variables, has_credentials=secret)


def _add_ca_bundle(environ: Mapping[str, str], files: dict[str, bytes], cafile: object) -> str:
    named = environ.get("NODE_EXTRA_CA_CERTS", "")
    if not named:
        return cafile if isinstance(cafile, str) else ""
    try:
        files[EXTRA_CA_FILE_NAME] = Path(named).read_bytes()
    except OSError as error:
        raise LambdapackError(
            BAD_CONFIG,
            f"NODE_EXTRA_CA_CERTS: {named}: {error.strerror or error}",
            hint="Point NODE_EXTRA_CA_CERTS at your CA bundle (PEM), or unset it.",
        ) from error
    return f"{SECRETS_DIRECTORY}/{EXTRA_CA_FILE_NAME}"


def refuse_loopback(url: str, what: str) -> None:
    """LP006 when a URL's host is the machine itself: in a container that name means the container."""
    host, port = _host_and_port(url)
    if not is_loopback(host):
        return
    at = f":{port}" if port else ""
    raise LambdapackError(
        BAD_CONFIG,
        f"{what}: {host}{at} is this machine; inside the container it is the container itself",
        hint=f"Use a name that the container can reach: host.docker.internal{at} with Docker Desktop, "
        f"host.containers.internal{at} with podman, else this machine's address in the network.",
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address, without its port, always means the machine that asks."""
    return _LOOPBACK.fullmatch(host.rstrip(".")) is not None


def _host_and_port(url: str) -> tuple[str, int | None]:
    try:
        bare = strip_user(url)
        parts = urlsplit(bare if "//" in bare else f"http://{bare}")
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", port


COMPILER_VARIABLES = ("CFLAGS", "CXXFLAGS")
"""Read by gyp's make after a package's own flags, so that the last -march wins; by CMake and configure before them."""

_PORTABLE_FLAG = re.compile(r"-[mOg][\w.=+-]*")
"""A machine, an optimisation, debugging: what means the same on every machine."""


def compiler_flags(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables for the sandbox, without what names a path or library of the host; none for none."""
    variables = {
        name: " ".join(filter(_PORTABLE_FLAG.fullmatch, environ.get(name, "").split())) for name in COMPILER_VARIABLES
    }
    return {name: flags for name, flags in variables.items() if flags}
