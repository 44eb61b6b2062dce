"""Pieces of text that several renderers share: sizes, counts, wrapped paragraphs."""

import re
import textwrap
from collections.abc import Sequence

WIDTH = 80
"""Columns of human output: what every terminal and CI log shows without wrapping."""

UNITS = ("B", "KB", "MB", "GB")


def size(count: int) -> str:
    """Return bytes for people, in the 1024-based units that AWS calls KB and MB."""
    amount = float(count)
    for unit in UNITS:
        if amount < 1024 or unit == UNITS[-1]:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError(count)


def plural(count: int, noun: str) -> str:
    """Return "1 error", "2 errors", "0 binaries"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


COMMAND = re.compile(r"`[^`]+`[.,;:]?")

KEPT_TOGETHER = "\x1f"
"""Stands for a blank inside of a command while a text is wrapped: no text has it, since `printable` writes it out."""


def paragraph(lead: str, text: str) -> str:
    """Wrap text behind a lead such as "  = why: "; continuation lines are indented below its first word.

    A command between backticks stays on one line where one can hold it, so that it can be copied.
    """
    room = WIDTH - len(lead)
    lines: list[str] = []
    for part in map(printable, text.splitlines() or [""]):
        indent = lead if not lines else " " * len(lead)
        wrapped = textwrap.wrap(
            COMMAND.sub(lambda found: _together(found[0], room), part),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=" " * len(lead),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [line.replace(KEPT_TOGETHER, " ") for line in wrapped] or [indent.rstrip()]
    return "\n".join(lines)


def _together(command: str, room: int) -> str:
    return command.replace(" ", KEPT_TOGETHER) if len(command) <= room else command


def joined(parts: Sequence[str], separator: str) -> str:
    """Return parts on one line; one that would reach beyond the width begins another, indented."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1] + separator + part) <= WIDTH:
            lines[-1] += separator + part
        else:
            lines.append(f"  {part}" if lines else part)
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return another program's words, each line behind a bar and as long as it is."""
    return "\n".join(f"  | {printable(line)}".rstrip() for line in text.splitlines())


def printable(text: str) -> str:
    """Return text whose control characters are written out: a name in a zip must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\t" else repr(sign)[1:-1] for sign in text)
