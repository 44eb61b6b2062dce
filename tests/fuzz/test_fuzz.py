import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdapack.binary.elf import read
from tests import elf as make
from tests.fuzz.blows import hurt
from tests.fuzz.originals import Original, compiled
from tests.fuzz.shapes import shapes
from tests.fuzz.whole import FLOOR_BYTES, TIMES, judge, peak

CALLS = 3_000_000
"""Of Python's functions, for one file: half a second where a call takes 150 ns. No load of the machine changes it."""

LARGE = 30_000
"""Repetitions: some megabytes, and enough that a square of it would never end."""


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Original]:
    scratch = tmp_path_factory.mktemp("originals")
    found = list(compiled(scratch))
    for each in found:
        judge(each.path, each.data, scratch)  # tables that are read once are not the file's fault
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_hurt_binary_is_judged_without_a_fault_of_ours(
    originals: list[Original], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    original, image = data.draw(hurt(originals))
    scratch = tmp_path_factory.getbasetemp()
    assert peak(lambda: judge(original.path, image, scratch)) <= TIMES * len(image) + FLOOR_BYTES


def test_what_is_built_to_be_slow_costs_no_more_than_its_size(tmp_path: Path) -> None:
    base = make.link(tmp_path, "addon.node", make.NODE_API, "-DLEVEL=8").read_bytes()
    judge("node_modules/native/addon.node", base, tmp_path)
    slow = list(shapes(base, LARGE))
    assert len(slow) > 10
    for name, image in slow:
        view = memoryview(image)
        assert (name, calls(lambda view=view: [read.read_elf(view), *read.read_exports(view)]) <= CALLS) == (name, True)  # type: ignore[misc]
        used = peak(lambda image=image: judge("node_modules/native/addon.node", image, tmp_path))  # type: ignore[misc]
        assert (name, used <= TIMES * len(image) + FLOOR_BYTES) == (name, True)
