"""The create request of a container and the labels that say who owns it. Never talks to an engine."""

import hashlib
import os
import platform
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lambdapack.engine.interface import SandboxSpec

OWNER_LABEL = "dev.lambdapack.owner"
"""Label of every container of ours; its value is Owner.text."""

PURPOSE_LABEL = "dev.lambdapack.for"
"""Label that says what it is for, in one word."""

KEPT_LABEL = "dev.lambdapack.kept"
"""Label of a container that the user wants to look at."""

CACHE_LABEL = "dev.lambdapack.cache"
"""Label of a cache volume; its value is the directory it is mounted at."""

IDLE_STATES = frozenset(("created", "initialized", "configured", "exited", "dead", "stopped"))
"""States in which no dead man's switch works: what never started or was not removed at its end."""

ABANDONED_SECONDS = 3600
"""Age at which an idle container is nobody's, whatever its owner: none of our requests takes an hour."""


@dataclass(frozen=True, slots=True)
class ContainerOwner:
    """A process on a host."""

    host: str
    pid: int

    @property
    def text(self) -> str:
        """The label's value."""
        return f"{self.host}:{self.pid}"


def parse_owner(text: str) -> ContainerOwner | None:
    """Return the owner that a label names, None when it is not one of ours."""
    host, _, pid = text.rpartition(":")
    return ContainerOwner(host, int(pid)) if host and pid.isascii() and pid.isdigit() else None


def current_owner() -> ContainerOwner:
    """Return the owner of what this process makes. Process numbers count within one pid namespace of one host."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return ContainerOwner(hashlib.sha256(f"{platform.node()}\n{space}".encode()).hexdigest()[:12], os.getpid())


def is_alive(pid: int) -> bool:
    """Return False when there is surely no such process. On Windows nobody is asked: signal 0 would stop it."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def is_abandoned(
    container: Mapping[str, Any], me: ContainerOwner, now: float, lives: Callable[[int], bool] = is_alive
) -> bool:
    """Return True for a container of ours that nobody will remove: idle, and its owner gone or it very old."""
    labels = container.get("Labels") or {}
    owner = parse_owner(str(labels.get(OWNER_LABEL, "")))
    if owner is None or KEPT_LABEL in labels or str(container.get("State", "")).lower() not in IDLE_STATES:
        return False
    gone = owner.host == me.host and not lives(owner.pid)
    return gone or now - _creation_time(container) > ABANDONED_SECONDS


def _creation_time(container: Mapping[str, Any]) -> float:
    created = container.get("Created")
    return float(created) if isinstance(created, int | float) else float("inf")


MAIN_COMMAND: Final = ("cat",)
"""The main process: it ends when its standard input does, and that is our connection. The dead man's switch."""

GATE_SCRIPT: Final = 'IFS= read -r size || exit 125; [ "$size" = 0 ] && exec "$@" </dev/null; head -c "$size" | "$@"'
"""Starts a command when the first line of standard input says how long its own will be.

So nothing is printed before we listen (the SDK drops what came together with the response's header), and standard input
ends without a half-close, which TLS and ssh do not have. sh reads a pipe byte by byte: nothing is lost behind the line.
"""

SECRETS_TMPFS_BYTES: Final = 8 * 1024 * 1024
"""Size of the tmpfs for secrets: an .npmrc and a bundle of certificates (those of a Debian are 220 KB)."""

TMP_BYTES: Final = 512 * 1024 * 1024
"""Size of /tmp where the root is read-only: Lambda's own default (AWS Lambda developer guide, ephemeral storage)."""

CPU_SHARES: Final = 128
"""Weight of a sandbox's processes where the host's own have 1024 (docker run --cpu-shares): an eighth of what anything
else that wants the CPU gets, and all of it when nothing does."""

CAREFUL_ULIMITS: Final = (("nofile", 4096), ("nproc", 8192))
"""What a podman can set that was itself started without the right to raise its limits (docs/lab.md#7-podman)."""


def gate_command(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command line that waits for the length of its standard input."""
    return ("/bin/sh", "-c", GATE_SCRIPT, "lambdapack", *argv)


def container_name(label: str) -> str:
    """Return a name of its own, known before the engine has answered."""
    return f"lambdapack-{re.sub(r'[^a-z0-9]+', '-', label.lower()).strip('-') or 'sandbox'}-{secrets.token_hex(5)}"


def idle_config(image: str, owner: str, label: str) -> dict[str, Any]:
    """Return the request for a container that is looked into and never started."""
    return {
        "Image": image,
        "Entrypoint": list(MAIN_COMMAND),
        "Cmd": [],
        "Labels": {OWNER_LABEL: owner, PURPOSE_LABEL: label},
        "HostConfig": {"NetworkMode": "none"},
    }


def sandbox_config(spec: SandboxSpec, image: str, owner: str, *, careful: bool = False) -> dict[str, Any]:
    """Return the request for a sandbox. Its environment is the image's own: secrets never go there."""
    labels = {OWNER_LABEL: owner, PURPOSE_LABEL: spec.label} | ({KEPT_LABEL: "1"} if spec.keep else {})
    return {
        "Image": image,
        "Entrypoint": list(MAIN_COMMAND),
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": labels,
        "ExposedPorts": {f"{inside}/tcp": {} for _outside, inside in spec.publish},
        "HostConfig": _host_config(spec, careful=careful),
    }


def _host_config(spec: SandboxSpec, *, careful: bool) -> dict[str, Any]:
    limits = spec.limits
    host: dict[str, Any] = {
        "AutoRemove": not spec.keep,
        "SecurityOpt": ["no-new-privileges"],
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,  # memory and swap together: no swap
        "PidsLimit": limits.processes,
        "ReadonlyRootfs": spec.read_only,
        "Tmpfs": dict(_tmpfs_mounts(spec)),
        "Mounts": _volume_mounts(spec),
    }
    if not spec.capabilities:
        host["CapDrop"] = ["ALL"]
    if spec.publish:
        host["PortBindings"] = {f"{inside}/tcp": [_loopback_binding(outside)] for outside, inside in spec.publish}
    if not spec.network:
        host["NetworkMode"] = "none"
    if not careful:  # a rootless engine may have no say over the CPU
        host["CpuShares"] = CPU_SHARES
    if careful:
        host["Ulimits"] = [{"Name": ulimit, "Soft": value, "Hard": value} for ulimit, value in CAREFUL_ULIMITS]
    return host


def _loopback_binding(port: int) -> dict[str, str]:
    return {"HostIp": "127.0.0.1", "HostPort": str(port)}


def _tmpfs_mounts(spec: SandboxSpec) -> Mapping[str, str]:
    found = {}
    if spec.read_only and "/tmp" not in spec.writable:  # noqa: S108  # inside the container
        found["/tmp"] = f"rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}"  # noqa: S108  # inside the container
    if spec.secrets:
        found[spec.secrets] = f"rw,noexec,nosuid,nodev,mode=0700,size={SECRETS_TMPFS_BYTES}"
    return found


def _volume_mounts(spec: SandboxSpec) -> list[dict[str, Any]]:
    anonymous = [{"Type": "volume", "Target": path} for path in spec.writable]
    named: list[dict[str, Any]] = [
        {"Type": "volume", "Source": volume.name, "Target": volume.directory}
        | ({"ReadOnly": True} if volume.read_only else {})
        for volume in spec.volumes
    ]
    return [*anonymous, *named]
