import json
from collections.abc import Callable

from lambdapack.report.checkup import Checked, Checkup, Origin, State, render, render_json

FOUND = Checkup(
    (
        Checked("engine for x86_64", State.OK, "Docker Engine 28.2.2 (linux/amd64)"),
        Checked("runtime image for nodejs22.x/arm64", State.NOTE, "it is not here; the first build pulls it"),
        Checked("npm registry", State.WARNING, "https://registry.example/ does not answer", "Run `npm ping`."),
    ),
    (Origin("arch", "arm64", "lambdapack.toml:3"), Origin("handler", "index.handler", "default")),
)
BAD = Checkup((*FOUND.checks, Checked("emulation of arm64", State.ERROR, "no emulator", "Run `it`.")), FOUND.settings)


def test_a_checkup_for_people(golden: Callable[[str, str], None]) -> None:
    golden("doctor.txt", render(BAD))


def test_settings_that_nobody_made_are_shown_on_demand() -> None:
    assert "handler" not in render(FOUND)
    assert "handler" in render(FOUND, verbose=True)


def test_only_an_error_keeps_a_build_from_working() -> None:
    assert (FOUND.ready, BAD.ready) == (True, False)
    assert render(FOUND).endswith("\nready, with 1 warning\n")
    assert render(BAD).endswith("\nnot ready: 1 error\n")
    assert json.loads(render_json(BAD))["ready"] is False


def test_lines_stay_within_eighty_columns() -> None:
    assert [line for line in render(BAD).splitlines() if len(line) > 80] == []
