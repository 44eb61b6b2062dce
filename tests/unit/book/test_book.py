import json
import re
from importlib.resources import files

import pytest

from lambdapack.book.book import (
    BinaryDelivery,
    BinaryInterface,
    BookEntry,
    MaintenanceStatus,
    PackageRole,
    find_book_entry,
    read_book,
)
from lambdapack.project.semver import parse_version

PAGES = tuple(read_book().values())


def test_a_page_is_found_by_the_name_npm_has_for_it() -> None:
    sharp = find_book_entry("sharp")
    assert sharp is not None
    assert (sharp.delivery, sharp.interface, sharp.status) == (
        BinaryDelivery.PLATFORM_PACKAGES,
        BinaryInterface.NODE_API,
        MaintenanceStatus.MAINTAINED,
    )
    assert find_book_entry("Sharp") is None
    assert find_book_entry("no-such-package") is None


def test_every_package_has_one_page_and_they_stand_in_order() -> None:
    text = files("lambdapack.book").joinpath("packages.json").read_text(encoding="utf-8")
    names = [row["name"] for row in json.loads(text)["pages"]]
    assert names == sorted(set(names), key=lambda name: name.removeprefix("@"))
    assert len(names) >= 250


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_a_page_says_where_it_comes_from_and_what_to_do(each: BookEntry) -> None:
    assert parse_version(each.newest)
    assert each.source
    assert each.read_on.year >= 2026
    for text in (each.requirements, each.advice):
        assert text == "" or re.fullmatch(r"[A-Z@0-9a-z].*[.)]", text)
        assert text.isascii()
    if not each.is_maintained or each.role is PackageRole.ELSEWHERE:
        assert each.alternatives or each.advice, "who warns must say what to do instead"


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_nothing_is_replaced_by_what_is_itself_given_up(each: BookEntry) -> None:
    for name in each.alternatives:
        other = find_book_entry(name)
        assert name != each.name
        assert other is None or other.is_maintained, f"{each.name} -> {name}"
