"""Colours what people read: severities, verdicts, fixes, places. The text itself stays the same without them."""

import os
import re
from collections.abc import Mapping
from typing import TextIO

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
