"""What AWS would refuse or others would lose is found before the first write; what stands where is said truly."""

from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError  # noqa: TID251  # what a network does is said in its classes

from lambdapack.deploy.apply import apply_plans, describe_smoke_problem
from lambdapack.deploy.nouns import FunctionSettings, SmokeAnswer
from lambdapack.errors.record import LambdapackError
from lambdapack.model import Severity
from lambdapack.pipeline.deploy import PlannedFunction, is_refused
from lambdapack.report.plan import describe_step
from tests.cloud.deploying import ARM, EVENT, NEW, Site
from tests.cloud.errors import AwsError
from tests.cloud.world import BUCKET

PLACE = "https://lambda.eu-central-1.amazonaws.com/"
LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:x"
HIDDEN = {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt the environment variables"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.function()
    return made


def names(planned: PlannedFunction) -> list[str]:
    return [finding.rule.name for finding in planned.plan.findings]


def plan(site: Site, **changes: object) -> PlannedFunction:
    (planned,) = site.examine(site.wanted(site.package("new"), **changes))
    assert site.aws.line.writes == []
    return planned


@pytest.mark.proves("variables-unreadable")
def test_variables_that_aws_does_not_show_are_never_replaced(site: Site) -> None:
    site.aws.functions.functions["fn"].latest["Environment"] = {"Error": HIDDEN}
    planned = plan(site, variables=(("STAGE", "prod"),))
    assert is_refused([planned], Severity.ERROR)
    assert "variables-unreadable" in names(planned)


@pytest.mark.spares("variables-unreadable")
def test_without_variables_they_may_stay_hidden(site: Site) -> None:
    site.aws.functions.functions["fn"].latest["Environment"] = {"Error": HIDDEN}
    assert "variables-unreadable" not in names(plan(site))


@pytest.mark.proves("value-refused")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variables": (("LONG", "x" * 5000),)}, "4096 is the most"),
        ({"variables": (("AWS_REGION", "x"),)}, "AWS_REGION is reserved"),
        ({"settings": FunctionSettings(timeout=100_000)}, "too large"),
        ({"settings": FunctionSettings(memory=64)}, "128 is the least"),
        ({"settings": FunctionSettings(memory=10_241)}, "10240 is the most"),
        ({"settings": FunctionSettings(timeout=1801)}, "1800 is the most"),
        ({"settings": FunctionSettings(timeout=0)}, "1 is the least"),
        ({"settings": FunctionSettings(ephemeral_storage=10_241)}, "10240 is the most"),
        ({"settings": FunctionSettings(handler="a b.handler")}, "does not have the form"),
        ({"settings": FunctionSettings(handler="x" * 129)}, "128 is the most"),
        ({"settings": FunctionSettings(role="admin")}, "does not have the form"),
        ({"settings": FunctionSettings(tracing="On")}, "is not one of"),
        ({"variables": (("A-B", "x"),)}, "does not have the form"),
        ({"tags": tuple((f"t{i}", "x") for i in range(51))}, "50 is the most"),
        ({"tags": (("team", "x" * 257),)}, "256 is the most"),
        ({"settings": FunctionSettings(description="x" * 257)}, "256 is the most"),
        ({"settings": FunctionSettings(ephemeral_storage=100)}, "512 is the least"),
        ({"settings": FunctionSettings(layers=(f"{LAYER}:1", f"{LAYER}:2"))}, "attached twice"),
        ({"settings": FunctionSettings(layers=tuple(f"{LAYER}{i}:1" for i in range(6)))}, "5 is the most"),
        ({"settings": FunctionSettings(layers=(LAYER.replace("central", "west") + ":1",))}, "another region"),
        ({"tags": (("aws:x", "y"),)}, "reserved"),
    ],
)
def test_a_value_that_aws_refuses_is_found_before_the_first_write(
    site: Site, changes: dict[str, object], words: str
) -> None:
    planned = plan(site, **changes)
    found = [each.message for each in planned.plan.findings if each.rule.name == "value-refused"]
    assert any(words in message for message in found), found
    assert is_refused([planned], Severity.ERROR)


@pytest.mark.spares("value-refused")
def test_values_at_the_limits_are_fine(site: Site) -> None:
    settings = FunctionSettings(timeout=900, memory=10240, description="x" * 256, ephemeral_storage=10240)
    planned = plan(site, settings=settings, variables=(("LONG", "x" * 4085),), tags=(("team", "a b"),))
    assert "value-refused" not in names(planned)


@pytest.mark.spares("value-refused")
@pytest.mark.parametrize("hardware", ["CapacityProviderConfig", "AcceleratorConfig"])
def test_hardware_of_its_own_raises_the_limits(site: Site, hardware: str) -> None:
    site.aws.functions.functions["fn"].latest[hardware] = {"Named": "x"}
    planned = plan(site, settings=FunctionSettings(timeout=5400, memory=32_768, ephemeral_storage=32_768))
    assert "value-refused" not in names(planned)


@pytest.mark.proves("layer-missing")
def test_a_layer_that_does_not_exist_is_refused(site: Site) -> None:
    planned = plan(site, settings=FunctionSettings(layers=(f"{LAYER}:1",)))
    assert "layer-missing" in names(planned)


@pytest.mark.spares("layer-missing")
def test_an_attached_layer_that_was_deleted_stays(site: Site) -> None:
    site.aws.functions.functions["fn"].latest["Layers"] = [{"Arn": f"{LAYER}:1", "CodeSize": 1}]
    found = names(plan(site))
    assert ("layer-missing" in found, "layer-unseen" in found) == (False, True)


@pytest.mark.proves("bucket-unusable")
def test_a_bucket_that_does_not_exist_is_refused_by_the_plan(site: Site) -> None:
    (planned,) = site.examine(site.wanted(site.package("large", size=53_000_000), bucket="nothing"))
    assert "bucket-unusable" in names(planned)


@pytest.mark.spares("bucket-unusable")
def test_a_bucket_of_which_nothing_may_be_known_is_tried(site: Site) -> None:
    site.aws.line.refuse["HeadBucket"] = [AwsError("AccessDenied", "Access Denied")]
    (planned,) = site.examine(site.wanted(site.package("large", size=53_000_000), bucket=BUCKET))
    assert "bucket-unusable" not in names(planned)


@pytest.mark.proves("concurrency-zero")
def test_a_function_that_is_switched_off_is_not_tested(site: Site) -> None:
    site.aws.extras.reserved["fn"] = 0
    assert "concurrency-zero" in names(plan(site, smoke=EVENT))


@pytest.mark.spares("concurrency-zero")
def test_a_function_that_is_switched_off_may_be_deployed_without_a_test(site: Site) -> None:
    site.aws.extras.reserved["fn"] = 0
    assert "concurrency-zero" not in names(plan(site))


@pytest.mark.proves("canary-unshared")
def test_a_canary_on_a_new_alias_is_said(site: Site) -> None:
    assert "canary-unshared" in names(plan(site, alias="blue", canary=0.1))


@pytest.mark.spares("canary-unshared")
def test_a_canary_on_an_alias_is_fine(site: Site) -> None:
    assert "canary-unshared" not in names(plan(site, canary=0.1))


@pytest.mark.proves("owned-elsewhere")
@pytest.mark.parametrize(
    "tags", [{"aws:cloudformation:stack-name": "s"}, {"ManagedBy": "Terraform"}, {"terraform": "true"}], ids=str
)
def test_a_function_of_another_tool_is_said(site: Site, tags: dict[str, str]) -> None:
    site.aws.extras.tags["fn"] = tags
    assert "owned-elsewhere" in names(plan(site))


@pytest.mark.proves("owned-elsewhere")
def test_weights_that_another_tool_shifts_are_said(site: Site) -> None:
    site.deploy(site.wanted(site.package("two"), alias=""))
    alias = site.aws.functions.functions["fn"].aliases["live"]
    alias["RoutingConfig"] = {"AdditionalVersionWeights": {"2": 0.1}}
    site.aws.line.forget()
    assert "owned-elsewhere" in names(plan(site))


@pytest.mark.spares("owned-elsewhere")
def test_tags_of_a_team_and_our_own_canary_are_not(site: Site) -> None:
    site.aws.extras.tags["fn"] = {"team": "terraform-fans", "stage": "sam"}
    site.deploy(site.wanted(site.package("two"), canary=0.1))
    site.aws.line.forget()
    assert "owned-elsewhere" not in names(plan(site))


def test_an_alias_at_latest_never_serves_untested_code(site: Site) -> None:
    function = site.aws.functions.functions["fn"]
    old = function.latest["CodeSha256"]
    function.aliases["live"]["FunctionVersion"] = "$LATEST"
    package = site.package("broken")
    served = []
    site.aws.functions.handlers[package.code_digest] = lambda _event: {"statusCode": 500}

    def watch(operation: str) -> None:
        version = function.aliases["live"]["FunctionVersion"]
        document = function.latest if version == "$LATEST" else function.versions[version]
        served.append((operation, document["CodeSha256"]))

    site.aws.line.watch = watch
    with pytest.raises(LambdapackError, match="LP425"):
        site.deploy(site.wanted(package, smoke=EVENT))
    assert {digest for _operation, digest in served} == {old}


def test_an_unchanged_deploy_moves_an_alias_away_from_latest(site: Site) -> None:
    function = site.aws.functions.functions["fn"]
    package = site.package("same")
    site.deploy(site.wanted(package, alias=""))
    function.aliases["live"]["FunctionVersion"] = "$LATEST"
    (done,) = site.deploy(site.wanted(package))
    assert done.version.version_arn.endswith(":fn:2")
    assert site.live == "2"


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion"])
def test_a_write_that_is_never_answered_is_told_as_it_stands(site: Site, operation: str) -> None:
    site.aws.line.lose[operation] = 100
    with pytest.raises(LambdapackError, match="LP405") as raised:
        site.deploy(site.wanted(site.package("new")))
    said = raised.value.detail.splitlines()[-1]
    function = site.aws.functions.functions["fn"]
    assert f"version {site.live}" in said
    assert "alias live still points at version 1" in said
    assert f"no answer came to {operation}" in said
    assert function.latest["CodeSha256"] != function.versions["1"]["CodeSha256"]
    assert "$LATEST has the new code" in said


def test_a_moved_alias_whose_answer_is_lost_counts_as_moved(site: Site) -> None:
    site.aws.line.lose["UpdateAlias"] = 10
    (done,) = site.deploy(site.wanted(site.package("new")))
    assert (done.version.version, site.live) == ("2", "2")


def test_a_request_without_an_answer_is_sent_again(site: Site) -> None:
    site.aws.line.break_["GetFunctionConfiguration"] = [ReadTimeoutError(endpoint_url=PLACE)] * 2
    assert site.cloud.function("fn") is not None
    site.aws.line.break_["GetFunctionConfiguration"] = [ReadTimeoutError(endpoint_url=PLACE)] * 9
    with pytest.raises(LambdapackError, match=r"LP405") as raised:
        site.cloud.function("fn")
    assert "(tried 3 times)" in raised.value.detail


def test_the_architecture_is_compared_after_the_update(site: Site) -> None:
    (planned,) = site.examine(site.wanted(site.package("new"), architecture=ARM, allow_architecture=True))
    real = site.aws.functions.update_function_code
    site.aws.functions.update_function_code = (  # type: ignore[method-assign]
        lambda parameters: real({name: value for name, value in parameters.items() if name != "Architectures"})
    )
    with pytest.raises(LambdapackError, match="LP433"):
        apply_plans([planned.plan], site.aws.cloud(), site.observer)
    assert site.live == "1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SnapStart", {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}),
        ("VpcConfig", {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}),
        ("VpcConfig", {"Ipv6AllowedForDualStack": True}),
        ("RuntimeVersionConfig", {"RuntimeVersionArn": "arn:aws:lambda:eu-central-1::runtime:x"}),
        ("FileSystemConfigs", [{"Arn": "a", "LocalMountPath": "/mnt/x"}]),
        ("DurableConfig", {"ExecutionTimeout": 1}),
    ],
)
def test_each_setting_that_a_version_freezes_counts_as_a_change(site: Site, name: str, value: object) -> None:
    package = site.package("same")
    site.deploy(site.wanted(package))
    site.aws.functions.functions["fn"].latest[name] = value
    (planned,) = site.examine(site.wanted(package))
    assert planned.plan.steps


def test_settings_are_planned_as_a_diff_and_removed(site: Site) -> None:
    package = site.package("same")
    site.deploy(site.wanted(package, variables=(("KEPT", "1"), ("GONE", "1"), ("OTHER", "1"))))
    wanted = site.wanted(
        package,
        variables=(("OTHER", "2"), ("NEW", "1")),
        removed_variables=("GONE",),
        settings=FunctionSettings(tracing="Active", log_format="JSON", ephemeral_storage=1024),
        tags=(("team", "a"),),
    )
    (planned,) = site.examine(wanted)
    changes = {change.name: change.after for step in planned.plan.steps for change in getattr(step, "changes", ())}
    assert changes == {
        "ephemeral_storage": "1024",
        "tracing": "Active",
        "logging": "LogFormat JSON, LogGroup /aws/lambda/fn",
        "environment": "+NEW ~OTHER -GONE",
        "team": "a",
    }
    site.deploy(wanted)
    latest = site.aws.functions.functions["fn"].latest
    assert latest["Environment"]["Variables"] == {"KEPT": "1", "OTHER": "2", "NEW": "1"}
    assert (latest["TracingConfig"], latest["EphemeralStorage"]) == ({"Mode": "Active"}, {"Size": 1024})
    assert site.aws.extras.tags["fn"] == {"team": "a"}
    site.aws.line.forget()
    site.deploy(wanted)
    assert site.aws.line.writes == []


def test_old_versions_go_and_those_in_use_stay(site: Site) -> None:
    for text in "bcdefg":
        site.deploy(site.wanted(site.package(text)))
    function = site.aws.functions.functions["fn"]
    function.aliases["kept"] = {**function.aliases["live"], "Name": "kept", "FunctionVersion": "2", "Description": ""}
    site.aws.extras.provisioned["fn"] = {"3": ["READY"]}
    site.deploy(site.wanted(site.package("h"), keep_versions=2))
    assert list(function.versions) == ["2", "3", "7", "8"]


def test_the_way_back_is_never_deleted(site: Site) -> None:
    for text in "bc":
        site.deploy(site.wanted(site.package(text)))
    for text in "de":
        site.deploy(site.wanted(site.package(text), alias=""))
    site.deploy(site.wanted(site.package("f"), keep_versions=1))
    assert {"3", "6"} <= set(site.aws.functions.functions["fn"].versions)


def test_provisioned_concurrency_is_waited_for(site: Site) -> None:
    site.aws.extras.provisioned["fn"] = {"live": ["READY", "IN_PROGRESS", "IN_PROGRESS", "READY"]}
    site.deploy(site.wanted(site.package("new")))
    assert site.aws.line.operations.count("GetProvisionedConcurrencyConfig") == 4
    site.aws.extras.provisioned["fn"] = {"live": ["READY", "FAILED"]}
    with pytest.raises(LambdapackError, match="LP434") as raised:
        site.deploy(site.wanted(site.package("newer")))
    assert "alias live points at version 3" in raised.value.detail


def test_the_version_says_its_commit_and_code(site: Site) -> None:
    site.deploy(site.wanted(site.package("new"), version_description="lambdapack: commit 1, code 2"))
    function = site.aws.functions.functions["fn"]
    assert function.versions["2"]["Description"] == "lambdapack: commit 1, code 2"
    assert function.latest["Description"] == ""


def test_a_new_function_gets_all_that_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    wanted = site.wanted(
        site.package(),
        creation_settings=NEW,
        settings=FunctionSettings(timeout=9, tracing="Active", log_format="JSON"),
        variables=(("STAGE", "x"),),
        tags=(("team", "a"),),
    )
    (planned,) = site.examine(wanted)
    rows = [describe_step(step, planned.plan) for step in planned.plan.steps]
    changes = {change.name: change.after for row in rows for change in row.changes}
    assert changes["timeout"] == "9"
    assert changes["environment"] == "STAGE"
    assert changes["tag team"] == "a"
    site.deploy(wanted)
    site.aws.line.forget()
    site.deploy(replace(wanted, tags=()))
    assert site.aws.line.writes == []


def test_an_answer_that_is_empty_or_a_page_fails_the_test() -> None:
    assert describe_smoke_problem(EVENT, SmokeAnswer(b"")) == "returned an empty answer"
    assert describe_smoke_problem(EVENT, SmokeAnswer(b"<html>")) == "returned an answer that is not JSON"
    assert describe_smoke_problem(EVENT, SmokeAnswer(b"null")) == ""
