from pathlib import Path

import pytest

from lambdapack.deploy.alias import apply_rollback, find_rollback
from lambdapack.errors.record import LambdapackError
from tests.cloud.deploying import Site


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
    apply_rollback(site.cloud, found)
    assert site.live == "2"
    assert site.aws.line.writes == ["UpdateAlias"]


def test_it_does_not_go_back_to_a_version_that_was_never_served(site: Site) -> None:
    site.deploy(site.wanted(site.package("unserved"), alias=""))
    site.deploy(site.wanted(site.package("five")))
    assert site.live == "5"
    found = find_rollback(site.cloud, "fn", "live")
    assert found.version.version == "3"


def test_without_a_memory_it_is_the_newest_before(site: Site) -> None:
    site.aws.functions.functions["fn"].aliases["live"]["Description"] = "by hand"
    found = find_rollback(site.cloud, "fn", "live")
    assert (found.version.version, found.reason) == ("2", "the newest older version")
    apply_rollback(site.cloud, found)
    assert site.aws.functions.functions["fn"].aliases["live"]["Description"] == "by hand"


def test_twice_goes_back_twice(site: Site) -> None:
    for expected in ("2", "1"):
        apply_rollback(site.cloud, find_rollback(site.cloud, "fn", "live"))
        assert site.live == expected
    with pytest.raises(LambdapackError, match="LP429"):
        find_rollback(site.cloud, "fn", "live")


def test_to_names_a_version(site: Site) -> None:
    apply_rollback(site.cloud, find_rollback(site.cloud, "fn", "live", "1"))
    assert site.live == "1"
    site.aws.line.forget()
    found = find_rollback(site.cloud, "fn", "live", "1")
    assert not found.is_needed
    apply_rollback(site.cloud, found)
    assert site.aws.line.writes == []
    with pytest.raises(LambdapackError, match="LP429"):
        find_rollback(site.cloud, "fn", "live", "99")


def test_a_canary_ends_where_most_of_the_traffic_is(site: Site) -> None:
    site.deploy(site.wanted(site.package("four"), canary=0.25))
    found = find_rollback(site.cloud, "fn", "live")
    assert (found.version.version, found.reason) == ("3", "ends the canary")
    apply_rollback(site.cloud, found)
    assert "RoutingConfig" not in site.aws.functions.functions["fn"].aliases["live"]


def test_a_lost_reply_costs_nothing(site: Site) -> None:
    site.aws.line.lose["UpdateAlias"] = 1
    apply_rollback(site.cloud, find_rollback(site.cloud, "fn", "live"))
    assert site.live == "2"


def test_what_is_not_there_is_said(site: Site) -> None:
    with pytest.raises(LambdapackError, match="LP415"):
        find_rollback(site.cloud, "nobody", "live")
    with pytest.raises(LambdapackError, match="LP416") as raised:
        find_rollback(site.cloud, "fn", "blue")
    assert "list-aliases" in raised.value.hint
