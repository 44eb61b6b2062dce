"""Plans and publishes a layer version, shares it and deletes old versions. An interrupted run can be repeated."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.interrupt import StopFlag
from lambdapack.deploy.nouns import DeploymentPackage, LayerPermission, LayerVersion, LocalZip, NewLayer, S3Object
from lambdapack.deploy.plan import DESCRIPTION_PREFIX, MAX_DIRECT_ZIP_BYTES, Upload
from lambdapack.errors.cloud import AMBIGUOUS_FAILURES, BAD_REPLY, EXISTS, OTHER_CODE, UNREACHABLE
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.model import Architecture, Finding


@dataclass(frozen=True, slots=True)
class DesiredLayer:
    """The desired state of one layer."""

    name: str
    package: DeploymentPackage
    content_digest: str
    runtimes: tuple[str, ...]  # what its bytes are good for
    architectures: tuple[Architecture, ...]
    permissions: tuple[LayerPermission, ...] = ()
    bucket: str = ""
    keep: int = 0  # newest versions that stay in any case; 0: all

    @property
    def new_version(self) -> NewLayer:
        """The request to publish this version."""
        description = f"{DESCRIPTION_PREFIX}content {self.content_digest}"
        return NewLayer(self.name, description, self.runtimes, self.architectures)

    @property
    def uses_bucket(self) -> bool:
        """Whether the zip is uploaded to S3: it is too large for a request and there is a bucket."""
        return bool(self.bucket) and self.package.zip_bytes > MAX_DIRECT_ZIP_BYTES


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """An old version that is not deleted, and why."""

    version: LayerVersion
    reason: str  # "function:3 uses it", "it has a resource policy"


@dataclass(frozen=True, slots=True)
class ObservedLayer:
    """The state of a layer in AWS."""

    matching: LayerVersion | None  # the latest version, when it is what is wanted
    latest: LayerVersion | None = None  # None: there is none
    permissions: tuple[LayerPermission, ...] = ()  # of `same`
    kept: tuple[KeptVersion, ...] = ()
    unused: tuple[LayerVersion, ...] = ()  # may go
    stored_zip: S3Object | None = None  # the package, when it is in the bucket already
    bucket_problem: str = ""  # why the bucket cannot be used


@dataclass(frozen=True, slots=True)
class PublishLayer:
    """Publish a version."""


@dataclass(frozen=True, slots=True)
class AddLayerPermission:
    """Allow another account or organization to use the version."""

    permission: LayerPermission


@dataclass(frozen=True, slots=True)
class DeleteLayerVersion:
    """Delete an old, unused version."""

    version: LayerVersion


LayerStep = Upload | PublishLayer | AddLayerPermission | DeleteLayerVersion


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """The steps for one layer, in order; none when it is up to date."""

    desired: DesiredLayer
    observed: ObservedLayer
    steps: tuple[LayerStep, ...]
    findings: tuple[Finding, ...] = field(default=())


def plan_layer(desired: DesiredLayer, observed: ObservedLayer) -> LayerPlan:
    """Return the plan that brings a layer to the desired state."""
    steps: list[LayerStep] = []
    if observed.matching is None:
        if desired.uses_bucket and observed.stored_zip is None:
            package = desired.package
            steps.append(
                Upload(S3Object(desired.bucket, package.object_key, package.zip_bytes, "", package.code_digest))
            )
        steps.append(PublishLayer())
    granted = {(layer_permission.principal, layer_permission.organization) for layer_permission in observed.permissions}
    steps += [
        AddLayerPermission(layer_permission)
        for layer_permission in desired.permissions
        if (layer_permission.principal, layer_permission.organization) not in granted
    ]
    steps += [DeleteLayerVersion(layer_version) for layer_version in observed.unused]
    return LayerPlan(desired, observed, tuple(steps))


def is_same_layer(desired: DesiredLayer, version: LayerVersion) -> bool:
    """Tell whether a version has the desired runtimes, architectures and, where AWS states its digest, bytes."""
    declared = (set(version.runtimes), set(version.architectures))
    digests = {desired.package.code_digest, ""}
    return declared == (set(desired.runtimes), set(desired.architectures)) and version.code_digest in digests


def observe_layer(cloud: Cloud, desired: DesiredLayer) -> ObservedLayer:
    """Return the state of a layer in AWS; two calls when it is up to date."""
    versions = cloud.layer_versions(desired.name)
    latest = next(versions, None)
    same = _find_same_version(cloud, desired, latest)
    spared, unused = (
        _split_old_versions(cloud, desired, [latest, *versions], same) if latest and desired.keep else ((), ())
    )
    stored = None if same else _find_stored_zip(cloud, desired)
    problem = "" if same or stored or not desired.uses_bucket else cloud.bucket_problem(desired.bucket)
    return ObservedLayer(
        matching=same,
        latest=latest,
        permissions=cloud.layer_policy(desired.name, same.number) if same and desired.permissions else (),
        kept=spared,
        unused=unused,
        stored_zip=stored,
        bucket_problem=problem,
    )


def _find_same_version(cloud: Cloud, desired: DesiredLayer, latest: LayerVersion | None) -> LayerVersion | None:
    if latest is None or not is_same_layer(desired, latest):
        return None
    version = cloud.layer_version(desired.name, latest.number)
    return version if version and version.code_digest and is_same_layer(desired, version) else None


def _split_old_versions(
    cloud: Cloud, desired: DesiredLayer, versions: Sequence[LayerVersion], same: LayerVersion | None
) -> tuple[tuple[KeptVersion, ...], tuple[LayerVersion, ...]]:
    """Return the versions beyond the newest ones to keep: those in use or shared, and those to delete."""
    old = versions[desired.keep - (0 if same else 1) :]
    if not old:
        return (), ()
    users = _read_layer_users(cloud)
    spared: list[KeptVersion] = []
    unused: list[LayerVersion] = []
    for layer_version in old:
        why = f"{users[layer_version.arn]} uses it" if layer_version.arn in users else ""
        why = why or ("it has a resource policy" if cloud.layer_policy(desired.name, layer_version.number) else "")
        if why:
            spared.append(KeptVersion(layer_version, why))
        else:
            unused.append(layer_version)
    return tuple(spared), tuple(unused)


def _read_layer_users(cloud: Cloud) -> Mapping[str, str]:
    """Return each layer version in use in the region, with one function version that uses it."""
    return {
        layer.arn: f"{lambda_function.name}:{lambda_function.version}"
        for lambda_function in cloud.all_versions()
        for layer in lambda_function.layers
    }


def _find_stored_zip(cloud: Cloud, desired: DesiredLayer) -> S3Object | None:
    package = desired.package
    stored = cloud.find_object(desired.bucket, package.object_key) if desired.uses_bucket else None
    return stored if stored and (stored.size, stored.code_digest) == (package.zip_bytes, package.code_digest) else None


@dataclass(slots=True)
class PublishedLayer:
    """The result of a layer plan, also of one that stopped halfway."""

    plan: LayerPlan
    version: LayerVersion | None = None
    deleted: list[LayerVersion] = field(default_factory=list)
    shared: list[LayerPermission] = field(default_factory=list)
    waiting: str = ""  # the write that was sent and is not answered

    def describe(self) -> Iterator[str]:
        """Yield what was changed so far, one sentence each, and what is not known."""
        desired = self.plan.desired
        if self.version and self.version is not self.plan.observed.matching:
            yield f"{self.version.arn} was published"
        for permission in self.shared:
            yield f"{desired.name} is shared with {permission.grantee}"
        for version in self.deleted:
            yield f"{version.arn} was deleted"
        if self.waiting:
            yield f"{desired.name}: no answer came to {self.waiting}, which may still take effect"


def publish_layers(plans: Sequence[LayerPlan], cloud: Cloud, observer: Observer = SILENT) -> tuple[PublishedLayer, ...]:
    """Run every plan and return the results in order; an error states what is already published."""
    return LayerRun(plans, cloud, observer).apply()


@dataclass(slots=True)
class LayerRun:
    """One publication of several layers, which another thread may stop and describe."""

    plans: Sequence[LayerPlan]
    cloud: Cloud
    observer: Observer = SILENT
    stop: StopFlag = field(default_factory=StopFlag)
    layers: tuple[PublishedLayer, ...] = ()

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.layers = tuple(PublishedLayer(plan, plan.observed.matching) for plan in self.plans)

    def apply(self) -> tuple[PublishedLayer, ...]:
        """Run every plan and return the results in order."""
        with _add_versions_to_errors(self.layers):
            for layer in self.layers:
                for step in layer.plan.steps:
                    self.stop.check()
                    _run_step(step, layer, self.cloud, self.observer)
        return self.layers

    def describe(self, _seconds: float) -> str:
        """Return what was changed so far; "" when nothing was."""
        return "\n".join(sentence for layer in self.layers for sentence in layer.describe())


def _run_step(step: LayerStep, layer: PublishedLayer, cloud: Cloud, observer: Observer) -> None:
    name = layer.plan.desired.name
    match step:
        case Upload(stored):
            with observer.task(f"Uploading to s3://{stored.bucket}/{stored.key}", stored.size, "B") as advance:
                cloud.upload_object(stored, layer.plan.desired.package.path, advance)
        case PublishLayer():
            with observer.task(f"Publishing {name}"), _sending(layer, "PublishLayerVersion"):
                layer.version = _publish_version(layer.plan.desired, cloud)
        case AddLayerPermission():
            with observer.task(f"Sharing {name} with {step.permission.grantee}"):
                with _sending(layer, "AddLayerVersionPermission"):
                    _add_permission(step, layer, cloud)
                layer.shared.append(step.permission)
        case DeleteLayerVersion(version):
            with observer.task(f"Deleting {name}:{version.number}"), _sending(layer, "DeleteLayerVersion"):
                cloud.delete_layer_version(name, version.number)
            layer.deleted.append(version)
        case _:
            assert_never(step)


def _publish_version(desired: DesiredLayer, cloud: Cloud) -> LayerVersion:
    code = _find_stored_zip(cloud, desired) or LocalZip(desired.package.path)
    try:
        version = cloud.publish_layer(desired.new_version, code)
    except LambdapackError as error:
        if error.failure not in AMBIGUOUS_FAILURES:
            raise
        existing = _find_same_version(cloud, desired, next(cloud.layer_versions(desired.name), None))
        if existing is None:
            raise
        return existing  # the version was published, but the reply was lost
    if version.code_digest != desired.package.code_digest:
        raise LambdapackError(OTHER_CODE, f"{version.arn} has {version.code_digest}, not {desired.package.code_digest}")
    return version


def _add_permission(step: AddLayerPermission, layer: PublishedLayer, cloud: Cloud) -> None:
    version = layer.version
    if version is None:
        raise ValueError(f"the plan of {layer.plan.desired.name} shares a version that is not there")
    try:
        cloud.permit_layer(layer.plan.desired.name, version.number, step.permission)
    except LambdapackError as error:
        if error.failure is not EXISTS:  # else the permission was added, but the reply was lost
            raise


@contextmanager
def _sending(layer: PublishedLayer, operation: str) -> Iterator[None]:
    """Note that a write is under way, and forget it when AWS has answered or refused."""
    layer.waiting = operation
    try:
        yield
    except LambdapackError as error:
        layer.waiting = operation if error.failure in (UNREACHABLE, BAD_REPLY) else ""
        raise
    layer.waiting = ""


@contextmanager
def _add_versions_to_errors(layers: Sequence[PublishedLayer]) -> Iterator[None]:
    try:
        yield
    except LambdapackError as error:
        stands = "\n".join(sentence for layer in layers for sentence in layer.describe())
        if not stands:
            raise
        raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error
