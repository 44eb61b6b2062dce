from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from lambdapack.model import Architecture, Target
from lambdapack.report import table
from lambdapack.runtimes.catalogue import architectures, identifiers, shipped
from tests.unit.report.samples import RUNTIME, SHIPPED

Golden = Callable[[str, str], None]
TODAY = date(2026, 11, 21)
EVERY = [Target(name, each) for name in identifiers() for each in architectures(name)]


def test_a_runtime_says_what_it_provides(golden: Golden) -> None:
    golden("runtime.txt", table.runtime(RUNTIME, TODAY))
    golden("runtime-unknown.txt", table.runtime(SHIPPED, TODAY))


def test_the_table_has_a_line_for_each_runtime_newest_first(golden: Golden) -> None:
    golden("runtimes.txt", table.runtimes([RUNTIME, SHIPPED], TODAY))


@pytest.mark.parametrize("target", EVERY, ids=str)
def test_no_runtime_is_wider_than_a_terminal(target: Target) -> None:
    found = shipped(target)
    text = table.runtime(found, TODAY) + table.runtimes([found], TODAY)
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
    assert table.state(RUNTIME, date.fromisoformat(day)) == state


def test_a_runtime_without_announced_dates_is_supported() -> None:
    assert table.state(SHIPPED, date(2099, 1, 1)) == "supported"
    row = table.runtime_row(replace(SHIPPED, target=Target("nodejs24.x", Architecture.ARM64)), TODAY)
    assert (row["deprecated"], row["block_create"], row["block_update"]) == (None, None, None)


def test_columns_are_aligned_and_end_without_blanks() -> None:
    assert table.columns([("A", "LONG"), ("longer", "x")]) == "A       LONG\nlonger  x\n"
