"""Facts of binaries as JSON and back. What comes back equals what went in; anything else is refused."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from lambdapack.binary.facts import Content, Elf, Format, Registration, RegistrationKind, Role, Symbol, VersionNeed

_LISTS = ("needed", "rpath", "runpath", "version_definitions")
_SETS = ("flags", "relocations")


def to_bytes(content: Content) -> bytes:
    """Return a content as JSON; its digest is the record's key and is not in it."""
    document = {
        "size": content.size,
        "format": content.format.value,
        "machines": content.machines,
        "role": content.role.value,
        "first_bytes": content.first_bytes,
        "elf": None if content.elf is None else _elf(content.elf),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def from_bytes(sha256: str, data: bytes) -> Content | None:
    """Return the content that bytes stand for, None when they stand for none."""
    try:
        document = json.loads(data)
        return Content(
            sha256=sha256,
            size=document["size"],
            format=Format(document["format"]),
            machines=tuple(document["machines"]),
            elf=None if document["elf"] is None else _elf_from(document["elf"]),
            role=Role(document["role"]),
            first_bytes=document["first_bytes"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def symbols_to_bytes(symbols: Sequence[Symbol]) -> bytes:
    """Return symbols as JSON."""
    return json.dumps([_row(each) for each in symbols], separators=(",", ":")).encode()


def symbols_from_bytes(data: bytes) -> tuple[Symbol, ...] | None:
    """Return the symbols that bytes stand for, None when they stand for none."""
    try:
        return tuple(Symbol(*each) for each in json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None


def _row(noun: Any) -> list[Any]:
    return [getattr(noun, each.name) for each in fields(noun)]


def _elf(elf: Elf) -> dict[str, Any]:
    document = {each.name: getattr(elf, each.name) for each in fields(elf)}
    document |= {name: sorted(document[name]) for name in _SETS}
    kind, *numbers = _row(elf.registration)
    return document | {
        "version_needs": [_row(each) for each in elf.version_needs],
        "undefined": [_row(each) for each in elf.undefined],
        "defines": [_row(each) for each in elf.defines],
        "registration": [kind.value, *numbers],
    }


def _elf_from(document: dict[str, Any]) -> Elf:
    kind, abis, *numbers = document["registration"]
    return Elf(
        **(
            document
            | {name: tuple(document[name]) for name in _LISTS}
            | {name: frozenset(document[name]) for name in _SETS}
            | {
                "version_needs": tuple(VersionNeed(*each) for each in document["version_needs"]),
                "undefined": tuple(Symbol(*each) for each in document["undefined"]),
                "defines": tuple(Symbol(*each) for each in document["defines"]),
                "registration": Registration(RegistrationKind(kind), tuple(abis), *numbers),
            }
        )
    )
