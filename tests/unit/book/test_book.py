import json
import re
from importlib.resources import files

import pytest

from lambdapack.book import Delivery, Page, Registered, Role, Status, page, pages
from lambdapack.project.semver import parse_version

PAGES = tuple(pages().values())


def test_a_page_is_found_by_the_name_npm_has_for_it() -> None:
    sharp = page("sharp")
    assert sharp is not None
    assert (sharp.delivery, sharp.registered, sharp.status) == (
        Delivery.PLATFORM_PACKAGES,
        Registered.NODE_API,
        Status.MAINTAINED,
    )
    assert page("Sharp") is None
    assert page("no-such-package") is None


def test_every_package_has_one_page_and_they_stand_in_order() -> None:
    text = files("lambdapack.book").joinpath("packages.json").read_text(encoding="utf-8")
    names = [row["name"] for row in json.loads(text)["pages"]]
    assert names == sorted(set(names), key=lambda name: name.removeprefix("@"))
    assert len(names) >= 90


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_a_page_says_where_it_comes_from_and_what_to_do(each: Page) -> None:
    assert parse_version(each.newest)
    assert each.source
    assert each.read.year >= 2026
    for text in (each.needs, each.advice):
        assert text == "" or re.fullmatch(r"[A-Z@0-9a-z].*[.)]", text)
        assert text.isascii()
    if not each.alive or each.role is Role.ELSEWHERE:
        assert each.alternatives or each.advice, "who warns must say what to do instead"


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_nothing_is_replaced_by_what_is_itself_given_up(each: Page) -> None:
    for name in each.alternatives:
        other = page(name)
        assert name != each.name
        assert other is None or other.alive, f"{each.name} -> {name}"
