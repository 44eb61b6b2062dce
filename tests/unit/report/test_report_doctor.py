import json
from collections.abc import Callable

from lambdapack.report.doctor import (
    Checkup,
    HealthCheck,
    HealthState,
    SettingOrigin,
    render_checkup,
)
from lambdapack.report.document.listings import render_checkup_json

FOUND = Checkup(
    (
        HealthCheck("engine for x86_64", HealthState.OK, "Docker Engine 28.2.2 (linux/amd64)"),
        HealthCheck(
            "runtime image for nodejs22.x/arm64", HealthState.NOTE, "it is not pulled yet; the first build pulls it"
        ),
        HealthCheck(
            "npm registry", HealthState.WARNING, "https://registry.example/ does not answer", "Run `npm ping`."
        ),
    ),
    (SettingOrigin("arch", "arm64", "lambdapack.toml:3"), SettingOrigin("handler", "index.handler", "default")),
)
BAD = Checkup(
    (*FOUND.checks, HealthCheck("emulation of arm64", HealthState.ERROR, "no emulator", "Run `it`.")), FOUND.settings
)


def test_a_checkup_for_people(golden: Callable[[str, str], None]) -> None:
    golden("doctor.txt", render_checkup(BAD))


def test_settings_that_nobody_made_are_shown_on_demand() -> None:
    assert "handler" not in render_checkup(FOUND)
    assert "handler" in render_checkup(FOUND, verbose=True)


def test_only_an_error_keeps_a_build_from_working() -> None:
    assert (FOUND.ready, BAD.ready) == (True, False)
    assert render_checkup(FOUND).endswith("\nready, with 1 warning\n")
    assert render_checkup(BAD).endswith("\nnot ready: 1 error\n")
    assert json.loads(render_checkup_json(BAD))["ready"] is False


def test_lines_stay_within_eighty_columns() -> None:
    assert [line for line in render_checkup(BAD).splitlines() if len(line) > 80] == []
