import pytest

from lambdapack.model import Severity
from lambdapack.rules.model.case import Policy
from lambdapack.rules.package.records import DEPENDENCY_MISSING
from tests.world import TODAY, World

BUILD = Policy(TODAY, handler_required=True)


@pytest.fixture
def world() -> World:
    made = World()
    made.package(
        "", dependencies={"ms": "1", "@scope/a": "1", "@aws-sdk/client-s3": "3"}, optionalDependencies={"o": "1"}
    )
    return made


def absent(world: World, policy: Policy = BUILD) -> list[tuple[str, Severity]]:
    found = (each for each in world.report(policy=policy).findings if each.rule is DEPENDENCY_MISSING)
    return [(each.message, each.weight) for each in found]


@pytest.mark.spares("dependency-missing")
def test_what_is_installed_beside_package_json_or_linked_there_is_not_missed(world: World) -> None:
    world.package("node_modules/ms")
    world.links["node_modules/@scope/a"] = "../../lib/a"
    assert absent(world) == []


@pytest.mark.proves("dependency-missing")
def test_what_is_hoisted_elsewhere_is_named_and_refused_by_a_build(world: World) -> None:
    world.package("node_modules/other/node_modules/ms")
    assert absent(world) == [("node_modules has no @scope/a, ms", Severity.ERROR)]


def test_a_bundled_package_gets_a_note_when_it_is_only_judged(world: World) -> None:
    assert [weight for _, weight in absent(world, Policy(TODAY))] == [Severity.NOTE]


def test_a_layer_may_bring_it(world: World) -> None:
    layer = World()
    layer.package("nodejs/node_modules/ms")
    layer.package("nodejs/node22/node_modules/@scope/a")
    assert world.report(policy=BUILD, layers=[layer]).findings == ()
