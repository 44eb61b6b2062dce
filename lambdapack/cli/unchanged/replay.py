"""Repeats the output of the last run when nothing that it read or wrote has changed. Imports next to nothing."""

from __future__ import annotations

import json
import os
import sys
import time

from lambdapack.cli.unchanged.place import (
    bytes_digest,
    command_signature,
    is_repeatable,
    names_digest,
    record_path,
    seal,
)
from lambdapack.tree.identity import file_identity, is_settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

BROKEN_PIPE_EXIT = 128 + 13


def replay_run(argv: Sequence[str]) -> int | None:
    """Print what the last run of this command printed and return its exit code; None when it has to run again."""
    if not is_repeatable(argv):
        return None
    path = record_path(argv, os.environ)
    record = _read_record(path) if path else None
    if record is None or record["signature"] != command_signature(argv, os.environ):
        return None
    now, refreshed = time.time_ns(), list[str]()
    if not (_are_files_unchanged(record, now, refreshed) and _are_names_unchanged(record)):
        return None
    notes = _ask_engines(record)
    if notes is None:
        return None
    if refreshed:
        write_record(path, record)
    os.utime(path)
    return _print_record(record, notes, quiet=any(word in {"-q", "--quiet"} for word in argv))


def _read_record(path: str) -> dict[str, Any] | None:
    """Return a record that is whole and this user's own."""
    try:
        with open(path, encoding="utf-8", errors="surrogatepass") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            head, _, text = file.read().partition("\n")
        record = json.loads(text) if head == seal(text) else None
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def write_record(path: str, record: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    text = json.dumps(record, separators=(",", ":"))
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(f"{seal(text)}\n{text}")
        os.replace(temporary, path)
    except OSError:
        return


def _are_files_unchanged(record: dict[str, Any], now: int, refreshed: list[str]) -> bool:
    """Compare every file with its identity; where that was too young to tell, or no identity at all, its bytes."""
    lstat = os.lstat
    try:
        for directory, rows in record["files"].items():
            for row in rows:
                path = f"{directory}/{row[0]}"
                identity = file_identity(lstat(path))
                if not row[2]:
                    if identity != row[1]:
                        return False
                elif identity != row[1] or bytes_digest(path) != row[2]:
                    return False
                elif is_settled(identity, now):
                    row[2] = ""
                    refreshed.append(path)
    except OSError:
        return False
    return not any(os.path.lexists(path) for path in record["absent"])


def _are_names_unchanged(record: dict[str, Any]) -> bool:
    """Compare every directory with its identity, or the names in it."""
    try:
        for path, identity, names in record["directories"]:
            if (not identity or file_identity(os.lstat(path)) != identity) and names_digest(os.listdir(path)) != names:
                return False
    except OSError:
        return False
    return True


def _ask_engines(record: dict[str, Any]) -> list[str] | None:
    """Ask for the ids of the images that the run used; None when one is another, notes where nobody could be asked."""
    if not record["images"]:
        return []
    from lambdapack.engine.known.probe import NoAnswerError, probe_image  # noqa: PLC0415  # only after an install

    notes = []
    for socket, reference, identity in record["images"]:
        try:
            if socket and probe_image(socket, reference) != identity:
                return None
            asked = bool(socket)
        except NoAnswerError:
            asked = False
        if not asked:
            notes.append(f"note: the engine was not asked: {reference} counts as it was last seen there\n")
    return notes


def _print_record(record: dict[str, Any], notes: list[str], *, quiet: bool) -> int:
    said = "" if quiet else "unchanged: nothing that decides the result has changed since the last run\n"
    try:
        sys.stderr.write("".join(notes) + record["stderr"] + said)
        sys.stderr.flush()
        sys.stdout.write(record["stdout"])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_EXIT
    return int(record["code"])
