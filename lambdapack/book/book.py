"""The package book: reads packages.json. Knows npm packages by name, never a copy in a project."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any


class BinaryDelivery(Enum):
    """How a package delivers its binary."""

    IN_PACKAGE = "in-package"  # prebuilt files for several systems in its own tarball
    PLATFORM_PACKAGES = "platform-packages"  # optional dependencies, one for each system
    DOWNLOAD = "download"  # an install script fetches it from outside the registry, or compiles
    COMPILE = "compile"  # an install script compiles it
    NONE = "none"


class BinaryInterface(Enum):
    """The interface between the binary and Node.js."""

    NODE_API = "node-api"  # stable: one file for many Node.js versions
    V8 = "v8"  # one NODE_MODULE_VERSION: another Node.js major needs another file
    PROGRAM = "program"  # a process of its own
    NONE = "none"


class MaintenanceStatus(Enum):
    """Whether the package is maintained."""

    MAINTAINED = "maintained"
    DEPRECATED = "deprecated"  # by its own authors
    DEAD = "dead"  # archived, or without a release for years


class PackageRole(Enum):
    """The role of the package in a Lambda function."""

    LIBRARY = "library"
    BUILD_TOOL = "build-tool"  # used only before the function is packed
    OPTIONAL = "optional"  # its dependents work without it
    ELSEWHERE = "elsewhere"  # needs something that Lambda does not have


@dataclass(frozen=True, slots=True)
class BookEntry:
    """The entry of one npm package."""

    name: str
    newest: str  # version of the day it was read
    delivery: BinaryDelivery
    interface: BinaryInterface
    status: MaintenanceStatus
    role: PackageRole
    requirements: str  # of the runtime, as sentences; "" when nothing special
    replacements: tuple[str, ...]  # maintained packages that take its place
    javascript_replacements: tuple[str, ...]  # packages without a binary that do the same work
    programs: tuple[str, ...]  # that it starts by name, or that interpret what it brings
    last_node: int | None  # newest Node.js major on which the newest version installs and loads; None: no limit known
    advice: str  # what to do on Lambda, as sentences; "" when there is nothing to do
    source: str
    read_on: date

    @property
    def is_maintained(self) -> bool:
        """Whether its authors still maintain it."""
        return self.status is MaintenanceStatus.MAINTAINED

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Packages that replace it, without duplicates; those without a binary come last."""
        return tuple(dict.fromkeys((*self.replacements, *self.javascript_replacements)))


def find_book_entry(name: str) -> BookEntry | None:
    """Return the entry of an npm package, None when the book has none."""
    row = _book_rows().get(name)
    return _parse_entry(row) if row else None


def read_book() -> Mapping[str, BookEntry]:
    """Return every entry by package name."""
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
        interface=BinaryInterface(row["registration"]),
        status=MaintenanceStatus(row["status"]),
        role=PackageRole(row.get("role", PackageRole.LIBRARY.value)),
        requirements=row.get("needs", ""),
        replacements=tuple(row.get("instead", ())),
        javascript_replacements=tuple(row.get("javascript", ())),
        programs=tuple(row.get("programs", ())),
        last_node=row.get("last_node"),
        advice=row.get("advice", ""),
        source=row["source"],
        read_on=date.fromisoformat(row["read"]),
    )
