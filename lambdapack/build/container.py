"""What a container of ours looks like, as the body of the engine's create request. Never talks to an engine."""

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from lambdapack.build.engine import SandboxSpec
from lambdapack.build.reap import KEPT, OWNER, PURPOSE

MAIN: Final = ("cat",)
"""The main process: it ends when its standard input does, and that is our connection. The dead man's switch."""

GATE: Final = 'IFS= read -r size || exit 125; [ "$size" = 0 ] && exec "$@" </dev/null; head -c "$size" | "$@"'
"""Starts a command when the first line of standard input says how long its own will be.

So nothing is printed before we listen (the SDK drops what came together with the response's header), and standard input
ends without a half-close, which TLS and ssh do not have. sh reads a pipe byte by byte: nothing is lost behind the line.
"""

SECRETS_BYTES: Final = 8 * 1024 * 1024
"""Size of the tmpfs for secrets: an .npmrc and a bundle of certificates (those of a Debian are 220 KB)."""

TMP_BYTES: Final = 512 * 1024 * 1024
"""Size of /tmp where the root is read-only: Lambda's own default (AWS Lambda developer guide, ephemeral storage)."""

CAREFUL_ULIMITS: Final = (("nofile", 4096), ("nproc", 8192))
"""What a podman can set that was itself started without the right to raise its limits (LAB.md section 7)."""


def gate(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command line that waits for the length of its standard input."""
    return ("/bin/sh", "-c", GATE, "lambdapack", *argv)


def name(label: str) -> str:
    """Return a name of its own, known before the engine has answered."""
    return f"lambdapack-{re.sub(r'[^a-z0-9]+', '-', label.lower()).strip('-') or 'sandbox'}-{secrets.token_hex(5)}"


def idle(image: str, owner: str, label: str) -> dict[str, Any]:
    """Return the request for a container that is looked into and never started."""
    return {
        "Image": image,
        "Entrypoint": list(MAIN),
        "Cmd": [],
        "Labels": {OWNER: owner, PURPOSE: label},
        "HostConfig": {"NetworkMode": "none"},
    }


def config(spec: SandboxSpec, image: str, owner: str, *, careful: bool = False) -> dict[str, Any]:
    """Return the request for a sandbox. Its environment is the image's own: secrets never go there."""
    labels = {OWNER: owner, PURPOSE: spec.label} | ({KEPT: "1"} if spec.keep else {})
    return {
        "Image": image,
        "Entrypoint": list(MAIN),
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": labels,
        "ExposedPorts": {f"{inside}/tcp": {} for _outside, inside in spec.publish},
        "HostConfig": _host(spec, careful=careful),
    }


def _host(spec: SandboxSpec, *, careful: bool) -> dict[str, Any]:
    limits = spec.limits
    host: dict[str, Any] = {
        "AutoRemove": not spec.keep,
        "SecurityOpt": ["no-new-privileges"],
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,  # memory and swap together: no swap
        "PidsLimit": limits.processes,
        "ReadonlyRootfs": spec.read_only,
        "Tmpfs": dict(_tmpfs(spec)),
        "Mounts": _volumes(spec),
    }
    if not spec.capabilities:
        host["CapDrop"] = ["ALL"]
    if spec.publish:
        host["PortBindings"] = {f"{inside}/tcp": [_loopback(outside)] for outside, inside in spec.publish}
    if not spec.network:
        host["NetworkMode"] = "none"
    if careful:
        host["Ulimits"] = [{"Name": each, "Soft": value, "Hard": value} for each, value in CAREFUL_ULIMITS]
    return host


def _loopback(port: int) -> dict[str, str]:
    return {"HostIp": "127.0.0.1", "HostPort": str(port)}


def _tmpfs(spec: SandboxSpec) -> Mapping[str, str]:
    found = {}
    if spec.read_only and "/tmp" not in spec.writable:  # noqa: S108  # inside the container
        found["/tmp"] = f"rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}"  # noqa: S108  # inside the container
    if spec.secrets:
        found[spec.secrets] = f"rw,noexec,nosuid,nodev,mode=0700,size={SECRETS_BYTES}"
    return found


def _volumes(spec: SandboxSpec) -> list[dict[str, Any]]:
    anonymous = [{"Type": "volume", "Target": path} for path in spec.writable]
    if spec.cache is None:
        return anonymous
    volume, path = spec.cache
    return [*anonymous, {"Type": "volume", "Source": volume, "Target": path}]
