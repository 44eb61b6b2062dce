"""Image names, digests and pull errors, read from text alone. Never talks to an engine or a registry."""

import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.model import Architecture, Target

BARE_IMAGE = "public.ecr.aws/lambda/nodejs:{node}-{arch}"
"""AWS's own runtime image, one CPU a tag (docs/facts.md#5-images, read 2026-11)."""

BUILD_IMAGE = "public.ecr.aws/sam/build-nodejs{node}.x:latest-{arch}"
"""AWS SAM's build image: the same with a toolchain (docs/facts.md#5-images, read 2026-11)."""

LOCAL_REPOSITORIES = ("lambdapack-lab/", "lambdapack/")
"""Repositories that exist nowhere but in an engine: what `make lab` and `lambdapack images build` make."""

PUBLIC_ECR = "public.ecr.aws"

IMAGE_NAME_FIELDS = ("node", "runtime", "arch")


def expand_image_name(template: str, target: Target) -> str:
    """Return the image of a target; BAD_CONFIG for a template with another field, or a target without that field."""
    node = re.fullmatch(r"nodejs(\d+)\.x", target.runtime)
    values = {"runtime": target.runtime, "arch": target.architecture.aws} | ({"node": node[1]} if node else {})
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        if fields <= values.keys():
            return template.format(**values)
    except ValueError as error:
        raise LambdapackError(BAD_CONFIG, f"the image name {template!r}: {error}") from error
    unknown = ", ".join(f"{{{field}}}" for field in sorted(fields - values.keys()))
    raise LambdapackError(
        BAD_CONFIG,
        f"the image name {template!r} has {unknown}, which {target} has no value for",
        hint=f"Use {', '.join(f'{{{field}}}' for field in IMAGE_NAME_FIELDS)} in `--image` and `--build-image`.",
    )


def is_local_image(reference: str) -> bool:
    """Return True for an image that no registry has, so that asking one would only leak its name."""
    return reference.removeprefix("localhost/").startswith(LOCAL_REPOSITORIES)


def image_digest(inspected: Mapping[str, Any]) -> str:
    """Return SHA-256 over the ids of an image's layers, unpacked: the same in every store and registry."""
    layers: Sequence[str] = (inspected.get("RootFS") or {}).get("Layers") or ()
    return "sha256:" + hashlib.sha256("\n".join(layers).encode()).hexdigest()


PULL_THROTTLED = re.compile(r"toomanyrequests|too many requests|rate exceeded|\b429\b|rate limit", re.IGNORECASE)
PULL_TRANSIENT = re.compile(
    r"i/o timeout|handshake timeout|unexpected eof|connection reset|\b50[234]\b|service unavailable|temporarily",
    re.IGNORECASE,
)
PULL_DENIED = re.compile(r"denied|unauthorized|authorization|no basic auth|authentication required", re.IGNORECASE)
PULL_NO_PLATFORM = re.compile(
    r"no matching manifest|does not match the specified platform|no image found in", re.IGNORECASE
)
PULL_NOT_FOUND = re.compile(r"not found|manifest unknown|no such image|does not exist|name unknown", re.IGNORECASE)
PULL_NO_NETWORK = re.compile(
    r"no such host|dial tcp|network is unreachable|connection refused|proxyconnect|x509", re.IGNORECASE
)


def is_retryable_pull(words: str) -> bool:
    """Return True for a registry's refusal that time alone may cure."""
    return bool(PULL_THROTTLED.search(words)) or (
        bool(PULL_TRANSIENT.search(words)) and not PULL_NOT_FOUND.search(words)
    )


def registry_host(reference: str) -> str:
    """Return the host part of an image's name, "docker.io" when it has none."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def pull_hint(reference: str, architecture: Architecture, words: str) -> str | None:
    """Return the sentence that cures what the engine said of a pull, None for the failure's own."""
    host = registry_host(reference)
    mirror = "name a mirror with `--image` and `--build-image`"
    if PULL_THROTTLED.search(words):
        return f"Wait a minute, log in (`docker login {host}`: known users may pull more), or {mirror}."
    if PULL_DENIED.search(words) and host == PUBLIC_ECR:
        return f"Run `docker logout {PUBLIC_ECR}`: an expired login is refused where none is needed."
    if PULL_DENIED.search(words):
        return f"Check the name, log in with `docker login {host}`, or {mirror}."
    if PULL_NO_PLATFORM.search(words):
        return f"Name an image that exists for {architecture.oci_platform} with `--image` and `--build-image`."
    if PULL_NO_NETWORK.search(words):
        return f"Check the network and proxy of the engine itself (`docker pull {reference}`), or {mirror}."
    if PULL_NOT_FOUND.search(words):
        return f"Check the name {reference} and its tag, or {mirror}."
    return None


LOCAL_IMAGE_HINT = "Run `make lab` (lab images) or `lambdapack images build` (toolchain images): no registry has them."


class PullProgress:
    """Adds up what the engine says about each layer of a pull."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._done: dict[str, int] = {}

    def advance(self, message: Mapping[str, Any]) -> int:
        """Return how many more bytes have come since the last message."""
        layer = message.get("id")
        current = (message.get("progressDetail") or {}).get("current")
        if message.get("status") != "Downloading" or not isinstance(current, int) or not isinstance(layer, str):
            return 0
        more = max(0, current - self._done.get(layer, 0))
        self._done[layer] = self._done.get(layer, 0) + more
        return more
