"""Reads the events of `invoke` from files and standard input, and checks the port of its debugger."""

import json
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE

JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
"""Suffixes of files that hold one event per line."""

EVENT_HINT = "Pass `--event FILE`: a JSON document, a .jsonl file with one per line, a directory of both, or `-`."

INLINE_JSON_HINT = "`--event` takes a file; pipe inline JSON: `echo '{}' | lambdapack invoke --event -`."


@dataclass(frozen=True, slots=True)
class Event:
    """One event and where it came from."""

    name: str  # "event.json", "events.jsonl:3"
    payload: bytes


def read_events(names: Iterable[str]) -> tuple[Event, ...]:
    """Return the events of files, in order: a directory's by name; LP001 for what is no JSON. Without any: {}."""
    named = [name for name in names if name]
    if not named:
        return (Event("{}", b"{}"),)
    return tuple(event for name in named for event in _read_event_argument(name))


def _read_event_argument(name: str) -> Iterator[Event]:
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
        hint = INLINE_JSON_HINT if name.lstrip().startswith(("{", "[")) else EVENT_HINT
        raise LambdapackError(USAGE, f"--event {name}: {why or error}", hint=hint) from error
    if place.suffix not in JSON_LINES_SUFFIXES and (name != "-" or _is_one_document(text)):
        yield _parse_event(name, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _parse_event(f"{name}:{number}", line)


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
