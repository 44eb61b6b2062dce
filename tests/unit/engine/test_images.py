import hashlib

import pytest

from lambdapack.engine import images
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG
from lambdapack.model import Architecture, Target

NODE22 = Target("nodejs22.x", Architecture.ARM64)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (images.BARE_IMAGE, "public.ecr.aws/lambda/nodejs:22-arm64"),
        (images.BUILD_IMAGE, "public.ecr.aws/sam/build-nodejs22.x:latest-arm64"),
        ("mirror:5000/{runtime}/{arch}", "mirror:5000/nodejs22.x/arm64"),
        ("mine@sha256:00", "mine@sha256:00"),
    ],
)
def test_a_template_names_the_image_of_a_target(template: str, name: str) -> None:
    assert images.expand_image_name(template, NODE22) == name


@pytest.mark.parametrize("template", ["x:{version}", "x:{", "x:{0}", "x:{}", "x:{node.real}"])
def test_another_field_is_refused(template: str) -> None:
    with pytest.raises(LambdapackError) as raised:
        images.expand_image_name(template, NODE22)
    assert raised.value.failure is BAD_CONFIG
    assert template in raised.value.detail


def test_a_runtime_without_node_has_no_node_field() -> None:
    target = Target("provided.al2023", Architecture.X86_64)
    assert images.expand_image_name("x:{runtime}-{arch}", target) == "x:provided.al2023-x86_64"
    with pytest.raises(LambdapackError, match="node"):
        images.expand_image_name("x:{node}", target)


@pytest.mark.parametrize(
    ("reference", "local"),
    [
        ("lambdapack-lab/nodejs:22-arm64", True),
        ("lambdapack/build:22", True),
        ("localhost/lambdapack-lab/nodejs:22-arm64", True),
        ("public.ecr.aws/lambdapack/x", False),
        ("lambdapackx/y", False),
    ],
)
def test_only_our_own_names_are_local(reference: str, local: bool) -> None:
    assert images.is_local_image(reference) is local


def test_the_digest_is_over_the_layers_and_their_order() -> None:
    one = images.image_digest({"RootFS": {"Layers": ["sha256:a", "sha256:b"]}, "Id": "1"})
    assert one == "sha256:" + hashlib.sha256(b"sha256:a\nsha256:b").hexdigest()
    assert one != images.image_digest({"RootFS": {"Layers": ["sha256:b", "sha256:a"]}})
    assert images.image_digest({}) == images.image_digest({"RootFS": None})


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("node:22", "docker.io"),
        ("amazon/aws-lambda-nodejs:22", "docker.io"),
        ("mirror:5000/x", "mirror:5000"),
        ("public.ecr.aws/lambda/nodejs:22", "public.ecr.aws"),
        ("localhost/x", "localhost"),
    ],
)
def test_the_registry_is_the_first_part_that_looks_like_a_host(reference: str, registry: str) -> None:
    assert images.registry_host(reference) == registry


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("toomanyrequests: Rate exceeded", "docker login public.ecr.aws"),
        ("denied: Your authorization token has expired. Reauthenticate and try again.", "docker logout public.ecr.aws"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "linux/arm64"),
        ('Get "https://x/v2/": dial tcp: lookup x: no such host', "network and proxy"),
        ("manifest for x:99 not found: manifest unknown: Requested image not found", "and its tag"),
        ("something else", None),
    ],
)  # fmt: skip
def test_what_the_engine_says_of_a_pull_has_its_own_cure(words: str, hint: str | None) -> None:
    found = images.pull_hint("public.ecr.aws/lambda/nodejs:22-arm64", Architecture.ARM64, words)
    assert found is None if hint is None else hint in str(found)


def test_a_private_registry_that_denies_wants_a_login() -> None:
    found = images.pull_hint(
        "mirror:5000/x:1", Architecture.ARM64, "pull access denied for x, repository does not exist"
    )
    assert "docker login mirror:5000" in str(found)


@pytest.mark.parametrize(
    ("words", "again"),
    [
        ("toomanyrequests: Data limit exceeded", True),
        ("received unexpected HTTP status: 503 Service Unavailable", True),
        ("net/http: TLS handshake timeout", True),
        ("manifest unknown", False),
        ("denied", False),
    ],
)
def test_only_what_time_may_cure_is_tried_again(words: str, again: bool) -> None:
    assert images.is_retryable_pull(words) is again


def test_layers_add_up_whatever_order_they_report_in() -> None:
    layers = images.PullProgress()

    def message(layer: object, current: object, status: str = "Downloading") -> int:
        return layers.advance({"id": layer, "status": status, "progressDetail": {"current": current, "total": 10}})

    assert [message("a", 4), message("b", 1), message("a", 10), message("a", 2), message("b", 1)] == [4, 1, 6, 0, 0]
    assert message("a", 10, "Extracting") == 0
    assert message("c", None) == message(None, 5) == layers.advance({"status": "Downloading", "id": "d"}) == 0
