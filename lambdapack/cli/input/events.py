"""Reads the events and the environment variables of `invoke` from files, stdin and options."""

import json
import os
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
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


def read_variables(files: Iterable[Path], texts: Iterable[str]) -> Mapping[str, str]:
    """Return variables of NAME=VALUE, a later one in place of an earlier; what a text says comes after all files.

    NAME alone takes the value it has here, and from a file nothing when it has none. LP001 for anything else.
    """
    found = dict(pair for file in files for pair in _read_env_file(file))
    return {**found, **dict(map(_parse_variable, texts))}


def _parse_variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals and name in os.environ:
        return name, os.environ[name]
    if not equals or not name:
        raise LambdapackError(USAGE, f"--env {text}: NAME=VALUE is expected", hint="Write `--env STAGE=test`.")
    return name, value


ENV_FILE_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:(=)\s*(.*))?")


def _read_env_file(file: Path) -> Iterator[tuple[str, str]]:
    """Lines as `docker run --env-file` and node's --env-file take them; quotes around a value are not part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LambdapackError(USAGE, f"--env-file {file}: {why or error}", hint="Name a text file.") from error
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        found = ENV_FILE_LINE.fullmatch(line)
        if found is None:
            hint = "Write one NAME=VALUE a line; what begins with # is not read."
            raise LambdapackError(USAGE, f"--env-file {file}:{number}: NAME=VALUE is expected", hint=hint)
        name, equals, value = found.groups()
        if equals:
            yield name, _strip_quotes(value)
        elif name in os.environ:
            yield name, os.environ[name]


def _strip_quotes(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`"
    return value[1:-1] if quoted else value


def check_port_is_free(port: int) -> None:
    """Refuse a port for a debugger that somebody listens at already: LP001."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            hint = "Choose another port, or stop the process that uses it."
            raise LambdapackError(USAGE, f"--debug {port}: the port is already in use", hint=hint)
