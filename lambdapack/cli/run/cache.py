"""Runs `lambdapack cache`: shows and clears lambdapack's own records and npm's cache volumes."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdapack.cli.command.options import ListFormat
from lambdapack.cli.input.engines import engine_connector
from lambdapack.cli.input.resources import TREES_DIRECTORY, cache_directory, open_store
from lambdapack.cli.input.settings import read_settings
from lambdapack.cli.output import console
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.config.quantities import parse_duration, parse_size
from lambdapack.config.settings import Settings
from lambdapack.engine.interface import Engine
from lambdapack.errors.build import NO_ENGINE
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.model import Architecture
from lambdapack.report.text import align_columns, format_size
from lambdapack.store.records import Store, StoreUsage
from lambdapack.store.trees import MAX_TREE_AGE_SECONDS, MAX_TREES_BYTES, LocalTrees

NPM_CACHE_KIND = "npm"
TREES_KIND = "dependencies"
SECONDS_PER_DAY = 24 * 3600
CACHE_KIND_LABELS = {
    "binaries": "facts of binaries",
    "definitions": "symbols of libraries",
    "trees": "unchanged files",
    "scripts": "what scripts load",
    "graphs": "module graphs",
    "runtimes": "measured runtimes",
    "proofs": "results of loading",
    "engines": "engines and images",
    "keys": "keys of builds",
    TREES_KIND: "dependency trees",
    NPM_CACHE_KIND: "npm's downloads",
}


@dataclass(frozen=True, slots=True)
class _CacheRow:
    kind: str
    place: str
    entries: int | None
    size: int | None  # bytes; None: the engine does not say


def run_cache_show(style: ListFormat) -> int:
    """Print what is kept."""
    settings = read_settings(Path(), {})
    store = open_store(settings)
    rows = [*_store_rows(store, store.usage() if store else ()), *_tree_rows(settings, LocalTrees.usage)]
    for engine in _find_engines(settings):
        rows += [
            _CacheRow(NPM_CACHE_KIND, _volume_label(engine, volume.name), None, volume.size)
            for volume in engine.caches()
        ]
    _print_rows(rows, style)
    return 0


def run_cache_clear(style: ListFormat) -> int:
    """Remove it and print what is gone; a volume that a build uses now stays, with a note."""
    progress = ProgressReporter()
    settings = read_settings(Path(), {})
    store = open_store(settings)
    rows = [*_tree_rows(settings, LocalTrees.clear), *_store_rows(store, store.clear() if store else ())]
    for engine in _find_engines(settings):
        for volume in engine.caches():
            if engine.drop_cache(volume.name):
                rows.append(_CacheRow(NPM_CACHE_KIND, _volume_label(engine, volume.name), None, volume.size))
            else:
                progress.note(f"volume {volume.name} is in use by a container and was kept")
    _print_rows(rows, style)
    return 0


def run_cache_prune(style: ListFormat, largest: str | None, oldest: str | None) -> int:
    """Delete the dependency trees that are beyond the bounds and print what is gone."""
    bytes_kept = MAX_TREES_BYTES if largest is None else _parse_bound("--max-size", largest, parse_size)
    age_kept = MAX_TREE_AGE_SECONDS if oldest is None else _parse_bound("--older-than", oldest, _parse_age)
    settings = read_settings(Path(), {})
    _print_rows([*_tree_rows(settings, lambda trees: trees.trim(int(bytes_kept), age_kept))], style)
    return 0


def _parse_age(value: object) -> float:
    """Return seconds; besides what settings take, a number of days: "30d"."""
    days = re.fullmatch(r"(\d{1,6})d", value.strip().lower()) if isinstance(value, str) else None
    return int(days[1]) * SECONDS_PER_DAY if days else parse_duration(value)


def _parse_bound(flag: str, text: str, parse: Callable[[object], float]) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise LambdapackError(USAGE, f"{flag} {text}: {error}") from error


def run_cache_policy(address: str, *, writes: bool) -> int:
    """Print the least IAM policy of a shared store. LP131 for an address that is none."""
    from lambdapack.aws.store_bucket import make_store_policy  # noqa: PLC0415  # boto3 takes its time
    from lambdapack.report.text import format_json  # noqa: PLC0415

    console.write_stdout(format_json(make_store_policy(address, writes=writes)))
    return int(ExitCode.FINE)


def run_cache_verify(style: ListFormat) -> int:
    """Read every dependency tree, remove what is damaged, and print that. 1 when something was damaged."""
    settings = read_settings(Path(), {})
    progress, damaged = ProgressReporter(), list[tuple[str, str]]()
    with progress.task("Reading every dependency tree"):
        rows = [*_tree_rows(settings, lambda trees: _verify_trees(trees, damaged))]
    for name, reason in damaged:
        progress.note(f"dependency tree {name} was removed: {reason}")
    _print_rows(rows, style)
    return int(ExitCode.JUDGEMENT if damaged else ExitCode.FINE)


def _verify_trees(trees: LocalTrees, damaged: list[tuple[str, str]]) -> tuple[int, int]:
    damaged += trees.verify()
    return trees.usage()


def _tree_rows(settings: Settings, count: Callable[[LocalTrees], tuple[int, int]]) -> Iterator[_CacheRow]:
    directory = cache_directory(settings)
    if directory is not None:
        trees = LocalTrees(directory / TREES_DIRECTORY)
        entries, size = count(trees)
        yield _CacheRow(TREES_KIND, str(trees.directory), entries, size)


def _store_rows(store: Store | None, held: Sequence[StoreUsage]) -> Iterator[_CacheRow]:
    for store_usage in held if store else ():
        yield _CacheRow(
            store_usage.kind,
            str(store.directory / store_usage.kind) if store else "",
            store_usage.entries,
            store_usage.size,
        )


def _volume_label(engine: Engine, name: str) -> str:
    return f"volume {name} of {engine.name}"


def _find_engines(settings: Settings) -> list[Engine]:
    """Return every engine that answers, each once."""
    connect = engine_connector(settings)
    engines: list[Engine] = []
    for architecture in Architecture:
        try:
            engine = connect(architecture)
        except LambdapackError as error:
            if error.failure is not NO_ENGINE:
                raise
            continue
        if engine not in engines:
            engines.append(engine)
    return engines


def _print_rows(rows: Sequence[_CacheRow], style: ListFormat) -> None:
    if style is ListFormat.JSON:
        from lambdapack.report.document.listings import render_cache_json  # noqa: PLC0415  # only for JSON

        console.write_stdout(
            render_cache_json(
                [{"kind": row.kind, "place": row.place, "entries": row.entries, "bytes": row.size} for row in rows]
            )
        )
        return
    header = ("WHAT", "ENTRIES", "SIZE", "WHERE")
    lines = [
        (
            CACHE_KIND_LABELS[cache_row.kind],
            "-" if cache_row.entries is None else str(cache_row.entries),
            _render_size(cache_row.size),
            cache_row.place,
        )
        for cache_row in rows
    ]
    total = ("all", "", format_size(sum(cache_row.size or 0 for cache_row in rows)), "")
    console.write_stdout(align_columns([header, *lines, total]))


def _render_size(count: int | None) -> str:
    return "unknown" if count is None else format_size(count)
