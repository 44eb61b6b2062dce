"""What `invoke` gives a function: events out of files, and variables."""

import json
import os
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdapack.errors import USAGE, LambdapackError

LINES = (".jsonl", ".ndjson")
"""Endings of files that hold one event a line."""

HINT = "Pass `--event FILE` with a JSON document, a file with one a line (.jsonl), a directory of both, or `-`."

PIPED = "It is the event itself, and a file is wanted: pipe it, `echo '{}' | lambdapack invoke --event -`."


@dataclass(frozen=True, slots=True)
class Event:
    """One event and where it came from."""

    name: str  # "event.json", "events.jsonl:3"
    payload: bytes


def events_of(names: Iterable[str]) -> tuple[Event, ...]:
    """Return the events of files, in order: a directory's by name; LP001 for what is no JSON. Without any: {}."""
    named = [each for each in names if each]
    if not named:
        return (Event("{}", b"{}"),)
    return tuple(event for name in named for event in _of(name))


def _of(name: str) -> Iterator[Event]:
    place = Path(name)
    if name == "-" or not place.is_dir():
        yield from _in_file(name, place)
        return
    inside = sorted(each for each in place.iterdir() if each.suffix in {".json", *LINES} and each.is_file())
    if not inside:
        raise LambdapackError(USAGE, f"--event {name}: there is no .json or .jsonl file in it", hint=HINT)
    for each in inside:
        yield from _in_file(str(each), each)


def _in_file(name: str, place: Path) -> Iterator[Event]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else place.read_bytes()
        text = data.decode("utf-8-sig")  # editors on Windows write a byte order mark, which node refuses
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        hint = PIPED if name.lstrip().startswith(("{", "[")) else HINT
        raise LambdapackError(USAGE, f"--event {name}: {why or error}", hint=hint) from error
    if place.suffix not in LINES and (name != "-" or _is_json(text)):
        yield _event(name, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _event(f"{name}:{number}", line)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return len(text.splitlines()) < 2  # what is wrong with it is said of the whole
    return True


def _event(name: str, text: str) -> Event:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LambdapackError(USAGE, f"--event {name}: it is not JSON: {error}", hint=HINT) from error
    return Event(name, text.encode())


def variables_of(files: Iterable[Path], texts: Iterable[str]) -> Mapping[str, str]:
    """Return variables of NAME=VALUE, a later one in place of an earlier; what a text says comes after all files.

    NAME alone takes the value it has here, and from a file nothing when it has none. LP001 for anything else.
    """
    found = dict(pair for file in files for pair in _in_env_file(file))
    return {**found, **dict(map(_variable, texts))}


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals and name in os.environ:
        return name, os.environ[name]
    if not equals or not name:
        raise LambdapackError(USAGE, f"--env {text}: NAME=VALUE is expected", hint="Write `--env STAGE=test`.")
    return name, value


ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:(=)\s*(.*))?")


def _in_env_file(file: Path) -> Iterator[tuple[str, str]]:
    """Lines as `docker run --env-file` and node's --env-file take them; quotes around a value are not part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LambdapackError(USAGE, f"--env-file {file}: {why or error}", hint="Name a text file.") from error
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        found = ASSIGNMENT.fullmatch(line)
        if found is None:
            hint = "Write one NAME=VALUE a line; what begins with # is not read."
            raise LambdapackError(USAGE, f"--env-file {file}:{number}: NAME=VALUE is expected", hint=hint)
        name, equals, value = found.groups()
        if equals:
            yield name, _unquoted(value)
        elif name in os.environ:
            yield name, os.environ[name]


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`"
    return value[1:-1] if quoted else value


def require_free(port: int) -> None:
    """Refuse a port for a debugger that somebody listens at already: LP001."""
    with socket.socket() as asked:
        asked.settimeout(1)
        if asked.connect_ex(("127.0.0.1", port)) == 0:
            hint = "Name another port, or end what listens there."
            raise LambdapackError(USAGE, f"--debug {port}: something listens there already", hint=hint)
