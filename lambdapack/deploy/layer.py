"""What has to happen so that a layer is published as wanted. Pure: from what is wanted and observed to steps."""

from dataclasses import dataclass, field

from lambdapack.deploy.nouns import LayerVersion, NewLayer, Permission, Stored
from lambdapack.deploy.plan import DIRECT_MOST, MEMORY_PREFIX, Upload
from lambdapack.deploy.wanted import Package
from lambdapack.model import Architecture, Finding


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """One layer as it should be."""

    name: str
    package: Package
    content_digest: str
    runtimes: tuple[str, ...]  # what its bytes are good for
    architectures: tuple[Architecture, ...]
    permissions: tuple[Permission, ...] = ()
    bucket: str = ""
    keep: int = 0  # newest versions that stay in any case; 0: all

    @property
    def new(self) -> NewLayer:
        """The version, as AWS is told of it."""
        description = f"{MEMORY_PREFIX}content {self.content_digest}"
        return NewLayer(self.name, description, self.runtimes, self.architectures)

    @property
    def through_bucket(self) -> bool:
        """Whether the zip has to go by way of S3, and may."""
        return bool(self.bucket) and self.package.zip_bytes > DIRECT_MOST


@dataclass(frozen=True, slots=True)
class Spared:
    """A version that is old enough to go, and stays."""

    version: LayerVersion
    why: str  # "function:3 uses it", "it has a policy"


@dataclass(frozen=True, slots=True)
class SeenLayer:
    """What AWS had at one moment."""

    same: LayerVersion | None  # the latest version, when it is what is wanted
    latest: LayerVersion | None = None  # None: there is none
    permissions: tuple[Permission, ...] = ()  # of `same`
    spared: tuple[Spared, ...] = ()
    unused: tuple[LayerVersion, ...] = ()  # may go
    stored: Stored | None = None  # the package, when it is in the bucket already


@dataclass(frozen=True, slots=True)
class PublishLayer:
    """Make a version."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Let somebody else use the version."""

    permission: Permission


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an old version that nobody uses."""

    version: LayerVersion


LayerStep = Upload | PublishLayer | Permit | Delete


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """The steps for one layer, in order; none when it is as wanted."""

    wanted: WantedLayer
    seen: SeenLayer
    steps: tuple[LayerStep, ...]
    findings: tuple[Finding, ...] = field(default=())


def plan_layer(wanted: WantedLayer, seen: SeenLayer) -> LayerPlan:
    """Return what has to be done."""
    steps: list[LayerStep] = []
    if seen.same is None:
        if wanted.through_bucket and seen.stored is None:
            package = wanted.package
            steps.append(Upload(Stored(wanted.bucket, package.key, package.zip_bytes, "", package.code_digest)))
        steps.append(PublishLayer())
    given = {(each.principal, each.organization) for each in seen.permissions}
    steps += [Permit(each) for each in wanted.permissions if (each.principal, each.organization) not in given]
    steps += [Delete(each) for each in seen.unused]
    return LayerPlan(wanted, seen, tuple(steps))


def is_same(wanted: WantedLayer, version: LayerVersion) -> bool:
    """Tell whether a version says of itself what is wanted; its bytes only when it was asked for alone."""
    told = (set(version.runtimes), set(version.architectures))
    digests = {wanted.package.code_digest, ""}
    return told == (set(wanted.runtimes), set(wanted.architectures)) and version.code_digest in digests
