from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from lambdapack.model import Architecture, Target
from lambdapack.report import table
from lambdapack.runtimes.runtime import runtime_architectures, runtime_ids, shipped_runtime
from tests.unit.report.samples import RUNTIME, SHIPPED

Golden = Callable[[str, str], None]
TODAY = date(2026, 11, 21)
EVERY = [Target(name, each) for name in runtime_ids() for each in runtime_architectures(name)]


def test_a_runtime_says_what_it_provides(golden: Golden) -> None:
    golden("runtime.txt", table.render_runtime(RUNTIME, TODAY))
    golden("runtime-unknown.txt", table.render_runtime(SHIPPED, TODAY))


def test_the_table_has_a_line_for_each_runtime_newest_first(golden: Golden) -> None:
    golden("runtimes.txt", table.render_runtimes([RUNTIME, SHIPPED], TODAY))


@pytest.mark.parametrize("target", EVERY, ids=str)
def test_no_runtime_is_wider_than_a_terminal(target: Target) -> None:
    found = shipped_runtime(target)
    text = table.render_runtime(found, TODAY) + table.render_runtimes([found], TODAY)
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2027-04-29", "supported"),
        ("2027-04-30", "deprecated"),
        ("2027-06-30", "deprecated"),
        ("2027-07-01", "blocked"),
    ],
)
def test_a_state_begins_on_its_day(day: str, state: str) -> None:
    assert table.lifecycle_state(RUNTIME, date.fromisoformat(day)) == state


def test_a_runtime_without_announced_dates_is_supported() -> None:
    assert table.lifecycle_state(SHIPPED, date(2099, 1, 1)) == "supported"
    row = table.runtime_row(replace(SHIPPED, target=Target("nodejs24.x", Architecture.ARM64)), TODAY)
    assert (row["deprecated"], row["block_create"], row["block_update"]) == (None, None, None)


def test_columns_are_aligned_and_end_without_blanks() -> None:
    assert table.align_columns([("A", "LONG"), ("longer", "x")]) == "A       LONG\nlonger  x\n"
