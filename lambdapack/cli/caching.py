"""Shows and removes what is kept between runs: our own records, and npm's cache in the container engine."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.build.engine import Engine
from lambdapack.cli import choices, console
from lambdapack.cli.engines import connector
from lambdapack.cli.options import Format
from lambdapack.cli.places import store_of
from lambdapack.cli.progress import Bars
from lambdapack.config import Settings
from lambdapack.errors import NO_ENGINE, LambdapackError
from lambdapack.memory.store import Held, Store
from lambdapack.model import Architecture
from lambdapack.report import table
from lambdapack.report.text import size

NPM = "npm"
WORDS = {
    "binaries": "facts of binaries",
    "definitions": "symbols of libraries",
    "trees": "unchanged files",
    "runtimes": "measured runtimes",
    NPM: "npm's downloads",
}


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    place: str
    entries: int | None
    size: int | None  # bytes; None: the engine does not say


def show(style: Format) -> int:
    """Print what is kept."""
    settings = choices.settings_of(Path(), {})
    store = store_of(settings)
    rows = [*_records(store, store.held() if store else ())]
    for engine in _engines(settings):
        rows += [_Row(NPM, _volume(engine, each.name), None, each.size) for each in engine.caches()]
    _tell(rows, style)
    return 0


def clear(style: Format) -> int:
    """Remove it and print what is gone; a volume that a build uses now stays, with a note."""
    bars = Bars()
    settings = choices.settings_of(Path(), {})
    store = store_of(settings)
    rows = [*_records(store, store.clear() if store else ())]
    for engine in _engines(settings):
        for each in engine.caches():
            if engine.drop_cache(each.name):
                rows.append(_Row(NPM, _volume(engine, each.name), None, each.size))
            else:
                bars.note(f"a container uses the volume {each.name} now: it stays")
    _tell(rows, style)
    return 0


def _records(store: Store | None, held: Sequence[Held]) -> Iterator[_Row]:
    for each in held if store else ():
        yield _Row(each.kind, str(store.directory / each.kind) if store else "", each.entries, each.size)


def _volume(engine: Engine, name: str) -> str:
    return f"volume {name} of {engine.name}"


def _engines(settings: Settings) -> list[Engine]:
    """Return every engine that answers, each once."""
    connect = connector(settings)
    found: list[Engine] = []
    for architecture in Architecture:
        try:
            engine = connect(architecture)
        except LambdapackError as error:
            if error.failure is not NO_ENGINE:
                raise
            continue
        if engine not in found:
            found.append(engine)
    return found


def _tell(rows: Sequence[_Row], style: Format) -> None:
    if style is Format.JSON:
        documents = [
            {"kind": each.kind, "place": each.place, "entries": each.entries, "bytes": each.size} for each in rows
        ]
        console.product(json.dumps({"schema": table.CACHE, "kept": documents}, indent=2) + "\n")
        return
    header = ("WHAT", "ENTRIES", "SIZE", "WHERE")
    lines = [
        (WORDS[each.kind], "-" if each.entries is None else str(each.entries), _size(each.size), each.place)
        for each in rows
    ]
    total = ("all", "", size(sum(each.size or 0 for each in rows)), "")
    console.product(table.columns([header, *lines, total]))


def _size(count: int | None) -> str:
    return "unknown" if count is None else size(count)
