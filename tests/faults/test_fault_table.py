"""Every call x every fault: the same command converges, every sentence is true, nothing is lost, nothing is exit 70."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import servers
from tests.cloud.faults import FAULTS
from tests.cloud.process import killed
from tests.cloud.world import World, served
from tests.faults.table import FLOWS, Row, at, judge, operations_of, page, run_row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failures-at-each-step.md"

SAMPLE_STEP = 17
"""Every 17th row of the whole table is in the standard run."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with servers.moto() as address:
        yield address


@pytest.fixture
def world(endpoint: str, tmp_path: Path) -> World:
    return served("moto", endpoint, tmp_path)


def table(world: World) -> list[Row]:
    return [Row(flow, call, kind) for flow in FLOWS for call in operations_of(world, flow) for kind in FAULTS]


def wrong(rows: list[Row]) -> list[str]:
    return [f"{row.flow}, {row.operation}, {row.kind}: {problem}" for row in rows for problem in row.problems]


def test_a_sample_of_the_table_has_no_false_row(world: World) -> None:
    rows = [run_row(world, row) for row in table(world)[::SAMPLE_STEP]]
    assert wrong(rows) == []
    assert all(row.struck for row in rows)


@pytest.mark.full
def test_the_whole_table_has_no_false_row(world: World, request: pytest.FixtureRequest) -> None:
    rows = [run_row(world, row) for row in table(world)]
    assert len({row.operation for row in rows}) >= 14
    assert wrong(rows) == []
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(rows), encoding="utf-8")
    named = {line.split(" | ")[0] for line in page(rows).splitlines() if line.startswith("| ")}
    shown = {line.split(" | ")[0] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")}
    assert named == shown, "run pytest --full tests/faults --update-golden"


@pytest.mark.full
@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow != "publish-layer"])
@pytest.mark.parametrize("carried_out", [True, False], ids=["reply lost", "never done"])
def test_killed_at_any_call_the_same_command_converges(world: World, flow: str, carried_out: bool) -> None:
    for stop_at in range(40):
        scene = FLOWS[flow](world)
        stopped = killed(world.endpoint, world.directory, scene.arguments, stop_at, carried_out=carried_out)
        server = at(world.endpoint)
        row = Row(flow, str(stop_at), "kill")
        assert list(judge(row, scene, server)) == [] or stopped
        done = run_row(world, Row(flow, "", ""))
        assert done.problems == []
        if not stopped:
            return
    raise AssertionError(flow)
