"""Deployments on the fake, from what is wanted to what AWS then has."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lambdapack.deploy.apply import apply_plans
from lambdapack.deploy.nouns import FunctionSettings, SmokeTest
from lambdapack.errors.record import LambdapackError
from lambdapack.pipeline.deploy import PlannedFunction
from tests.cloud import errors
from tests.cloud.deploying import ARM, EVENT, NEW, ROLE, Site
from tests.cloud.errors import AwsError
from tests.cloud.wire import Died
from tests.cloud.world import BUCKET

READS = ["GetFunctionConfiguration", "GetFunctionConfiguration"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_function_is_made_with_its_first_version_and_alias(site: Site) -> None:
    package = site.package()
    (done,) = site.deploy(site.wanted(package, creation_settings=NEW, architecture=ARM))
    assert done.version.version_arn.endswith(":function:fn:1")
    assert site.serves() == package.code_digest
    latest = site.aws.functions.functions["fn"].latest
    assert (latest["Architectures"], latest["Handler"], latest["Role"]) == (["arm64"], "index.handler", ROLE)


def test_a_new_role_is_waited_for(site: Site) -> None:
    site.aws.functions.new_roles[ROLE] = 9.0
    site.deploy(site.wanted(site.package(), creation_settings=NEW))
    assert site.live == "1"


def test_new_code_is_published_and_served(site: Site) -> None:
    site.function()
    package = site.package("new")
    (done,) = site.deploy(site.wanted(package))
    assert site.live == done.version.version == "2"
    assert site.serves() == package.code_digest
    assert site.aws.line.writes == ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"]


@pytest.mark.parametrize("alias", ["live", ""])
def test_deploying_twice_makes_two_reads_and_no_write(site: Site, alias: str) -> None:
    package = site.function()
    (done,) = site.deploy(site.wanted(package, alias=alias))
    assert site.aws.line.writes == []
    assert site.aws.line.operations == (READS if alias else [READS[0], "ListVersionsByFunction"])
    assert done.version.version == "1"


def test_architectures_are_always_sent(site: Site) -> None:
    site.function(architecture=ARM)
    site.deploy(site.wanted(site.package("new")))
    (sent,) = [parameters for operation, parameters in site.aws.line.sent if operation == "UpdateFunctionCode"]
    assert sent["Architectures"] == ["arm64"]


def test_equal_code_for_another_cpu_is_sent_again(site: Site) -> None:
    package = site.function()
    site.deploy(site.wanted(package, architecture=ARM, allow_architecture=True))
    assert site.aws.functions.functions["fn"].versions["2"]["Architectures"] == ["arm64"]
    assert site.live == "2"


def test_settings_follow_the_code_and_are_part_of_the_version(site: Site) -> None:
    site.function()
    wanted = site.wanted(site.package("new"), settings=FunctionSettings(timeout=9), variables=(("STAGE", "test"),))
    site.deploy(wanted)
    assert site.aws.line.writes == [
        "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias",
    ]  # fmt: skip
    version = site.aws.functions.functions["fn"].versions["2"]
    assert (version["Timeout"], version["Environment"]) == (9, {"Variables": {"STAGE": "test"}})
    site.aws.line.forget()
    site.deploy(wanted)
    assert site.aws.line.operations == READS


def test_variables_that_are_not_named_stay(site: Site) -> None:
    package = site.function(variables=(("KEPT", "1"), ("CHANGED", "1")))
    site.deploy(site.wanted(package, variables=(("CHANGED", "2"),)))
    latest = site.aws.functions.functions["fn"].latest
    assert latest["Environment"]["Variables"] == {"KEPT": "1", "CHANGED": "2"}


def test_settings_that_somebody_else_changed_are_published(site: Site) -> None:
    package = site.function()
    site.cloud.update_settings("fn", FunctionSettings(timeout=77), "")
    site.deploy(site.wanted(package))
    assert site.aws.functions.functions["fn"].versions[site.live]["Timeout"] == 77


def test_an_update_in_progress_is_waited_for(site: Site) -> None:
    site.function()
    site.cloud.update_settings("fn", FunctionSettings(timeout=8), "")
    package = site.package("new")
    site.deploy(site.wanted(package))
    assert site.serves() == package.code_digest


@pytest.mark.parametrize("alias", ["live", ""])
def test_stopped_after_any_call_a_second_run_converges(tmp_path: Path, alias: str) -> None:
    calls = 1
    while True:
        site = Site(tmp_path)
        old = site.function()
        package = site.package("new")
        wanted = site.wanted(
            package, alias=alias, smoke=EVENT, settings=FunctionSettings(timeout=9), variables=(("STAGE", "x"),)
        )
        site.aws.line.die_after = calls
        try:
            site.deploy(wanted)
        except Died:
            assert site.serves() in {old.code_digest, package.code_digest}
        else:
            break
        site.aws.line.die_after = None
        (done,) = site.deploy(wanted)
        found = site.aws.functions.functions["fn"]
        assert done.version.code_digest == package.code_digest
        assert list(found.versions) == ["1", "2"]
        assert site.live == ("2" if alias else "1")
        assert found.versions["2"]["Timeout"] == 9
        site.aws.line.forget()
        site.deploy(wanted)
        assert site.aws.line.writes == []
        calls += 1
    assert calls > 12


def test_stopped_after_any_call_of_the_making_a_second_run_converges(tmp_path: Path) -> None:
    calls = 1
    while True:
        site = Site(tmp_path)
        wanted = site.wanted(site.package(), creation_settings=NEW)
        site.aws.line.die_after = calls
        try:
            site.deploy(wanted)
        except Died:
            site.aws.line.die_after = None
            site.deploy(wanted)
            assert list(site.aws.functions.functions["fn"].versions) == ["1"]
            assert site.live == "1"
            calls += 1
        else:
            break
    assert calls > 5


@pytest.mark.parametrize(
    "operation", ["UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]
)
def test_a_lost_reply_costs_nothing(site: Site, operation: str) -> None:
    site.function()
    site.aws.line.lose[operation] = 1
    package = site.package("new")
    site.deploy(site.wanted(package, settings=FunctionSettings(timeout=9)))
    assert (site.live, site.serves()) == ("2", package.code_digest)
    assert list(site.aws.functions.functions["fn"].versions) == ["1", "2"]


@pytest.mark.parametrize("operation", ["CreateFunction", "CreateAlias"])
def test_a_lost_reply_of_what_is_made_costs_nothing(site: Site, operation: str) -> None:
    site.aws.line.lose[operation] = 1
    site.deploy(site.wanted(site.package(), creation_settings=NEW))
    assert site.live == "1"


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(site: Site) -> None:
    site.function()
    site.deploy(site.wanted(site.package("second")))
    (examined,) = site.examine(site.wanted(site.package("third")))
    alias = site.cloud.alias("fn", "live")
    assert alias is not None
    site.cloud.update_alias("fn", replace(alias, version="1"))
    with pytest.raises(LambdapackError, match="LP413") as raised:
        site_apply(site, examined)
    assert site.live == "1"
    assert "version 3 was published, and alias live points at version 1" in raised.value.detail


def site_apply(site: Site, examined: PlannedFunction) -> None:
    apply_plans([examined.plan], site.cloud, site.observer)


def test_code_that_somebody_sent_meanwhile_is_not_published(site: Site) -> None:
    site.function()
    mine, other = site.package("mine"), site.package("other")
    (examined,) = site.examine(site.wanted(mine))
    site.aws.line.refuse["PublishVersion"] = [errors.other_code(mine.code_digest, other.code_digest)]
    with pytest.raises(LambdapackError, match="LP413"):
        site_apply(site, examined)
    assert site.live == "1"


def test_an_update_that_fails_says_why_and_leaves_the_alias(site: Site) -> None:
    old = site.function()
    site.aws.functions.failing.append(("InvalidSecurityGroup", "The security group does not exist."))
    package = site.package("new")
    with pytest.raises(LambdapackError, match="LP423") as raised:
        site.deploy(site.wanted(package))
    assert "InvalidSecurityGroup: The security group does not exist." in raised.value.detail
    assert site.serves() == old.code_digest
    site.deploy(site.wanted(package))
    assert site.serves() == package.code_digest


def test_a_version_that_fails_is_never_served(site: Site) -> None:
    site.function()
    site.aws.functions.failing_versions.append(("InternalError", "It did not start."))
    with pytest.raises(LambdapackError, match="LP423") as raised:
        site.deploy(site.wanted(site.package("new")))
    assert site.live == "1"
    assert "delete-function --function-name fn --qualifier 2" in raised.value.hint
    assert "version 2 was published, and alias live still points at version 1" in raised.value.detail


def test_no_alias_moves_to_a_version_that_fails_its_test(site: Site) -> None:
    site.function()
    package = site.package("new")

    def broken(_event: object) -> None:
        raise ValueError("boom")

    site.aws.functions.handlers[package.code_digest] = broken
    with pytest.raises(LambdapackError, match="LP425") as raised:
        site.deploy(site.wanted(package, smoke=EVENT))
    assert site.live == "1"
    assert "boom" in raised.value.detail
    assert "START RequestId: 1" in site.observer.lines
    site.aws.functions.handlers[package.code_digest] = lambda event: {"statusCode": 201, "got": event}
    site.deploy(site.wanted(package, smoke=SmokeTest(EVENT.event, "e", 201)))
    assert site.live == "2"


@pytest.mark.parametrize(("answer", "status", "good"), [
    ({"statusCode": 200}, None, True),
    ({"statusCode": 500}, None, False),
    ({"statusCode": 404}, 404, True),
    ({"statusCode": 200}, 201, False),
    ("plain", None, True),
    ("plain", 200, False),
])  # fmt: skip
def test_an_answer_is_good_or_bad_by_its_status(site: Site, answer: object, status: int | None, good: bool) -> None:
    site.function()
    package = site.package("new")
    site.aws.functions.handlers[package.code_digest] = lambda _event: answer
    wanted = site.wanted(package, smoke=SmokeTest(b"{}", "e.json", status))
    if good:
        site.deploy(wanted)
    else:
        with pytest.raises(LambdapackError, match="LP425"):
            site.deploy(wanted)
    assert site.live == ("2" if good else "1")


def test_nothing_is_invoked_unless_asked_for(site: Site) -> None:
    site.function()
    site.deploy(site.wanted(site.package("new")))
    assert "Invoke" not in site.aws.line.operations


def test_a_canary_gets_its_part_and_then_all(site: Site) -> None:
    site.function()
    package = site.package("new")
    (done,) = site.deploy(site.wanted(package, canary=0.1))
    alias = site.aws.functions.functions["fn"].aliases["live"]
    assert (site.live, alias["RoutingConfig"]) == ("1", {"AdditionalVersionWeights": {"2": 0.1}})
    assert done.version.version == "2"
    site.aws.line.forget()
    site.deploy(site.wanted(package, canary=0.1))
    assert site.aws.line.writes == []
    site.deploy(site.wanted(package))
    assert site.live == "2"
    assert "RoutingConfig" not in site.aws.functions.functions["fn"].aliases["live"]


def test_functions_are_deployed_together_or_no_alias_moves(site: Site) -> None:
    names = ("a", "b", "c")
    for name in names:
        site.function(name=name)
    package = site.package("new")
    site.deploy(*(site.wanted(package, function=name) for name in names))
    assert [site.alias(name) for name in names] == ["2", "2", "2"]
    other = site.package("newer")
    site.aws.functions.failing_versions.append(("InternalError", "It did not start."))
    with pytest.raises(LambdapackError, match="LP423"):
        site.deploy(*(site.wanted(other, function=name) for name in names))
    assert [site.alias(name) for name in names] == ["2", "2", "2"]


def test_aliases_that_moved_are_put_back_when_one_cannot(site: Site) -> None:
    names = ("a", "b")
    for name in names:
        site.function(name=name)
    package = site.package("new")
    denied = AwsError("AccessDeniedException", "User: u is not authorized to perform: lambda:UpdateAlias")
    plans = [each.plan for each in site.examine(*(site.wanted(package, function=name) for name in names))]
    site.aws.line.refuse["UpdateAlias"] = []

    class Second(list[AwsError]):
        """Refuses the second of the calls alone."""

        asked = 0

        def __bool__(self) -> bool:
            self.asked += 1
            return self.asked == 2

        def pop(self, _index: int = 0) -> AwsError:  # type: ignore[override]
            return denied

    site.aws.line.refuse["UpdateAlias"] = Second()
    with pytest.raises(LambdapackError, match="LP410") as raised:
        apply_plans(plans, site.cloud, site.observer)
    assert [site.alias(name) for name in names] == ["1", "1"]
    assert "Putting a:live back to version 1" in site.observer.tasks
    assert "lambda:UpdateAlias" in raised.value.hint


def test_a_large_zip_goes_through_the_bucket_once(site: Site) -> None:
    for name in ("a", "b"):
        site.function(name=name)
    package = site.package("large", size=53_000_000)
    assert package.zip_bytes > 52_428_800
    site.deploy(*(site.wanted(package, function=name, bucket=BUCKET) for name in ("a", "b")))
    assert site.aws.line.operations.count("CreateMultipartUpload") == 1
    assert [site.serves(name) for name in ("a", "b")] == [package.code_digest] * 2
    assert list(site.aws.storage.buckets[BUCKET]) == [package.object_key]
    site.function(name="c")
    site.deploy(site.wanted(package, function="c", bucket=BUCKET))
    assert "CreateMultipartUpload" not in site.aws.line.operations
    assert site.serves("c") == package.code_digest


def test_other_bytes_in_the_bucket_are_not_published(site: Site) -> None:
    site.function()
    package = site.package("large", size=53_000_000)
    (examined,) = site.examine(site.wanted(package, bucket=BUCKET))
    other = site.package("other")
    real = site.aws.storage.complete_multipart_upload

    def exchanged(parameters: dict[str, str]) -> dict[str, str]:
        answer = real(parameters)
        site.aws.storage.buckets[BUCKET][package.object_key].data = other.path.read_bytes()
        return answer

    site.aws.storage.complete_multipart_upload = exchanged  # type: ignore[assignment,method-assign]
    site.cloud = site.aws.cloud()
    with pytest.raises(LambdapackError, match="LP427"):
        site_apply(site, examined)
    assert site.live == "1"


def test_an_alias_remembers_beside_what_somebody_else_wrote(site: Site) -> None:
    site.function()
    site.deploy(site.wanted(site.package("new")))
    alias = site.aws.functions.functions["fn"].aliases["live"]
    assert re.fullmatch(r"\[lambdapack: live 2 \S+Z dev < 1 \S+Z dev\]", alias["Description"])
    alias["Description"] = "ours, do not touch " + alias["Description"]
    site.deploy(site.wanted(site.package("newer")))
    assert re.fullmatch(
        r"ours, do not touch \[lambdapack: live 3 \S+Z dev < 2 \S+Z dev < 1 \S+Z dev\]",
        site.aws.functions.functions["fn"].aliases["live"]["Description"],
    )
