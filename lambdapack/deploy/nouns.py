"""What AWS holds of functions, aliases and layers, and the function that a deployment should produce."""

import base64
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
class LambdaFunction:
    """One version of a function, $LATEST or a published one."""

    name: str
    arn: str  # with the version or alias that was asked for
    version: str  # LATEST or a number
    package_type: str  # "Zip" or "Image"
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
    settings_digest: str  # digest over everything that a published version freezes besides the code
    revision: str  # RevisionId; "" from an emulator that has none. Changes again when an update completes
    state: str  # "Active", "Pending", "Failed", "Inactive" ...
    update_status: str  # LastUpdateStatus; "" where AWS leaves it out
    failure_reason: str = ""  # "CODE: sentence" of a state or update that failed
    description: str = ""

    @property
    def version_arn(self) -> str:
        """The ARN of exactly this version, whatever alias it was asked for by."""
        return f"{unqualified_arn(self.arn)}:{self.version}"

    @property
    def is_settled(self) -> bool:
        """Nothing is under way: the next change is not refused with 409."""
        return self.state != "Pending" and self.update_status != "InProgress"

    @property
    def has_failed(self) -> bool:
        """It cannot run, or its last update was not taken."""
        return self.state == "Failed" or self.update_status == "Failed"


def unqualified_arn(arn: str) -> str:
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
    identifier: str  # the URL, the principal, the source's ARN


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object in a bucket."""

    bucket: str
    key: str
    size: int  # bytes
    version: str = ""  # "" in a bucket without versioning
    code_digest: str = ""  # as we noted it beside the object; "" when nobody did


@dataclass(frozen=True, slots=True)
class LocalZip:
    """A zip on this host, sent with the request itself."""

    path: Path


CodeSource = LocalZip | S3Object


@dataclass(frozen=True, slots=True)
class FunctionSettings:
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
class SmokeAnswer:
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
class LayerPermission:
    """One statement of a layer version's policy."""

    sid: str
    principal: str  # an account, or "*"
    organization: str = ""

    @property
    def grantee(self) -> str:
        """Who may use it, for people."""
        return self.organization or ("everybody" if self.principal == "*" else self.principal)


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who is calling."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the account may hold, in bytes. The defaults are AWS's documented ones, read 2026-11-20."""

    zipped_bytes: int = 52_428_800
    unzipped_bytes: int = 262_144_000
    storage_bytes: int = 80_530_636_800
    used_bytes: int = 0


OBJECT_KEY_PREFIX = "lambdapack/"
"""Where our objects are in a bucket; README's policy allows no other place."""


@dataclass(frozen=True, slots=True)
class DeploymentPackage:
    """A zip on this host."""

    path: Path
    code_digest: str
    zip_bytes: int

    @property
    def object_key(self) -> str:
        """Its place in a bucket: equal bytes have the same."""
        return f"{OBJECT_KEY_PREFIX}{base64.b64decode(self.code_digest).hex()}.zip"


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """An event that the new version has to answer before an alias points at it."""

    event: bytes = field(repr=False)
    name: str  # of its file
    status: int | None = None  # the answer's "statusCode"; None: none, or one below 400


@dataclass(frozen=True, slots=True)
class DesiredFunction:
    """One function as it should be."""

    function: str
    package: DeploymentPackage
    alias: str = ""
    runtime: str | None = None  # what the package is made for; None: nobody said, so the function's own
    architecture: Architecture | None = None
    settings: FunctionSettings = field(default_factory=FunctionSettings)  # None fields stay as they are
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # set these, keep the others
    creation_settings: FunctionSettings | None = (
        None  # of a function that is made when there is none; None: it is not made
    )
    creation_architecture: Architecture = Architecture.X86_64
    bucket: str = ""
    smoke: SmokeTest | None = None
    canary: float = 0.0  # part of the traffic that the new version gets, below 1; 0: all of it
    allow_architecture: bool = False
    allow_runtime: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What AWS had at one moment. What is not needed to see that nothing is to do is read only when something is."""

    latest: LambdaFunction | None  # None: there is no such function
    live_version: LambdaFunction | None = (
        None  # what the alias points at; without one, the version that has what $LATEST has
    )
    alias: Alias | None = None
    canary_version: LambdaFunction | None = None  # the other version that gets a part of the alias's traffic
    consumers: tuple[Consumer, ...] = ()
    missing_actions: tuple[str, ...] = ()  # IAM actions that are missing to know the consumers
    stored_zip: S3Object | None = None  # the package, when it is in the bucket already
