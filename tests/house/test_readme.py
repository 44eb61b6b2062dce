"""README and the pages with generated blocks are what the records and the program say today."""

import re
from pathlib import Path

import pytest

from lambdapack.errors.registry import FAILURES
from lambdapack.rules.registry import RULES

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FINDINGS = ROOT / "docs" / "findings.md"
MAX_README_LINES = 150
"""Longer, and nobody reads it to the end; tables live in docs/."""


def replaced(text: str, name: str, content: str) -> str:
    """Return the text with what stands between the marks of a block exchanged."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    assert len(pattern.findall(text)) == 1
    return pattern.sub(lambda found: f"{found[1]}{content}{found[2]}", text)


def codes() -> str:
    rules = [f"| {each.code} | `{each.name}` | {each.severity.value} | {each.title} |" for each in RULES]
    failures = [f"| {each.code} | `{each.name}` | exit {int(each.exit)} | {each.title} |" for each in FAILURES]
    header = "| Code | Name | | |\n|---|---|---|---|\n"
    return (
        f"Findings about a package:\n\n{header}" + "\n".join(rules) + "\n\n"
        "<details><summary>Failures: what stops the work itself</summary>\n\n"
        f"{header}" + "\n".join(failures) + "\n\n</details>\n"
    )


def test_the_table_of_codes_is_fresh(request: pytest.FixtureRequest) -> None:
    text = FINDINGS.read_text(encoding="utf-8")
    fresh = replaced(text, "codes", codes())
    if request.config.getoption("--update-golden"):
        FINDINGS.write_text(fresh, encoding="utf-8")
    assert FINDINGS.read_text(encoding="utf-8") == fresh, "run `make docs`"


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


def test_every_command_is_documented() -> None:
    from typer.main import get_command  # noqa: PLC0415, TID251  # the only way to list typer's commands

    from lambdapack.cli.app import app  # noqa: PLC0415

    command = get_command(app)
    text = README.read_text(encoding="utf-8")
    names = list(getattr(command, "commands", {}))
    assert "build" in names
    assert [name for name in names if f"lambdapack {name}" not in text] == []
