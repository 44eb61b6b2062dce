import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdapack.project.semver import admitted_majors, parse_range, parse_version, satisfies

VERSIONS = ("0.0.0", "0.0.3", "0.1.2", "1.0.0", "1.2.3", "1.2.3-beta.1", "1.2.3-beta.11", "1.2.4-rc", "2.0.0-alpha",
            "2.0.0", "3.5.1", "10.0.0", "v1.2.3", "1.2.3+build", "0.0.0-0", "1.2", "abc")  # fmt: skip
RANGES = ("", "*", "x", "^1", "^1.2", "^1.2.3", "^0.0.3", "^0", "^0.0", "^0.1", "~1", "~1.2", "~1.2.3", "~0", ">1",
          ">=1.2", "<2", "<=1.2", ">1.2", "1.x", "1.2.x", "1.2.3 - 2", "1.2 - 1.2.3", ">=1.2.3-beta.2", "^1.2.3-beta",
          ">=1 <2", ">= 1 < 2", "^1 || ^3", "latest", "1.2.3", "=1.2.3", "^v1.2.3", "~>1.2", ">x", "<*", ">=*", "1||",
          "<1.2.3-rc", "^2.0.0-0", "  ^1  ", "1.2.3beta", "^1,^2", "1.2.3.4", "<0", ">=1.2.3-beta <1.2.3")  # fmt: skip


def test_ranges_mean_what_they_mean_to_npm(npm: str) -> None:
    root = Path(npm).resolve().parents[1]
    script = (
        f"const s=require({json.dumps(str(root / 'node_modules/semver'))});"
        "const [v,r]=JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(r.map(x=>v.map(y=>{try{new s.Range(x,true)}catch{return null}"
        "return s.valid(y,true)?s.satisfies(y,x,true):null}))))"
    )
    asked = json.dumps([VERSIONS, RANGES])
    done = subprocess.run(["node", "-e", script], input=asked, capture_output=True, text=True, check=True)
    ours = [[satisfies(version, spec) for version in VERSIONS] for spec in RANGES]
    assert ours == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("spec", "majors"),
    [
        (">=22", (22, 24)),
        ("22", (22,)),
        ("22.x", (22,)),
        ("^22.11.0", (22,)),
        (">=20 <22", (20,)),
        (">=20.0.0 <=22.1", (20, 22)),
        ("~20 || ~24", (20, 24)),
        ("18", ()),
        (">22", (24,)),
        ("*", (20, 22, 24)),
    ],
)
def test_engines_admit_the_majors_that_they_reach(spec: str, majors: tuple[int, ...]) -> None:
    assert admitted_majors(spec, (20, 22, 24)) == majors


def test_a_tag_admits_nothing_that_can_be_known() -> None:
    assert admitted_majors("lts/*", (20, 22)) is None


@given(st.text(max_size=40))
def test_any_text_is_a_range_or_none(text: str) -> None:
    parse_range(text)
    parse_version(text)


def test_an_endless_text_is_refused_at_once() -> None:
    assert parse_range("1 " * 100_000) is None
    assert parse_version("1." * 100_000) is None
