"""The same day for every command that runs inside the tests."""

from datetime import date

import pytest


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdapack.cli.input.settings.utc_today", lambda: date(2026, 11, 21))
