import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdapack.project.semver import admitted_majors, parse_range, parse_version


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
