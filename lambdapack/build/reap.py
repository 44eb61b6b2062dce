"""Who made a container, and whether anybody will still remove it. Never removes one itself."""

import hashlib
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWNER = "dev.lambdapack.owner"
"""Label of every container of ours; its value is Owner.text."""

PURPOSE = "dev.lambdapack.for"
"""Label that says what it is for, in one word."""

KEPT = "dev.lambdapack.kept"
"""Label of a container that the user wants to look at."""

CACHE = "dev.lambdapack.cache"
"""Label of npm's cache volume."""

IDLE = frozenset(("created", "initialized", "configured", "exited", "dead", "stopped"))
"""States in which no dead man's switch works: what never started or was not removed at its end."""

OLD_SECONDS = 3600
"""Age at which an idle container is nobody's, whatever its owner: none of our requests takes an hour."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process on a host."""

    host: str
    pid: int

    @property
    def text(self) -> str:
        """The label's value."""
        return f"{self.host}:{self.pid}"


def parse(text: str) -> Owner | None:
    """Return the owner that a label names, None when it is not one of ours."""
    host, _, pid = text.rpartition(":")
    return Owner(host, int(pid)) if host and pid.isascii() and pid.isdigit() else None


def myself() -> Owner:
    """Return the owner of what this process makes. Process numbers count within one pid namespace of one host."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return Owner(hashlib.sha256(f"{platform.node()}\n{space}".encode()).hexdigest()[:12], os.getpid())


def alive(pid: int) -> bool:
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


def abandoned(container: Mapping[str, Any], me: Owner, now: float, lives: Callable[[int], bool] = alive) -> bool:
    """Return True for a container of ours that nobody will remove: idle, and its owner gone or it very old."""
    labels = container.get("Labels") or {}
    owner = parse(str(labels.get(OWNER, "")))
    if owner is None or KEPT in labels or str(container.get("State", "")).lower() not in IDLE:
        return False
    gone = owner.host == me.host and not lives(owner.pid)
    return gone or now - _created(container) > OLD_SECONDS


def _created(container: Mapping[str, Any]) -> float:
    created = container.get("Created")
    return float(created) if isinstance(created, int | float) else float("inf")
