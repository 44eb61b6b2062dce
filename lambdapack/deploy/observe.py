"""Reads a function's state from AWS for a plan, and checks a deployment before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import LATEST, Consumer, DesiredFunction, LambdaFunction, LayerVersion, Observed
from lambdapack.deploy.plan import MAX_DIRECT_ZIP_BYTES, is_sent_through_s3, is_up_to_date
from lambdapack.errors.cloud import ACCESS_DENIED
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture, Finding
from lambdapack.rules.model.deploy_records import (
    ARCHITECTURE_DIFFERS,
    BUCKET_MISSING,
    CONSUMERS_UNSEEN,
    LATEST_CONSUMER,
    LAYER_ARCHITECTURE,
    LAYER_UNSEEN,
    RUNTIME_DIFFERS,
)


def observe(cloud: Cloud, desired: DesiredFunction) -> Observed:
    """Return the state of a function in AWS."""
    latest = cloud.function(desired.function)
    if latest is None:
        return _observe_stored_zip(cloud, desired, Observed(None))
    if not desired.alias:
        observed = Observed(latest, _find_published_version(cloud, latest))
    else:
        observed = Observed(latest, cloud.function(desired.function, desired.alias))
    if is_up_to_date(desired, observed):
        return observed
    return _observe_stored_zip(cloud, desired, _observe_details(cloud, desired, observed))


def _find_published_version(cloud: Cloud, latest: LambdaFunction) -> LambdaFunction | None:
    """Return the newest version with the code and settings of $LATEST."""
    newest = None
    for lambda_function in cloud.versions(latest.name):
        same = (lambda_function.code_digest, lambda_function.settings_digest) == (
            latest.code_digest,
            latest.settings_digest,
        )
        newest = lambda_function if same and lambda_function.version != LATEST else newest
    return newest


def _observe_details(cloud: Cloud, desired: DesiredFunction, observed: Observed) -> Observed:
    if desired.alias and observed.live_version:
        alias = cloud.alias(desired.function, desired.alias)
        other = alias.weights[0][0] if alias and alias.weights else ""
        shifted = cloud.function(desired.function, other) if other else None
        observed = replace(observed, alias=alias, canary_version=shifted)
    try:
        consumers: tuple[Consumer, ...] = tuple(cloud.consumers(desired.function))
    except LambdapackError as error:
        if error.failure is not ACCESS_DENIED:
            raise
        return replace(observed, missing_actions=(error.detail.partition(" ")[0],))
    return replace(observed, consumers=consumers)


def _observe_stored_zip(cloud: Cloud, desired: DesiredFunction, observed: Observed) -> Observed:
    if not is_sent_through_s3(desired):
        return observed
    stored = cloud.find_object(desired.bucket, desired.package.object_key)
    same = stored and (stored.size, stored.code_digest) == (desired.package.zip_bytes, desired.package.code_digest)
    return replace(observed, stored_zip=stored if same else None)


CONSUMER_MESSAGES = {
    "function-url": "the function URL {} serves $LATEST",
    "permission": "{} may call $LATEST",
    "event-source": "the event source {} sends to $LATEST",
}


@dataclass(frozen=True, slots=True)
class FunctionLayers:
    """The layers that the function will use."""

    versions: tuple[LayerVersion, ...] = ()
    unreadable: tuple[str, ...] = ()  # ARNs


def check_deployment(
    desired: DesiredFunction, observed: Observed, layers: FunctionLayers, architecture: Architecture
) -> Iterator[Finding]:
    """Yield the findings about deploying the package to the function."""
    latest = observed.latest
    if latest:
        yield from _check_function(desired, latest)
    if desired.package.zip_bytes > MAX_DIRECT_ZIP_BYTES and not desired.bucket:
        size = (("bytes", desired.package.zip_bytes), ("most", MAX_DIRECT_ZIP_BYTES))
        message = f"the zip has {desired.package.zip_bytes} bytes, {MAX_DIRECT_ZIP_BYTES} is the most"
        yield Finding(BUCKET_MISSING, "", message, evidence=size)
    yield from check_attached_layers(layers, architecture)
    for consumer in observed.consumers:
        yield _consumer_finding(desired, consumer)
    for action in observed.missing_actions:
        yield Finding(CONSUMERS_UNSEEN, "", f"the IAM action {action} is not allowed", evidence=(("action", action),))


def check_attached_layers(layers: FunctionLayers, architecture: Architecture) -> Iterator[Finding]:
    """Yield the findings about a function's layers, apart from their contents."""
    for layer_version in layers.versions:
        if layer_version.architectures and architecture not in layer_version.architectures:
            architectures = " and ".join(cpu.aws for cpu in layer_version.architectures)
            yield Finding(
                LAYER_ARCHITECTURE,
                layer_version.arn,
                f"the layer is for {architectures}, the function is {architecture}",
            )
    for arn in layers.unreadable:
        yield Finding(LAYER_UNSEEN, arn, "these credentials may not read it, or it was deleted")


def _check_function(desired: DesiredFunction, latest: LambdaFunction) -> Iterator[Finding]:
    made_for = desired.architecture
    if made_for and made_for is not latest.architecture and not desired.allow_architecture:
        fix = f"Build with `--arch {latest.architecture}`, or switch the function with `--allow-arch-change`."
        message = f"the package is for {made_for}, {latest.name} runs on {latest.architecture}"
        yield Finding(
            ARCHITECTURE_DIFFERS,
            "",
            message,
            fix=fix,
            evidence=_mismatch_evidence(made_for.aws, latest.architecture.aws),
        )
    if desired.runtime and desired.runtime != latest.runtime and not desired.allow_runtime:
        fix = f"Build with `--runtime {latest.runtime}`, or switch the function with `--allow-runtime-change`."
        message = f"the package is for {desired.runtime}, {latest.name} runs {latest.runtime}"
        yield Finding(
            RUNTIME_DIFFERS, "", message, fix=fix, evidence=_mismatch_evidence(desired.runtime, latest.runtime)
        )


def _mismatch_evidence(package: str, function: str) -> tuple[tuple[str, str], ...]:
    return (("package", package), ("function", function))


def _consumer_finding(desired: DesiredFunction, consumer: Consumer) -> Finding:
    message = CONSUMER_MESSAGES[consumer.kind].format(consumer.identifier)
    fix = f"Point it at {desired.function}:{desired.alias}." if desired.alias else ""
    return Finding(LATEST_CONSUMER, consumer.identifier, message, fix=fix, evidence=(("kind", consumer.kind),))
