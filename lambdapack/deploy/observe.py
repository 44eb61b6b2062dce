"""Reads of AWS what a plan needs: two calls when nothing is to do."""

from dataclasses import replace

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Consumer, Function
from lambdapack.deploy.plan import serves, through_bucket
from lambdapack.deploy.wanted import Observed, Wanted
from lambdapack.errors import ACCESS_DENIED, LambdapackError


def observe(cloud: Cloud, wanted: Wanted) -> Observed:
    """Return what AWS has of a function."""
    latest = cloud.function(wanted.function)
    if latest is None:
        return _stored(cloud, wanted, Observed(None))
    if not wanted.alias:
        seen = Observed(latest, _published(cloud, latest))
    else:
        seen = Observed(latest, cloud.function(wanted.function, wanted.alias))
    if serves(wanted, seen):
        return seen
    return _stored(cloud, wanted, _closer(cloud, wanted, seen))


def _published(cloud: Cloud, latest: Function) -> Function | None:
    """Return the newest version that is what $LATEST is."""
    found = None
    for each in cloud.versions(latest.name):
        same = (each.code_digest, each.settings) == (latest.code_digest, latest.settings)
        found = each if same and each.version != LATEST else found
    return found


def _closer(cloud: Cloud, wanted: Wanted, seen: Observed) -> Observed:
    if wanted.alias and seen.served:
        alias = cloud.alias(wanted.function, wanted.alias)
        other = alias.weights[0][0] if alias and alias.weights else ""
        shifted = cloud.function(wanted.function, other) if other else None
        seen = replace(seen, alias=alias, shifted=shifted)
    try:
        consumers: tuple[Consumer, ...] = tuple(cloud.consumers(wanted.function))
    except LambdapackError as error:
        if error.failure is not ACCESS_DENIED:
            raise
        return replace(seen, unseen=(error.detail.partition(" ")[0],))
    return replace(seen, consumers=consumers)


def _stored(cloud: Cloud, wanted: Wanted, seen: Observed) -> Observed:
    if not through_bucket(wanted):
        return seen
    found = cloud.stored(wanted.bucket, wanted.package.key)
    same = found and (found.size, found.code_digest) == (wanted.package.zip_bytes, wanted.package.code_digest)
    return replace(seen, stored=found if same else None)
