import pytest

from lambdapack.rules.package.duplicates import MIN_WASTED_BYTES
from tests.unit.pipeline.workshop import Workshop
from tests.world import World


def found(world: World) -> list[str]:
    return [each.message for each in world.report().findings if each.rule.name == "duplicate-packages"]


def install(world: World, directory: str, version: str, size: int) -> None:
    world.package(directory, version=version)
    world.add(f"{directory}/data.js", "/" * size)


@pytest.mark.proves("duplicate-packages")
def test_large_copies_of_one_version_are_a_note_with_their_size(world: World) -> None:
    for directory in ("node_modules/a/node_modules/big", "node_modules/b/node_modules/big"):
        install(world, directory, "1.0.0", MIN_WASTED_BYTES)
    (message,) = found(world)
    assert "big 1.0.0 (2 times)" in message


@pytest.mark.spares("duplicate-packages")
@pytest.mark.parametrize(("version", "size"), [("2.0.0", MIN_WASTED_BYTES), ("1.0.0", MIN_WASTED_BYTES // 2)])
def test_other_versions_and_small_copies_are_not_worth_a_word(world: World, version: str, size: int) -> None:
    install(world, "node_modules/big", "1.0.0", size)
    install(world, "node_modules/b/node_modules/big", version, size)
    assert found(world) == []


def limited(workshop: Workshop, largest: int) -> list[str]:
    (built,) = workshop.build(max_size=largest)
    assert (built.archive is None) == ("over-max-size" in [each.rule.name for each in built.report.findings])
    assert (built.archive is None) == (workshop.written == [])
    return [each.rule.name for each in built.report.findings]


@pytest.fixture
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("shop"))


@pytest.mark.proves("over-max-size")
def test_a_zip_above_the_projects_own_limit_is_not_written(workshop: Workshop) -> None:
    assert "over-max-size" in limited(workshop, 100)


@pytest.mark.spares("over-max-size")
def test_a_zip_below_it_is(workshop: Workshop) -> None:
    assert limited(workshop, 100_000) == []
