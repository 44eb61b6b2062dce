"""The state of functions, aliases and layers in AWS, and the desired state of a function."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdapack.model import Architecture

LATEST = "$LATEST"
"""AWS's name for the one mutable version of a function."""


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
    environment_error: str = ""  # why AWS does not show the variables, when it says so
    ephemeral_storage: int = 512  # MiB of /tmp
    tracing: str = "PassThrough"  # "Active" or "PassThrough"
    logging: Mapping[str, str] = field(default_factory=dict)  # LoggingConfig
    last_modified: str = ""  # as AWS writes it
    hardware: tuple[str, ...] = ()  # "CapacityProviderConfig", "AcceleratorConfig": those that raise its limits

    @property
    def version_arn(self) -> str:
        """The ARN of this version, also when it was read by an alias."""
        return f"{unqualified_arn(self.arn)}:{self.version}"

    @property
    def is_settled(self) -> bool:
        """Whether no update is in progress, so that AWS does not refuse the next change with 409."""
        return self.state != "Pending" and self.update_status != "InProgress"

    @property
    def has_failed(self) -> bool:
        """Whether it cannot run or its last update failed."""
        return self.state == "Failed" or self.update_status == "Failed"


def unqualified_arn(arn: str) -> str:
    """Return a function's ARN without version or alias: arn:aws:lambda:REGION:ACCOUNT:function:NAME."""
    return ":".join(arn.split(":")[:7])


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a version, with at most one other version that gets part of the traffic."""

    name: str
    arn: str
    version: str
    weights: tuple[tuple[str, float], ...] = ()  # other version, its part of the traffic from 0 to 1
    description: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A caller of the function without version or alias, which gets $LATEST at once."""

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
    """Settings of a function. None: unchanged, or AWS's default for a new function."""

    runtime: str | None = None
    handler: str | None = None
    role: str | None = None
    timeout: int | None = None  # seconds
    memory: int | None = None  # MiB
    environment: Mapping[str, str] | None = field(default=None, repr=False)  # all of it: AWS replaces, never merges
    layers: tuple[str, ...] | None = None  # ARNs of versions, all of them
    description: str | None = None
    ephemeral_storage: int | None = None  # MiB of /tmp
    tracing: str | None = None  # "Active" or "PassThrough"
    log_format: str | None = None  # "Text" or "JSON"
    logging: Mapping[str, str] | None = None  # LoggingConfig, all of it: AWS replaces it


@dataclass(frozen=True, slots=True)
class SmokeAnswer:
    """The answer of an invoked function."""

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
        """Who may use the layer, for display."""
        return self.organization or ("everybody" if self.principal == "*" else self.principal)


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The account and ARN of the credentials."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Code storage limits of the account, in bytes. The defaults are AWS's documented ones, read 2026-11-20."""

    zipped_bytes: int = 52_428_800
    unzipped_bytes: int = 262_144_000
    storage_bytes: int = 80_530_636_800
    used_bytes: int = 0


OBJECT_KEY_PREFIX = "lambdapack/"
"""Prefix of the objects that lambdapack stores in a bucket; the IAM policy in docs/deploying.md allows no other."""


@dataclass(frozen=True, slots=True)
class DeploymentPackage:
    """A zip on this host."""

    path: Path
    code_digest: str
    zip_bytes: int

    @property
    def object_key(self) -> str:
        """The key in a bucket, derived from the digest: equal bytes have the same key."""
        return f"{OBJECT_KEY_PREFIX}{base64.b64decode(self.code_digest).hex()}.zip"


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """An event that the new version has to answer before an alias points at it."""

    event: bytes = field(repr=False)
    name: str  # of its file
    status: int | None = None  # the answer's "statusCode"; None: none, or one below 400


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """A value that AWS would refuse, and how to change it."""

    name: str  # of the setting: "environment", "timeout"
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class DesiredFunction:
    """The desired state of one function."""

    function: str
    package: DeploymentPackage
    alias: str = ""
    runtime: str | None = None  # what the package is made for; None: nobody said, so the function's own
    architecture: Architecture | None = None
    settings: FunctionSettings = field(default_factory=FunctionSettings)  # None fields stay as they are
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # set these, keep the others
    removed_variables: tuple[str, ...] = ()  # names
    removed_layers: tuple[str, ...] = ()  # ARNs of versions, ARNs without a version, or names
    tags: tuple[tuple[str, str], ...] = ()  # set these, keep the others
    version_description: str = ""  # of the version that is published
    keep_versions: int = 0  # newest versions that stay in any case; 0: all
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
    """The state of a function in AWS. Details are read only when the function is not up to date."""

    latest: LambdaFunction | None  # None: there is no such function
    live_version: LambdaFunction | None = (
        None  # what the alias points at; without one, the version that has what $LATEST has
    )
    alias: Alias | None = None
    canary_version: LambdaFunction | None = None  # the other version that gets a part of the alias's traffic
    consumers: tuple[Consumer, ...] = ()
    missing_actions: tuple[str, ...] = ()  # IAM actions that are missing to know the consumers
    stored_zip: S3Object | None = None  # the package, when it is in the bucket already
    bucket_problem: str = ""  # why the bucket cannot be used, "" when it can or nothing is known
    tags: Mapping[str, str] | None = None  # of the function; None: not read
    reserved_concurrency: int | None = None  # None: none is reserved, or not read
    provisioned: int = 0  # provisioned concurrency of the alias
    old_versions: tuple[str, ...] = ()  # versions that may be deleted
    missing_layers: tuple[str, ...] = ()  # ARNs that are to be attached and do not exist
    problems: tuple[ValueProblem, ...] = ()  # values that AWS would refuse
