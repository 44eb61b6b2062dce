"""What AWS holds, in our words. Facts as they were at one moment: each has to be read again before it is relied on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.model import Architecture

LATEST = "$LATEST"
"""AWS's name for the one version of a function that can be changed."""


@dataclass(frozen=True, slots=True)
class AttachedLayer:
    """A layer version as a function lists it."""

    arn: str
    zip_bytes: int  # 0 when AWS did not say


@dataclass(frozen=True, slots=True)
class Function:
    """One version of a function, $LATEST or a published one."""

    name: str
    arn: str  # with the version or alias that was asked for
    version: str  # LATEST or a number
    package: str  # "Zip" or "Image"
    runtime: str  # "" for an image
    architecture: Architecture
    handler: str
    role: str
    layers: tuple[AttachedLayer, ...]
    code_digest: str  # CodeSha256
    code_bytes: int
    timeout: int  # seconds
    memory: int  # MiB
    environment: Mapping[str, str] = field(repr=False)  # may hold secrets
    settings: str  # digest over everything that a published version freezes besides the code
    revision: str  # RevisionId; "" from an emulator that has none. Changes again when an update completes
    state: str  # "Active", "Pending", "Failed", "Inactive" ...
    update: str  # LastUpdateStatus; "" where AWS leaves it out
    reason: str = ""  # "CODE: sentence" of a state or update that failed
    description: str = ""

    @property
    def version_arn(self) -> str:
        """The ARN of exactly this version, whatever alias it was asked for by."""
        return f"{unqualified(self.arn)}:{self.version}"

    @property
    def settled(self) -> bool:
        """Nothing is under way: the next change is not refused with 409."""
        return self.state != "Pending" and self.update != "InProgress"

    @property
    def failed(self) -> bool:
        """It cannot run, or its last update was not taken."""
        return self.state == "Failed" or self.update == "Failed"


def unqualified(arn: str) -> str:
    """Return a function's ARN without version or alias: arn:aws:lambda:REGION:ACCOUNT:function:NAME."""
    return ":".join(arn.split(":")[:7])


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that points at a version, with at most one other that gets a part of the traffic."""

    name: str
    arn: str
    version: str
    weights: tuple[tuple[str, float], ...] = ()  # other version, its part of the traffic from 0 to 1
    description: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who calls the function without version or alias, and so gets $LATEST at once."""

    kind: str  # "function-url", "permission", "event-source"
    who: str  # the URL, the principal, the source's ARN


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a bucket."""

    bucket: str
    key: str
    size: int  # bytes
    version: str = ""  # "" in a bucket without versioning
    code_digest: str = ""  # as we noted it beside the object; "" when nobody did


@dataclass(frozen=True, slots=True)
class Local:
    """A zip on this host, sent with the request itself."""

    path: Path


Code = Local | Stored


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a function. None: leave as it is, or AWS's default for a new one."""

    runtime: str | None = None
    handler: str | None = None
    role: str | None = None
    timeout: int | None = None  # seconds
    memory: int | None = None  # MiB
    environment: Mapping[str, str] | None = field(default=None, repr=False)  # all of it: AWS replaces, never merges
    layers: tuple[str, ...] | None = None  # ARNs of versions, all of them
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invoked function returned."""

    payload: bytes
    error: str = ""  # FunctionError: "Handled" or "Unhandled"; "" when it went well
    log: str = ""  # the last 4 KB
    version: str = ""  # the version that ran, "" when AWS did not say


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One version of a layer."""

    arn: str  # with the version
    name: str
    number: int
    description: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[Architecture, ...] = ()
    code_digest: str = ""  # "" in a list: AWS says it of one version only
    zip_bytes: int = 0  # 0 in a list
    location: str = field(default="", repr=False)  # a signed URL, good for ten minutes; "" in a list


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer version to publish."""

    name: str
    description: str
    runtimes: tuple[str, ...]
    architectures: tuple[Architecture, ...]
    license: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement of a layer version's policy."""

    sid: str
    principal: str  # an account, or "*"
    organization: str = ""

    @property
    def whom(self) -> str:
        """Who may use it, for people."""
        return self.organization or ("everybody" if self.principal == "*" else self.principal)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the account may hold, in bytes. The defaults are AWS's documented ones, read 2026-11-20."""

    zipped: int = 52_428_800
    unzipped: int = 262_144_000
    total: int = 80_530_636_800
    used: int = 0
