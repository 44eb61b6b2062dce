"""Writes what the renderers made: stdout is the product, stderr the conversation."""

import os
import sys
import traceback
from contextlib import suppress
from typing import TextIO

from lambdapack.errors import OUTPUT, Exit, LambdapackError
from lambdapack.errors.record import DEFECT


def product(text: str) -> None:
    """Write to stdout, and notice at once when nobody reads it; LP009 when it cannot be written."""
    try:
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            sys.stdout.buffer.write(_encoded(text))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence(sys.stdout)
        hint = "Make room, or send it to where it can be written."
        raise LambdapackError(OUTPUT, f"standard output: {error.strerror or error}", hint=hint) from error


def _encoded(text: str) -> bytes:
    """Return text that the stream's encoding lacks: paths in their own bytes, as `ls` does, or written out."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:  # LC_ALL=C without coercion: the file system's encoding lacks it, too
        return text.encode(sys.getfilesystemencoding(), "backslashreplace")


def talk(text: str) -> None:
    """Write to stderr."""
    sys.stderr.write(text)
    sys.stderr.flush()


def fail(error: LambdapackError, *, style: str) -> int:
    """Show a failure and return its exit code. Programs get it as the product; people read the same on stderr."""
    from lambdapack.report import human  # noqa: PLC0415  # what goes well need not wait for it

    text = _rendered(error, style) if style and error.failure.exit >= Exit.USAGE else ""
    if text:
        with suppress(LambdapackError):  # stdout itself may be what failed
            product(text)
    talk(human.failure(error))
    return int(error.failure.exit)


def _rendered(error: LambdapackError, style: str) -> str:
    """Return a failure as the product of a format; most have no word for one."""
    from lambdapack.report import github, json_v1  # noqa: PLC0415

    render = {"json": json_v1.failure, "github": github.failure}.get(style)
    return render(error) if render else ""


def bug(error: Exception, *, debug: bool, style: str) -> int:
    """Own up to a defect of ours. Never shows locals: they may hold secrets."""
    if debug:
        talk("".join(traceback.format_exception(error)))
    return fail(LambdapackError(DEFECT, f"{type(error).__name__}: {error}"), style=style)


def deaf() -> int:
    """End quietly when the reader of stdout went away, as other filters do."""
    for stream in (sys.stdout, sys.stderr):
        _silence(stream)
    return 128 + 13


def usage(text: str) -> int:
    """Show how a command is used, where a mistake is said, and return the exit code."""
    talk(text.rstrip("\n") + "\n")
    return int(Exit.USAGE)


def _silence(stream: TextIO) -> None:
    """Turn a stream that nobody takes to nowhere, so that what is left in it does not fail again at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
