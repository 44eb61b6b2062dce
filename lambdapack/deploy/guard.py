"""What speaks against a deployment before anything is sent, beyond the package itself. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from lambdapack.deploy.nouns import Consumer, Function, LayerVersion
from lambdapack.deploy.plan import DIRECT_MOST
from lambdapack.deploy.wanted import Observed, Wanted
from lambdapack.model import Architecture, Finding
from lambdapack.rules.deploy_codes import (
    ARCHITECTURE_DIFFERS,
    BUCKET_MISSING,
    CONSUMERS_UNSEEN,
    LATEST_CONSUMER,
    LAYER_ARCHITECTURE,
    LAYER_UNSEEN,
    RUNTIME_DIFFERS,
)

CONSUMER_WORDS = {
    "function-url": "the function URL {} serves $LATEST",
    "permission": "{} may call $LATEST",
    "event-source": "the event source {} sends to $LATEST",
}


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers that the function will have."""

    read: tuple[LayerVersion, ...] = ()
    unseen: tuple[str, ...] = ()  # ARNs


def guard(wanted: Wanted, seen: Observed, layers: Layers, architecture: Architecture) -> Iterator[Finding]:
    """Yield what is wrong between package and function, and what should be known before."""
    latest = seen.latest
    if latest:
        yield from _function(wanted, latest)
    if wanted.package.zip_bytes > DIRECT_MOST and not wanted.bucket:
        size = (("bytes", wanted.package.zip_bytes), ("most", DIRECT_MOST))
        message = f"the zip has {wanted.package.zip_bytes} bytes, {DIRECT_MOST} is the most"
        yield Finding(BUCKET_MISSING, "", message, evidence=size)
    yield from layer_findings(layers, architecture)
    for consumer in seen.consumers:
        yield _consumer(wanted, consumer)
    for action in seen.unseen:
        yield Finding(CONSUMERS_UNSEEN, "", f"the action {action} is missing", evidence=(("action", action),))


def layer_findings(layers: Layers, architecture: Architecture) -> Iterator[Finding]:
    """Yield what speaks against a function's layers, beyond what is in them."""
    for each in layers.read:
        if each.architectures and architecture not in each.architectures:
            named = " and ".join(cpu.aws for cpu in each.architectures)
            yield Finding(LAYER_ARCHITECTURE, each.arn, f"it names {named}, the function is {architecture}")
    for arn in layers.unseen:
        yield Finding(LAYER_UNSEEN, arn, "AWS does not let these credentials read it, or it was deleted")


def _function(wanted: Wanted, latest: Function) -> Iterator[Finding]:
    made_for = wanted.architecture
    if made_for and made_for is not latest.architecture and not wanted.allow_architecture:
        fix = f"Build with `--arch {latest.architecture}`, or switch the function with `--allow-arch-change`."
        message = f"the package is for {made_for}, {latest.name} runs on {latest.architecture}"
        yield Finding(ARCHITECTURE_DIFFERS, "", message, fix=fix, evidence=_pair(made_for.aws, latest.architecture.aws))
    if wanted.runtime and wanted.runtime != latest.runtime and not wanted.allow_runtime:
        fix = f"Build with `--runtime {latest.runtime}`, or switch the function with `--allow-runtime-change`."
        message = f"the package is for {wanted.runtime}, {latest.name} runs {latest.runtime}"
        yield Finding(RUNTIME_DIFFERS, "", message, fix=fix, evidence=_pair(wanted.runtime, latest.runtime))


def _pair(package: str, function: str) -> tuple[tuple[str, str], ...]:
    return (("package", package), ("function", function))


def _consumer(wanted: Wanted, consumer: Consumer) -> Finding:
    message = CONSUMER_WORDS[consumer.kind].format(consumer.who)
    fix = f"Let it call {wanted.function}:{wanted.alias}." if wanted.alias else ""
    return Finding(LATEST_CONSUMER, consumer.who, message, fix=fix, evidence=(("kind", consumer.kind),))
