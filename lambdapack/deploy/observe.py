"""Reads a function's state from AWS for a plan, and checks a deployment before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambdapack.deploy.cleanup import find_old_versions
from lambdapack.deploy.cloud import Cloud
from lambdapack.deploy.nouns import (
    LATEST,
    Consumer,
    DesiredFunction,
    FunctionSettings,
    LambdaFunction,
    LayerVersion,
    Observed,
    ValueProblem,
    unqualified_arn,
)
from lambdapack.deploy.owners import find_owners
from lambdapack.deploy.plan import (
    MAX_DIRECT_ZIP_BYTES,
    is_sent_through_s3,
    is_up_to_date,
    new_function_settings,
    requested_settings,
    target_of,
)
from lambdapack.errors.cloud import ACCESS_DENIED
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture, Finding
from lambdapack.rules.model.deploy_records import (
    ARCHITECTURE_DIFFERS,
    BUCKET_MISSING,
    BUCKET_UNUSABLE,
    CANARY_UNSHARED,
    CONCURRENCY_ZERO,
    CONSUMERS_UNSEEN,
    LATEST_CONSUMER,
    LAYER_ARCHITECTURE,
    LAYER_MISSING,
    LAYER_UNSEEN,
    OWNED_ELSEWHERE,
    RUNTIME_DIFFERS,
    VALUE_REFUSED,
    VARIABLES_UNREADABLE,
)


def observe(cloud: Cloud, desired: DesiredFunction) -> Observed:
    """Return the state of a function in AWS. Two reads when it is up to date and nothing else is asked for."""
    latest = cloud.function(desired.function)
    if latest is None:
        return _observe_settings(cloud, desired, _observe_bucket(cloud, desired, Observed(None)))
    if not desired.alias:
        observed = Observed(latest, _find_published_version(cloud, latest))
    else:
        observed = Observed(latest, cloud.function(desired.function, desired.alias))
    if desired.tags:
        observed = replace(observed, tags=cloud.tags(unqualified_arn(latest.arn)))
    up_to_date = is_up_to_date(desired, observed)
    old = find_old_versions(cloud, desired, is_publishing=not up_to_date)
    observed = replace(observed, old_versions=old)
    if up_to_date:
        return observed
    return _observe_settings(
        cloud, desired, _observe_bucket(cloud, desired, _observe_details(cloud, desired, observed))
    )


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
    """Return the same with the alias, what calls $LATEST, tags and concurrency."""
    if desired.alias and observed.live_version:
        alias = cloud.alias(desired.function, desired.alias)
        other = alias.weights[0][0] if alias and alias.weights else ""
        shifted = cloud.function(desired.function, other) if other else None
        provisioned = cloud.provisioned_concurrency(desired.function, desired.alias)
        observed = replace(observed, alias=alias, canary_version=shifted, provisioned=provisioned)
    if observed.tags is None and observed.latest:
        observed = replace(observed, tags=cloud.tags(unqualified_arn(observed.latest.arn)))
    if desired.smoke:
        observed = replace(observed, reserved_concurrency=cloud.reserved_concurrency(desired.function))
    try:
        consumers: tuple[Consumer, ...] = tuple(cloud.consumers(desired.function))
    except LambdapackError as error:
        if error.failure is not ACCESS_DENIED:
            raise
        return replace(observed, missing_actions=(error.detail.partition(" ")[0],))
    return replace(observed, consumers=consumers)


def _observe_bucket(cloud: Cloud, desired: DesiredFunction, observed: Observed) -> Observed:
    if not is_sent_through_s3(desired):
        return observed
    stored = cloud.find_object(desired.bucket, desired.package.object_key)
    same = stored and (stored.size, stored.code_digest) == (desired.package.zip_bytes, desired.package.code_digest)
    problem = "" if stored else cloud.bucket_problem(desired.bucket)
    return replace(observed, stored_zip=stored if same else None, bucket_problem=problem)


def _observe_settings(cloud: Cloud, desired: DesiredFunction, observed: Observed) -> Observed:
    """Return the same with the values that AWS would refuse."""
    if observed.latest:
        settings = replace(FunctionSettings(), **requested_settings(desired, observed.latest))
    else:
        settings = new_function_settings(desired, target_of(desired, None))
    problems = cloud.check_settings(settings, dict(desired.tags))
    foreign = tuple(
        ValueProblem("layers", f"{arn} is in another region than the function, {cloud.region}", "Publish it there.")
        for arn in settings.layers or ()
        if arn.startswith("arn:") and arn.split(":")[3] not in {"", cloud.region}
    )
    ordinary = () if observed.latest and observed.latest.hardware else _ordinary_problems(settings)
    return replace(observed, problems=(*problems, *ordinary, *foreign))


MAX_TIMEOUT = 1800
"""Seconds; Lambda's API reference of Timeout in botocore's model, read 2026-12-01. The quotas page still says 900."""

MAX_MEMORY = 10_240
"""MB of memory (Lambda quotas, read 2026-12-01)."""

MAX_EPHEMERAL_STORAGE = 10_240
"""MB of /tmp (Lambda's API reference of EphemeralStorage, read 2026-12-01)."""


def _ordinary_problems(settings: FunctionSettings) -> tuple[ValueProblem, ...]:
    """Return what is too large for a function without a capacity provider or an accelerator; the model has theirs."""
    most = (
        ("timeout", settings.timeout, MAX_TIMEOUT),
        ("memory-size", settings.memory, MAX_MEMORY),
        ("ephemeral-storage", settings.ephemeral_storage, MAX_EPHEMERAL_STORAGE),
    )
    return tuple(
        ValueProblem(name, f"{value} is too large: {limit} is the most without a capacity provider or an accelerator")
        for name, value, limit in most
        if value is not None and value > limit
    )


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
    missing: tuple[str, ...] = ()  # ARNs of versions that do not exist


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
    attached = tuple(layer.arn for layer in latest.layers) if latest else ()
    yield from check_attached_layers(layers, architecture, attached)
    yield from _check_settings(desired, observed)
    yield from _check_owners(observed)
    for consumer in observed.consumers:
        yield _consumer_finding(desired, consumer)
    for action in observed.missing_actions:
        yield Finding(CONSUMERS_UNSEEN, "", f"the IAM action {action} is not allowed", evidence=(("action", action),))


def _check_settings(desired: DesiredFunction, observed: Observed) -> Iterator[Finding]:
    """Yield what AWS would refuse, or do differently than one would think."""
    latest = observed.latest
    if latest and latest.environment_error and (desired.variables or desired.removed_variables):
        yield Finding(VARIABLES_UNREADABLE, "", latest.environment_error)
    for problem in observed.problems:
        evidence = (("setting", problem.name),)
        yield Finding(VALUE_REFUSED, "", f"{problem.name}: {problem.message}", fix=problem.fix, evidence=evidence)
    if observed.bucket_problem:
        fix = f"Create it with `aws s3 mb s3://{desired.bucket}`, or name another with `--bucket`."
        yield Finding(BUCKET_UNUSABLE, "", f"s3://{desired.bucket}: {observed.bucket_problem}", fix=fix)
    if desired.smoke and observed.reserved_concurrency == 0:
        name = latest.name if latest else desired.function
        fix = f"Run `aws lambda delete-function-concurrency --function-name {name}`, or deploy without `--smoke`."
        yield Finding(CONCURRENCY_ZERO, "", f"the reserved concurrency of {name} is 0", fix=fix)
    if desired.canary and desired.alias and observed.live_version is None:
        yield Finding(CANARY_UNSHARED, "", f"alias {desired.alias} does not exist yet")


def _check_owners(observed: Observed) -> Iterator[Finding]:
    for owner in find_owners(observed.tags or {}, observed.alias, observed.consumers):
        evidence = (("tool", owner.tool),)
        yield Finding(OWNED_ELSEWHERE, "", f"{owner.tool} manages it: {owner.sign}", evidence=evidence)


def check_attached_layers(
    layers: FunctionLayers, architecture: Architecture, attached: tuple[str, ...]
) -> Iterator[Finding]:
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
        yield Finding(LAYER_UNSEEN, arn, "these credentials may not read it")
    for arn in layers.missing:
        if arn in attached:
            yield Finding(LAYER_UNSEEN, arn, "it was deleted; the function keeps it until its layers change")
        else:
            yield Finding(LAYER_MISSING, arn, "there is no such layer version")


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
