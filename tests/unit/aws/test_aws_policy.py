"""The least policies of the docs are made of the calls that deploy and rollback really make."""

import json
from pathlib import Path

import pytest

from lambdapack.aws.actions import DEPLOY_OPERATIONS, IAM_ACTIONS, PUBLISH_OPERATIONS, build_iam_policy
from lambdapack.deploy import alias
from lambdapack.deploy.nouns import FunctionSettings, LayerPermission, LocalZip, NewLayer
from lambdapack.errors.record import LambdapackError
from tests.cloud.deploying import EVENT, NEW, X86, Site
from tests.cloud.errors import AwsError
from tests.cloud.publishing import publish
from tests.cloud.world import BUCKET, zipped

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {"policy": DOCS / "deploying.md", "layer-policy": DOCS / "layers.md"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """All operations of a life with everything in it."""
    site = Site(tmp_path_factory.mktemp("site"))
    layer = site.directory / "layer.zip"
    layer.write_bytes(zipped({"nodejs/node_modules/x/index.js": "1"}))
    arn = site.cloud.publish_layer(NewLayer("x", "", (), (X86,)), LocalZip(layer)).arn
    site.aws.line.calls.clear()
    site.deploy(
        site.wanted(site.package("one"), creation_settings=NEW, settings=FunctionSettings(layers=(arn,)), smoke=EVENT)
    )
    site.deploy(site.wanted(site.package("two"), settings=FunctionSettings(timeout=9)))
    site.deploy(site.wanted(site.package("three"), alias=""))
    site.deploy(site.wanted(site.package("three"), alias=""))
    large = site.package("large", size=53_000_000)
    site.aws.line.refuse["UploadPart"] = [AwsError("AccessDenied", "no")] * 20
    with pytest.raises(LambdapackError, match="LP410"):
        site.deploy(site.wanted(large, bucket=BUCKET))
    site.aws.line.refuse.clear()
    site.deploy(site.wanted(large, bucket=BUCKET))
    site.aws.extras.provisioned["fn"] = {"live": ["READY"]}
    site.deploy(site.wanted(site.package("last"), tags=(("stage", "test"),), keep_versions=1, smoke=EVENT))
    site.deploy(site.wanted(site.package("later"), keep_versions=1))
    site.aws.extras.provisioned.clear()
    alias.apply_rollbacks(site.cloud, [alias.find_rollback(site.cloud, "fn", "live")])
    return set(site.aws.line.calls)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """All operations of a layer's life with everything in it."""
    site = Site(tmp_path_factory.mktemp("site"))
    for number in range(4):
        publish(site, str(number), keep=1)
    publish(site, "3", permissions=(LayerPermission("public", "*"),))
    publish(site, "large", size=53_000_000, bucket=BUCKET)
    site.aws.line.refuse["UploadPart"] = [AwsError("AccessDenied", "no")] * 20
    with pytest.raises(LambdapackError, match="LP410"):
        publish(site, "another", size=53_000_000, bucket=BUCKET)
    return set(site.aws.line.calls)


SPARE = {("s3", "PutObject")}
"""Of zips below 8 MB, which go another way today; the action is the parts' too."""


def test_the_tables_are_what_is_called(recorded: set[tuple[str, str]], published: set[tuple[str, str]]) -> None:
    assert recorded == DEPLOY_OPERATIONS - SPARE
    assert published == PUBLISH_OPERATIONS - SPARE


@pytest.mark.parametrize("operations", [DEPLOY_OPERATIONS, PUBLISH_OPERATIONS], ids=["deploy", "publish-layer"])
def test_the_policy_allows_every_call_and_nothing_else(operations: frozenset[tuple[str, str]]) -> None:
    allowed = {action for statement in build_iam_policy(operations)["Statement"] for action in statement["Action"]}
    assert {action for each in operations for action in IAM_ACTIONS[each]} == allowed


@pytest.mark.parametrize(("name", "operations"), [("policy", DEPLOY_OPERATIONS), ("layer-policy", PUBLISH_OPERATIONS)])
def test_the_page_has_that_policy(
    request: pytest.FixtureRequest, name: str, operations: frozenset[tuple[str, str]]
) -> None:
    if request.config.getoption("--update-golden"):
        text = json.dumps(build_iam_policy(operations), indent=1)
        indented = "".join(f"    {line}\n" for line in text.splitlines())
        page = PAGES[name]
        page.write_text(page.read_text(encoding="utf-8").replace(_block(name), indented), encoding="utf-8")
    lines = [line[4:] for line in _block(name).splitlines()]
    assert json.loads("\n".join(lines)) == build_iam_policy(operations), "run pytest --update-golden on this module"


def _block(name: str) -> str:
    text = PAGES[name].read_text(encoding="utf-8")
    return text.partition(f"<!-- {name} -->\n\n")[2].partition(f"\n<!-- /{name} -->")[0]
