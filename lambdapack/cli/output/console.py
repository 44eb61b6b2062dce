"""Writes text to stdout and stderr, and failures with their exit codes."""

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from lambdapack.credentials import mask_credentials
from lambdapack.errors.record import DEFECT, ExitCode, LambdapackError
from lambdapack.errors.usage import OUTPUT

listeners: list[Callable[[str, str], None]] = []
"""Told of everything that is written: the stream's name and the text."""


def tell_listeners(stream: str, text: str) -> None:
    """Tell of a text that is written to "stdout" or "stderr"."""
    for listener in listeners:
        listener(stream, text)


def write_stdout(text: str) -> None:
    """Write to stdout, and notice at once when nobody reads it; LP009 when it cannot be written."""
    tell_listeners("stdout", text)
    try:
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


def write_stderr(text: str) -> None:
    """Write to stderr; no credential of a URL passes."""
    text = mask_credentials(text)
    tell_listeners("stderr", text)
    sys.stderr.write(text)
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
