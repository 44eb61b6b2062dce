"""What people really paste: texts of public issues, of collected logs, of the programs' own sources, and strangers'.

texts/later.json was collected when the signs were written: 54 of its 56 were answered as they are here the first time.
texts/families.json was written before the facts were read: 32 of its 60 were. texts/fresh.json was collected after: 293
of its 313 were (docs/explaining.md has the figures by set).
"""

import json
import posixpath
from pathlib import Path
from typing import Any

import pytest

from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget

AIM = ExplainTarget("nodejs22.x")
STRANGE = "not-ours"


def rows(name: str) -> list[dict[str, Any]]:
    """Rows of one collection: text, cause, and the package and file that the text names."""
    found: list[dict[str, Any]] = json.loads((Path(__file__).parent / "texts" / f"{name}.json").read_text("utf-8"))
    return found


OURS = [
    each
    for name in ("issues", "collected", "printed", "later", "families", "fresh")
    for each in rows(name)
    if each["cause"] != STRANGE
]
STRANGERS = [
    *rows("unrelated"),
    *(each for name in ("issues", "later", "families") for each in rows(name) if each["cause"] == STRANGE),
]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("issues", 77),
        ("collected", 90),
        ("printed", 100),
        ("later", 56),
        ("families", 60),
        ("fresh", 313),
        ("unrelated", 200),
    ],
)
def test_no_collection_lost_its_texts(name: str, least: int) -> None:
    assert len(rows(name)) >= least


@pytest.mark.parametrize(
    "row",
    OURS,
    ids=lambda row: f"{row['id']}-{row['cause']}",
)
def test_a_text_is_answered_with_its_cause_its_file_and_its_package(row: dict[str, Any]) -> None:
    found = diagnose(strip_log_markup(row["text"]), AIM, row["text"])
    assert found, "nothing was recognised"
    best, also = found[0], row.get("also", [])
    assert best.cause in {row["cause"], *also}
    if row["file"]:
        assert posixpath.basename(best.file or "") == row["file"]
    if row["package"]:
        assert best.package in {row["package"], *also}


@pytest.mark.parametrize("row", STRANGERS, ids=lambda row: str(row["id"]))
def test_a_text_about_something_else_has_no_diagnosis(row: dict[str, Any]) -> None:
    assert diagnose(strip_log_markup(row["text"]), AIM) == ()


@pytest.mark.parametrize("row", OURS, ids=lambda row: str(row["id"]))
def test_every_diagnosis_has_a_command_of_ours_a_plain_one_and_a_habit(row: dict[str, Any]) -> None:
    best = diagnose(strip_log_markup(row["text"]), AIM)[0]
    assert best.fix
    assert best.prevent
    assert not any("{" in each.replace('{"', "") or "\0" in each for each in best.fix)
