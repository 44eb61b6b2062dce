"""The package under construction that the tests of rules start from."""

import pytest

from tests.world import World


@pytest.fixture
def world() -> World:
    return World()
