"""Layers on the fake: published once, shared, kept as long as somebody uses them."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError  # noqa: TID251  # what a network does

from lambdapack.deploy.nouns import FunctionSettings, LayerPermission
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Architecture
from tests.cloud.deploying import Site
from tests.cloud.errors import AwsError
from tests.cloud.publishing import publish, wanted_layer
from tests.cloud.wire import ACCOUNT, REGION, Died
from tests.cloud.world import BUCKET

LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:deps"
PUBLIC = LayerPermission("lambdapack-public", "*")
READS = ["ListLayerVersions", "GetLayerVersion"]
PLACE = "https://lambda.eu-central-1.amazonaws.com/"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def numbers(site: Site) -> list[int]:
    return sorted(site.aws.layers.versions["deps"])


def test_a_layer_is_published_with_what_it_is_good_for(site: Site) -> None:
    done = publish(site, "1")
    assert done.version is not None
    assert done.version.arn == f"{LAYER}:1"
    made = site.aws.layers.versions["deps"][1]
    assert made["CompatibleRuntimes"] == ["nodejs22.x"]
    assert made["CompatibleArchitectures"] == ["x86_64"]
    assert made["Description"] == f"lambdapack: content sha256:{'0' * 64}"


def test_the_same_again_is_two_reads_and_the_same_arn(site: Site) -> None:
    first = publish(site, "1")
    site.aws.line.forget()
    again = publish(site, "1")
    assert site.aws.line.operations == READS
    assert again.version is not None
    assert again.version.arn == first.version.arn  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changes",
    [{"runtimes": ("nodejs22.x", "nodejs24.x")}, {"architectures": (Architecture.X86_64, Architecture.ARM64)}],
    ids=["runtimes", "architectures"],
)
def test_equal_bytes_for_something_else_are_another_version(site: Site, changes: dict[str, Any]) -> None:
    publish(site, "1")
    publish(site, "1", **changes)
    assert numbers(site) == [1, 2]
    site.aws.line.forget()
    publish(site, "1", **changes)
    assert site.aws.line.writes == []


def test_only_the_latest_version_counts(site: Site) -> None:
    for text in "121":
        publish(site, text)
    assert numbers(site) == [1, 2, 3]


def test_old_versions_go_and_the_newest_stay(site: Site) -> None:
    for text in "12345":
        publish(site, text)
    done = publish(site, "6", keep=3)
    assert numbers(site) == [4, 5, 6]
    assert [each.number for each in done.deleted] == [3, 2, 1]
    site.aws.line.forget()
    publish(site, "6", keep=3)
    assert site.aws.line.operations == READS


def test_what_any_version_of_any_function_uses_stays(site: Site) -> None:
    for text in "123":
        publish(site, text)
    site.aws.functions.page = 2
    for name in "abcdef":
        layers = (f"{LAYER}:2",) if name == "f" else ()
        site.function(name, name=name, settings=FunctionSettings(layers=layers))
    site.deploy(site.wanted(site.package("new"), function="f", settings=FunctionSettings(layers=(f"{LAYER}:3",))))
    site.aws.line.forget()
    done = publish(site, "4", keep=1)
    assert numbers(site) == [2, 3, 4]
    assert [(each.version.number, each.reason) for each in done.plan.observed.kept] == [
        (3, "f:2 uses it"),
        (2, "f:1 uses it"),
    ]
    assert site.aws.line.operations.count("ListFunctions") > 3


def test_what_others_may_use_stays(site: Site) -> None:
    publish(site, "1", permissions=(PUBLIC,))
    publish(site, "2")
    done = publish(site, "3", keep=1)
    assert numbers(site) == [1, 3]
    assert [each.reason for each in done.plan.observed.kept] == ["it has a resource policy"]


def test_nothing_is_deleted_when_it_cannot_be_seen_who_uses_it(site: Site) -> None:
    publish(site, "1")
    site.aws.line.refuse["ListFunctions"] = [AwsError("AccessDeniedException", "no")]
    with pytest.raises(LambdapackError, match="LP410"):
        publish(site, "2", keep=1)
    assert numbers(site) == [1]


def test_a_layer_is_shared_once(site: Site) -> None:
    permissions = (PUBLIC, LayerPermission("lambdapack-1", "111111111111"), LayerPermission("o", "*", "o-abcdefghij"))
    publish(site, "1", permissions=permissions[:2])
    site.aws.line.forget()
    publish(site, "1", permissions=permissions)
    assert site.aws.line.writes == ["AddLayerVersionPermission"]
    found = site.cloud.layer_policy("deps", 1)
    assert [(each.principal, each.organization) for each in found] == [
        ("*", ""),
        ("111111111111", ""),
        ("*", "o-abcdefghij"),
    ]


def test_a_large_layer_goes_through_the_bucket_once(site: Site) -> None:
    publish(site, "1", size=53_000_000, bucket=BUCKET)
    wanted = wanted_layer(site, "1", 53_000_000)
    assert list(site.aws.storage.buckets[BUCKET]) == [wanted.package.object_key]
    site.aws.line.forget()
    publish(site, "1", size=53_000_000, bucket=BUCKET, runtimes=("nodejs24.x",))
    assert site.aws.line.writes == ["PublishLayerVersion"]


@pytest.mark.parametrize(
    "error", [ConnectionClosedError(endpoint_url=PLACE), AwsError("ServiceException", "An error occurred")]
)
def test_a_layer_is_never_published_twice_for_one_lost_reply(site: Site, error: Exception) -> None:
    if isinstance(error, AwsError):
        site.aws.line.refuse["PublishLayerVersion"] = [error]
        with pytest.raises(LambdapackError, match="LP428"):
            publish(site, "1")
        assert "deps" not in site.aws.layers.versions
        return
    site.aws.line.lose["PublishLayerVersion"] = 1
    done = publish(site, "1")
    assert done.version is not None
    assert (numbers(site), done.version.number) == ([1], 1)


def test_a_publish_that_never_arrived_is_tried_again(site: Site) -> None:
    site.aws.line.break_["PublishLayerVersion"] = [EndpointConnectionError(endpoint_url=PLACE)]
    publish(site, "1")
    assert numbers(site) == [1]


def test_when_something_fails_later_it_says_what_is_published(site: Site) -> None:
    site.aws.line.refuse["AddLayerVersionPermission"] = [AwsError("AccessDeniedException", "no")]
    with pytest.raises(LambdapackError, match=f"{LAYER}:1 was published"):
        publish(site, "1", permissions=(PUBLIC,))


def test_killed_after_any_call_the_next_run_goes_on(tmp_path: Path) -> None:
    for calls in range(1, 30):
        site = Site(tmp_path)
        for text in "123":
            publish(site, text)
        site.aws.line.forget()
        site.aws.line.die_after = calls
        try:
            publish(site, "4", keep=2, permissions=(PUBLIC,))
            ended = len(site.aws.line.operations) < calls
        except Died:
            ended = False
        site.aws.line.die_after = None
        publish(site, "4", keep=2, permissions=(PUBLIC,))
        assert numbers(site) == [3, 4]
        assert len(site.cloud.layer_policy("deps", 4)) == 1
        site.aws.line.forget()
        publish(site, "4", keep=2, permissions=(PUBLIC,))
        assert site.aws.line.writes == []
        if ended:
            return
    pytest.fail("it never ended by itself")
