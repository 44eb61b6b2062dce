import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from lambdapack.model import Architecture, Target
from lambdapack.report import runtimes
from lambdapack.report.document.listings import render_runtimes_json
from lambdapack.report.text import align_columns
from lambdapack.runtimes.runtime import runtime_architectures, runtime_ids, shipped_runtime
from tests.unit.report.samples import RUNTIME, SHIPPED

Golden = Callable[[str, str], None]
TODAY = date(2026, 11, 21)
EVERY = [Target(name, each) for name in runtime_ids() for each in runtime_architectures(name)]


def test_a_runtime_says_what_it_provides(golden: Golden) -> None:
    golden("runtime.txt", runtimes.render_runtime(RUNTIME, TODAY))
    golden("runtime-unknown.txt", runtimes.render_runtime(SHIPPED, TODAY))


def test_the_table_has_a_line_for_each_runtime_newest_first(golden: Golden) -> None:
    golden("runtimes.txt", runtimes.render_runtimes([RUNTIME, SHIPPED], TODAY))


@pytest.mark.parametrize("target", EVERY, ids=str)
def test_no_runtime_is_wider_than_a_terminal(target: Target) -> None:
    found = shipped_runtime(target)
    text = runtimes.render_runtime(found, TODAY) + runtimes.render_runtimes([found], TODAY)
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
    assert runtimes.lifecycle_state(RUNTIME, date.fromisoformat(day)) == state


def test_a_runtime_without_announced_dates_is_supported() -> None:
    assert runtimes.lifecycle_state(SHIPPED, date(2099, 1, 1)) == "supported"
    runtime = replace(SHIPPED, target=Target("nodejs24.x", Architecture.ARM64))
    (row,) = json.loads(render_runtimes_json([runtime], TODAY))["runtimes"]
    assert (row["deprecated"], row["block_create"], row["block_update"]) == (None, None, None)


def test_columns_are_aligned_and_end_without_blanks() -> None:
    assert align_columns([("A", "LONG"), ("longer", "x")]) == "A       LONG\nlonger  x\n"
