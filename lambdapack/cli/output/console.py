"""Writes text to stdout and stderr, coloured for people at a terminal, and failures with their exit codes."""

import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO

from lambdapack.credentials import mask_credentials
from lambdapack.errors.record import DEFECT, ExitCode, LambdapackError
from lambdapack.errors.usage import OUTPUT

RESET = "\x1b[0m"

RED, YELLOW, CYAN, GREEN, DIM, BOLD_RED, BOLD_GREEN, BOLD_YELLOW = (
    "\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[32m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m",
)  # fmt: skip

LINE_COLOURS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^error\[LP\d{3}\]"), BOLD_RED),
    (re.compile(r"^warning\[LP\d{3}\]"), BOLD_YELLOW),
    (re.compile(r"^(?:note|ignored)\[LP\d{3}\]"), CYAN),
    (re.compile(r"^note:"), CYAN),
    (re.compile(r"^pass(?=: )"), BOLD_GREEN),
    (re.compile(r"^warn(?=: )"), BOLD_YELLOW),
    (re.compile(r"^fail(?=: )"), BOLD_RED),
    (re.compile(r"^  --> .*"), CYAN),
    (re.compile(r"^  = (?:fix|help):"), GREEN),
    (re.compile(r"^  (?:\||= (?:why|reason|prevent|evidence):)"), DIM),
)
"""What the renderers begin a line with, and its colour; a line has at most one."""


def uses_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a stream gets colours: a terminal does, unless the environment says otherwise.

    NO_COLOR wins over everything (no-color.org), then FORCE_COLOR and CLICOLOR_FORCE, then CLICOLOR=0 and TERM=dumb.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"} or environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def colour_lines(text: str) -> str:
    """Return text for people with the beginnings of its lines coloured."""
    return "".join(map(_colour_line, text.splitlines(keepends=True)))


def _colour_line(line: str) -> str:
    for pattern, colour in LINE_COLOURS:
        match = pattern.match(line)
        if match:
            return f"{colour}{match[0]}{RESET}{line[match.end() :]}"
    return line


listeners: list[Callable[[str, str], None]] = []
"""Told of everything that is written: the stream's name and the text."""


def tell_listeners(stream: str, text: str) -> None:
    """Tell of a text that is written to "stdout" or "stderr"."""
    for listener in listeners:
        listener(stream, text)


def write_stdout(text: str, *, for_people: bool = False) -> None:
    """Write to stdout, and notice at once when nobody reads it; LP009 when it cannot be written.

    Text `for_people` is coloured where stdout takes colours; documents never are.
    """
    tell_listeners("stdout", text)
    try:
        text = colour_lines(text) if for_people and uses_colour(sys.stdout) else text
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            sys.stdout.buffer.write(_encode_text(text))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_stream(sys.stdout)
        hint = "Free disk space, or redirect the output elsewhere."
        raise LambdapackError(OUTPUT, f"standard output: {error.strerror or error}", hint=hint) from error


def _encode_text(text: str) -> bytes:
    """Return text that the stream's encoding lacks: paths in their own bytes, as `ls` does, or written out."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:  # LC_ALL=C without coercion: the file system's encoding lacks it, too
        return text.encode(sys.getfilesystemencoding(), "backslashreplace")


def write_stderr(text: str, *, kept: bool = True) -> None:
    """Write to stderr; no credential of a URL passes. `kept`: an unchanged run may say it again."""
    masked = mask_credentials(text)
    if kept:
        tell_listeners("stderr", masked)
    sys.stderr.write(colour_lines(masked) if uses_colour(sys.stderr) else masked)
    sys.stderr.flush()


def report_failure(error: LambdapackError, *, style: str) -> int:
    """Show a failure and return its exit code. Programs get it as the product; people read the same on stderr."""
    from lambdapack.report import formats, human  # noqa: PLC0415  # what goes well need not wait for it

    text = formats.render_failure(style, error) if error.failure.exit >= ExitCode.USAGE else ""
    if text:
        with suppress(LambdapackError):  # stdout itself may be what failed
            write_stdout(text)
    write_stderr(human.render_failure(error))
    return int(error.failure.exit)


def report_defect(error: Exception, *, debug: bool, style: str) -> int:
    """Own up to a defect of ours. Never shows locals: they may hold secrets."""
    if debug:
        write_stderr("".join(traceback.format_exception(error)))
    return report_failure(LambdapackError(DEFECT, f"{type(error).__name__}: {error}"), style=style)


def end_on_broken_pipe() -> int:
    """End quietly when the reader of stdout went away, as other filters do."""
    for stream in (sys.stdout, sys.stderr):
        _discard_stream(stream)
    return 128 + 13


def print_usage(text: str) -> int:
    """Show how a command is used, where a mistake is said, and return the exit code."""
    write_stderr(text.rstrip("\n") + "\n")
    return int(ExitCode.USAGE)


def _discard_stream(stream: TextIO) -> None:
    """Turn a stream that nobody takes to nowhere, so that what is left in it does not fail again at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
