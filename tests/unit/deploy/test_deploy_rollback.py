from pathlib import Path

import pytest

from lambdapack.deploy.alias import apply_rollbacks, find_rollback
from lambdapack.errors.record import LambdapackError
from tests.cloud.deploying import EVENT, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A function that was deployed three times."""
    made = Site(tmp_path)
    made.function("one")
    for text in ("two", "three"):
        made.deploy(made.wanted(made.package(text)))
    made.aws.line.forget()
    return made


def test_it_goes_back_to_the_version_before(site: Site) -> None:
    found = find_rollback(site.cloud, "fn", "live")
    assert (found.version.version, found.reason) == ("2", "the previous version")
    apply_rollbacks(site.cloud, [found])
    assert site.live == "2"
    assert site.aws.line.writes == ["UpdateAlias"]


def test_it_does_not_go_back_to_a_version_that_was_never_served(site: Site) -> None:
    site.deploy(site.wanted(site.package("unserved"), alias=""))
    site.deploy(site.wanted(site.package("five")))
    assert site.live == "5"
    found = find_rollback(site.cloud, "fn", "live")
    assert found.version.version == "3"


def test_without_a_memory_a_version_must_be_named(site: Site) -> None:
    site.aws.functions.functions["fn"].aliases["live"]["Description"] = "by hand"
    with pytest.raises(LambdapackError, match="LP429") as raised:
        find_rollback(site.cloud, "fn", "live")
    assert "--to 2" in raised.value.hint
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live", "2")])
    assert site.aws.functions.functions["fn"].aliases["live"]["Description"].startswith("by hand [lambdapack: live 2 ")


def test_a_second_step_back_must_be_named(site: Site) -> None:
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live")])
    site.aws.line.forget()
    again = find_rollback(site.cloud, "fn", "live")
    assert (again.is_needed, again.reason) == (False, "already rolled back from 3")
    apply_rollbacks(site.cloud, [again])
    assert (site.live, site.aws.line.writes) == ("2", [])
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live", "1")])
    assert site.live == "1"


def test_after_a_canary_that_ended_it_stays_where_it_is(site: Site) -> None:
    site.deploy(site.wanted(site.package("four"), canary=0.25))
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live")])
    again = find_rollback(site.cloud, "fn", "live")
    assert (again.is_needed, again.reason) == (False, "already rolled back from 4")
    site.deploy(site.wanted(site.package("five")))
    assert find_rollback(site.cloud, "fn", "live").version.version == "3"


def test_it_never_goes_to_a_version_that_failed_its_test(site: Site) -> None:
    package = site.package("broken")
    site.aws.functions.handlers[package.code_digest] = lambda _event: {"statusCode": 500}
    with pytest.raises(LambdapackError, match="LP425"):
        site.deploy(site.wanted(package, smoke=EVENT))
    assert site.aws.functions.functions["fn"].aliases["live"]["Description"].endswith("; failed 4]")
    site.deploy(site.wanted(site.package("five")))
    found = find_rollback(site.cloud, "fn", "live")
    assert (site.live, found.version.version) == ("5", "3")


def test_an_alias_that_somebody_else_moved_is_not_guessed_at(site: Site) -> None:
    site.aws.functions.functions["fn"].aliases["live"]["FunctionVersion"] = "1"
    with pytest.raises(LambdapackError, match="LP429") as raised:
        find_rollback(site.cloud, "fn", "live")
    assert "lambdapack pointed it at 3 last, and something else moved it since" in raised.value.detail
    site.deploy(site.wanted(site.package("four")))
    assert find_rollback(site.cloud, "fn", "live").version.version == "1"


def test_several_functions_go_back_all_or_none(site: Site) -> None:
    for name in ("a", "b"):
        site.function(name=name)
        site.deploy(site.wanted(site.package("new"), function=name))
    rollbacks = [find_rollback(site.cloud, name, "live") for name in ("a", "b")]
    alias = site.aws.functions.functions["b"].aliases["live"]
    alias["RevisionId"] = "somebody changed it"
    with pytest.raises(LambdapackError, match="LP413") as raised:
        apply_rollbacks(site.cloud, rollbacks)
    assert [site.alias(name) for name in ("a", "b")] == ["2", "2"]
    assert "a: alias live still points at version 2" in raised.value.detail
    assert "b: alias live still points at version 2" in raised.value.detail
    for _again in range(2):
        apply_rollbacks(site.cloud, [find_rollback(site.cloud, name, "live") for name in ("a", "b")])
        assert [site.alias(name) for name in ("a", "b")] == ["1", "1"]


def test_to_names_a_version(site: Site) -> None:
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live", "1")])
    assert site.live == "1"
    site.aws.line.forget()
    found = find_rollback(site.cloud, "fn", "live", "1")
    assert not found.is_needed
    apply_rollbacks(site.cloud, [found])
    assert site.aws.line.writes == []
    with pytest.raises(LambdapackError, match="LP429"):
        find_rollback(site.cloud, "fn", "live", "99")


def test_a_canary_ends_where_most_of_the_traffic_is(site: Site) -> None:
    site.deploy(site.wanted(site.package("four"), canary=0.25))
    found = find_rollback(site.cloud, "fn", "live")
    assert (found.version.version, found.reason) == ("3", "ends the canary")
    apply_rollbacks(site.cloud, [found])
    assert "RoutingConfig" not in site.aws.functions.functions["fn"].aliases["live"]


def test_a_lost_reply_costs_nothing(site: Site) -> None:
    site.aws.line.lose["UpdateAlias"] = 1
    apply_rollbacks(site.cloud, [find_rollback(site.cloud, "fn", "live")])
    assert site.live == "2"


def test_what_is_not_there_is_said(site: Site) -> None:
    with pytest.raises(LambdapackError, match="LP415"):
        find_rollback(site.cloud, "nobody", "live")
    with pytest.raises(LambdapackError, match="LP416") as raised:
        find_rollback(site.cloud, "fn", "blue")
    assert "list-aliases" in raised.value.hint
