"""Which of the host's network settings reach the sandbox: proxies and the CA bundle. Never prints what they hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from lambdapack.errors import BAD_CONFIG, LambdapackError
from lambdapack.project.ini import Value

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Read by npm, node-gyp, prebuild-install and curl; the lower-case names count as well."""

SECRETS = "/run/lambdapack"
"""Where the sandbox keeps secrets: a tmpfs that build/ makes."""

CAFILE = "ca.pem"
EXTRA = "extra-ca.pem"

_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(?:\.\d{1,3}){1,3}|::1|0\.0\.0\.0|::|::ffff:127\..*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """Environment for the sandbox; secret, since a proxy's URL can hold a password."""

    variables: Mapping[str, str] = field(repr=False)
    has_credentials: bool = False


def host_environment(environ: Mapping[str, str], files: dict[str, bytes], cafile: Value | None) -> HostNetwork:
    """Return the variables for the sandbox and add the CA bundle to `files`.

    NODE_EXTRA_CA_CERTS counts first; without it what npm's cafile named serves node-gyp and the downloaders as well.
    LP006 for a proxy on a loopback address and for a bundle that cannot be read.
    """
    names = (*PROXIES, *(each.lower() for each in PROXIES))
    variables = {name: environ[name] for name in names if environ.get(name)}
    proxies = {name: value for name, value in variables.items() if not name.upper().startswith("NO_")}
    for name, value in proxies.items():
        refuse_loopback(value, name)
    bundle = _bundle(environ, files, cafile)
    if bundle:
        variables["NODE_EXTRA_CA_CERTS"] = bundle
    secret = any(without_user(value) != value for value in proxies.values())
    return HostNetwork(variables, has_credentials=secret)


def _bundle(environ: Mapping[str, str], files: dict[str, bytes], cafile: Value | None) -> str:
    named = environ.get("NODE_EXTRA_CA_CERTS", "")
    if not named:
        return cafile if isinstance(cafile, str) else ""
    try:
        files[EXTRA] = Path(named).read_bytes()
    except OSError as error:
        raise LambdapackError(
            BAD_CONFIG,
            f"NODE_EXTRA_CA_CERTS: {named}: {error.strerror or error}",
            hint="Point NODE_EXTRA_CA_CERTS at your CA bundle (PEM), or unset it.",
        ) from error
    return f"{SECRETS}/{EXTRA}"


def refuse_loopback(url: str, what: str) -> None:
    """LP006 when a URL's host is the machine itself: in a container that name means the container."""
    host, port = _host(url)
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


def _host(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", port


def without_user(url: str) -> str:
    """Return a URL without user name and password; what is no URL comes back as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if "@" not in parts.netloc:
        # "user:secret@proxy:3128": no scheme, so it is all path.
        return url.rpartition("@")[2] if "://" not in url and "@" in url else url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
