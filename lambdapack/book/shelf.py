"""Opens the book, once. The rows are in packages.json; what they mean is in page.py."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from lambdapack.book.page import Delivery, Page, Registered, Role, Status


def page(name: str) -> Page | None:
    """Return the page of an npm package, None when the book does not have it."""
    return pages().get(name)


@cache
def pages() -> Mapping[str, Page]:
    """Return every page by the package's name."""
    text = files("lambdapack.book").joinpath("packages.json").read_text(encoding="utf-8")
    return {row["name"]: _page(row) for row in json.loads(text)["pages"]}


def _page(row: Mapping[str, Any]) -> Page:
    return Page(
        name=row["name"],
        newest=row["newest"],
        delivery=Delivery(row["delivery"]),
        registered=Registered(row["registration"]),
        status=Status(row["status"]),
        role=Role(row.get("role", Role.LIBRARY.value)),
        needs=row.get("needs", ""),
        instead=tuple(row.get("instead", ())),
        javascript=tuple(row.get("javascript", ())),
        last_node=row.get("last_node"),
        advice=row.get("advice", ""),
        source=row["source"],
        read=date.fromisoformat(row["read"]),
    )
