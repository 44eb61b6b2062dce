"""Reads the events of `invoke` from files and standard input, and checks the port of its debugger."""

import json
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE

MAX_NAMED_EVENT = 40
"""Characters of an inline event that name it in messages."""

JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
"""Suffixes of files that hold one event per line."""

EVENT_HINT = (
    "Pass `--event FILE` (a JSON document, a .jsonl file with one per line, a directory of both, or `-`), "
    "`--event '{\"key\": 1}'`, or `--example NAME`."
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event and where it came from."""

    name: str  # "event.json", "events.jsonl:3"
    payload: bytes


def example_names() -> list[str]:
    """Return the names that `--example` takes."""
    directory = resources.files("lambdapack.recipes").joinpath("events")
    return sorted(entry.name.removesuffix(".json") for entry in directory.iterdir())


def read_examples(names: Iterable[str]) -> tuple[Event, ...]:
    """Return AWS's documented events by name; LP001 for a name that there is not."""
    known = example_names()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LambdapackError(
            USAGE, f"--example {unknown[0]}: unknown event", hint=f"Choose one of {', '.join(known)}."
        )
    directory = resources.files("lambdapack.recipes").joinpath("events")
    return tuple(Event(name, directory.joinpath(f"{name}.json").read_bytes()) for name in names)


def read_events(names: Iterable[str]) -> tuple[Event, ...]:
    """Return the events of files, in order: a directory's by name; LP001 for what is no JSON.

    A name that begins with a bracket is the event itself.
    """
    return tuple(event for name in names if name for event in _read_event_argument(name))


def _read_event_argument(name: str) -> Iterator[Event]:
    if name.lstrip().startswith(("{", "[")) and not _is_file(name):
        yield _parse_event(name if len(name) <= MAX_NAMED_EVENT else f"{name[:MAX_NAMED_EVENT]}...", name)
        return
    place = Path(name)
    if name == "-" or not place.is_dir():
        yield from _read_event_file(name, place)
        return
    inside = sorted(
        path for path in place.iterdir() if path.suffix in {".json", *JSON_LINES_SUFFIXES} and path.is_file()
    )
    if not inside:
        raise LambdapackError(USAGE, f"--event {name}: the directory has no .json or .jsonl file", hint=EVENT_HINT)
    for path in inside:
        yield from _read_event_file(str(path), path)


def _read_event_file(name: str, place: Path) -> Iterator[Event]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else place.read_bytes()
        text = data.decode("utf-8-sig")  # editors on Windows write a byte order mark, which node refuses
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        raise LambdapackError(USAGE, f"--event {name}: {why or error}", hint=EVENT_HINT) from error
    if place.suffix not in JSON_LINES_SUFFIXES and (name != "-" or _is_one_document(text)):
        yield _parse_event(name, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _parse_event(f"{name}:{number}", line)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # longer than a path can be
        return False


def _is_one_document(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return len(text.splitlines()) < 2  # what is wrong with it is said of the whole
    return True


def _parse_event(name: str, text: str) -> Event:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(USAGE, f"--event {name}: it is not JSON: {error}", hint=EVENT_HINT) from error
    return Event(name, text.encode())


def check_port_is_free(port: int) -> None:
    """Refuse a port for a debugger that somebody listens at already: LP001."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            hint = "Choose another port, or stop the process that uses it."
            raise LambdapackError(USAGE, f"--debug {port}: the port is already in use", hint=hint)
