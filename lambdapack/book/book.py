"""Entries of the package book and how packages.json is read. Knows packages, never a copy in a project."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any


class BinaryDelivery(Enum):
    """How the binary comes to the package."""

    IN_PACKAGE = "in-package"  # prebuilt files for several systems in its own tarball
    PLATFORM_PACKAGES = "platform-packages"  # optional dependencies, one for each system
    DOWNLOAD = "download"  # an install script fetches it from outside the registry, or compiles
    COMPILE = "compile"  # an install script compiles it
    NONE = "none"


class BinaryInterface(Enum):
    """What the binary is bound to."""

    NODE_API = "node-api"  # stable: one file for many Node.js versions
    V8 = "v8"  # one NODE_MODULE_VERSION: another Node.js major needs another file
    PROGRAM = "program"  # a process of its own
    NONE = "none"


class MaintenanceStatus(Enum):
    """Whether somebody looks after it."""

    MAINTAINED = "maintained"
    DEPRECATED = "deprecated"  # by the word of its own authors
    DEAD = "dead"  # archived, or left alone for years


class PackageRole(Enum):
    """What it is to a Lambda function."""

    LIBRARY = "library"
    BUILD_TOOL = "build-tool"  # has done its work before the function is packed
    OPTIONAL = "optional"  # what wants it works without it
    ELSEWHERE = "elsewhere"  # serves something that Lambda does not have


@dataclass(frozen=True, slots=True)
class BookEntry:
    """What is known of one package."""

    name: str
    newest: str  # version of the day it was read
    delivery: BinaryDelivery
    registered: BinaryInterface
    status: MaintenanceStatus
    role: PackageRole
    needs: str  # of the runtime, as sentences; "" when nothing special
    instead: tuple[str, ...]  # maintained packages that take its place
    javascript: tuple[str, ...]  # packages without a binary that do the same work
    last_node: int | None  # newest Node.js major on which the newest version installs and loads; None: no limit known
    advice: str  # what to do on Lambda, as sentences; "" when there is nothing to do
    source: str
    read: date

    @property
    def alive(self) -> bool:
        """Whether its authors still look after it."""
        return self.status is MaintenanceStatus.MAINTAINED

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Packages that take its place, those that need no binary last, each once."""
        return tuple(dict.fromkeys((*self.instead, *self.javascript)))


def find_book_entry(name: str) -> BookEntry | None:
    """Return the page of an npm package, None when the book does not have it."""
    row = _book_rows().get(name)
    return _parse_entry(row) if row else None


def read_book() -> Mapping[str, BookEntry]:
    """Return every page by the package's name."""
    return {name: _parse_entry(row) for name, row in _book_rows().items()}


@cache
def _book_rows() -> Mapping[str, Mapping[str, Any]]:
    text = Path(__file__).with_name("packages.json").read_text(encoding="utf-8")
    return {row["name"]: row for row in json.loads(text)["pages"]}


def _parse_entry(row: Mapping[str, Any]) -> BookEntry:
    return BookEntry(
        name=row["name"],
        newest=row["newest"],
        delivery=BinaryDelivery(row["delivery"]),
        registered=BinaryInterface(row["registration"]),
        status=MaintenanceStatus(row["status"]),
        role=PackageRole(row.get("role", PackageRole.LIBRARY.value)),
        needs=row.get("needs", ""),
        instead=tuple(row.get("instead", ())),
        javascript=tuple(row.get("javascript", ())),
        last_node=row.get("last_node"),
        advice=row.get("advice", ""),
        source=row["source"],
        read=date.fromisoformat(row["read"]),
    )
