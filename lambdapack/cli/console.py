"""Writes what the renderers made: stdout is the product, stderr the conversation."""

import os
import sys
import traceback
from contextlib import suppress

from lambdapack.errors import Exit, LambdapackError
from lambdapack.report import human, json_v0


def product(text: str) -> None:
    """Write to stdout, and notice at once when nobody reads it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def talk(text: str) -> None:
    """Write to stderr."""
    sys.stderr.write(text)
    sys.stderr.flush()


def fail(error: LambdapackError, *, as_json: bool) -> int:
    """Show a failure and return its exit code. JSON is the product; people read the same on stderr."""
    if as_json and error.failure.exit >= Exit.USAGE:
        product(json_v0.failure(error))
    talk(human.failure(error))
    return int(error.failure.exit)


def bug(error: Exception, *, debug: bool) -> int:
    """Own up to a defect of ours. Never shows locals: they may hold secrets."""
    if debug:
        talk("".join(traceback.format_exception(error)))
    talk(
        f"error[LP999]: lambdapack has a defect: {type(error).__name__}: {error}\n"
        f"  = help: Run it again with LAMBDAPACK_DEBUG=1 and report the traceback.\n"
    )
    return int(Exit.BUG)


def deaf() -> int:
    """End quietly when the reader of stdout went away, as other filters do."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + 13
