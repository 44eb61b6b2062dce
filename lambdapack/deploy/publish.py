"""Reads of AWS what a layer's plan needs, and does what the plan says. Stopped anywhere, the next run goes on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.layer import (
    Delete,
    LayerPlan,
    LayerStep,
    Permit,
    PublishLayer,
    SeenLayer,
    Spared,
    WantedLayer,
    is_same,
)
from lambdapack.deploy.nouns import LayerVersion, Local, Stored
from lambdapack.deploy.plan import Upload
from lambdapack.errors import EXISTS, OTHER_CODE, SERVICE, UNREACHABLE, LambdapackError
from lambdapack.events import SILENT, Observer


def observe_layer(cloud: Cloud, wanted: WantedLayer) -> SeenLayer:
    """Return what AWS has of a layer: two calls when nothing is to do and nothing else is wanted."""
    versions = cloud.layer_versions(wanted.name)
    latest = next(versions, None)
    same = _same(cloud, wanted, latest)
    spared, unused = _leftover(cloud, wanted, [latest, *versions], same) if latest and wanted.keep else ((), ())
    return SeenLayer(
        same=same,
        latest=latest,
        permissions=cloud.layer_policy(wanted.name, same.number) if same and wanted.permissions else (),
        spared=spared,
        unused=unused,
        stored=None if same else _stored(cloud, wanted),
    )


def _same(cloud: Cloud, wanted: WantedLayer, latest: LayerVersion | None) -> LayerVersion | None:
    if latest is None or not is_same(wanted, latest):
        return None
    found = cloud.layer_version(wanted.name, latest.number)
    return found if found and found.code_digest and is_same(wanted, found) else None


def _leftover(
    cloud: Cloud, wanted: WantedLayer, versions: Sequence[LayerVersion], same: LayerVersion | None
) -> tuple[tuple[Spared, ...], tuple[LayerVersion, ...]]:
    """Return the versions beyond those that stay: who is used or shared, and who may go."""
    old = versions[wanted.keep - (0 if same else 1) :]
    if not old:
        return (), ()
    users = _users(cloud)
    spared: list[Spared] = []
    unused: list[LayerVersion] = []
    for each in old:
        why = f"{users[each.arn]} uses it" if each.arn in users else ""
        why = why or ("it has a policy" if cloud.layer_policy(wanted.name, each.number) else "")
        if why:
            spared.append(Spared(each, why))
        else:
            unused.append(each)
    return tuple(spared), tuple(unused)


def _users(cloud: Cloud) -> Mapping[str, str]:
    """Return each layer version that a function version of the region has, with one of those that have it."""
    return {layer.arn: f"{each.name}:{each.version}" for each in cloud.every_version() for layer in each.layers}


def _stored(cloud: Cloud, wanted: WantedLayer) -> Stored | None:
    package = wanted.package
    found = cloud.stored(wanted.bucket, package.key) if wanted.through_bucket else None
    return found if found and (found.size, found.code_digest) == (package.zip_bytes, package.code_digest) else None


@dataclass(slots=True)
class PublishedLayer:
    """One layer after its plan was carried out, or as far as that came."""

    plan: LayerPlan
    version: LayerVersion | None = None
    deleted: list[LayerVersion] = field(default_factory=list)


def publish_layers(plans: Sequence[LayerPlan], cloud: Cloud, observer: Observer = SILENT) -> tuple[PublishedLayer, ...]:
    """Return what became of every plan, in their order; a failure says what is published already."""
    done = tuple(PublishedLayer(each, each.seen.same) for each in plans)
    with _telling(done):
        for each in done:
            for step in each.plan.steps:
                _do(step, each, cloud, observer)
    return done


def _do(step: LayerStep, layer: PublishedLayer, cloud: Cloud, observer: Observer) -> None:
    name = layer.plan.wanted.name
    match step:
        case Upload(stored):
            with observer.task(f"Uploading to s3://{stored.bucket}/{stored.key}", stored.size, "B") as advance:
                cloud.store(stored, layer.plan.wanted.package.path, advance)
        case PublishLayer():
            with observer.task(f"Publishing {name}"):
                layer.version = _published(layer.plan.wanted, cloud)
        case Permit():
            with observer.task(f"Sharing {name} with {step.permission.whom}"):
                _permit(step, layer, cloud)
        case Delete(version):
            with observer.task(f"Deleting {name}:{version.number}"):
                cloud.delete_layer_version(name, version.number)
            layer.deleted.append(version)
        case _:
            assert_never(step)


def _published(wanted: WantedLayer, cloud: Cloud) -> LayerVersion:
    code = _stored(cloud, wanted) or Local(wanted.package.path)
    try:
        made = cloud.publish_layer(wanted.new, code)
    except LambdapackError as error:
        if error.failure not in (UNREACHABLE, SERVICE):
            raise
        found = _same(cloud, wanted, next(cloud.layer_versions(wanted.name), None))
        if found is None:
            raise
        return found  # it was made, and the reply lost
    if made.code_digest != wanted.package.code_digest:
        raise LambdapackError(OTHER_CODE, f"{made.arn} has {made.code_digest}, not {wanted.package.code_digest}")
    return made


def _permit(step: Permit, layer: PublishedLayer, cloud: Cloud) -> None:
    version = layer.version
    if version is None:
        raise ValueError(f"the plan of {layer.plan.wanted.name} shares a version that is not there")
    try:
        cloud.permit_layer(layer.plan.wanted.name, version.number, step.permission)
    except LambdapackError as error:
        if error.failure is not EXISTS:  # else it was done, and the reply lost
            raise


@contextmanager
def _telling(layers: Sequence[PublishedLayer]) -> Iterator[None]:
    try:
        yield
    except LambdapackError as error:
        made = [each.version for each in layers if each.version and each.version is not each.plan.seen.same]
        if not made:
            raise
        stands = "\n".join(f"{each.arn} is published" for each in made)
        raise LambdapackError(error.failure, f"{error.detail}\n{stands}", hint=error.hint) from error
