"""Text pieces that renderers share: wrapped paragraphs, columns, counts, sizes, printable names."""

import re
import textwrap
from collections.abc import Sequence

OUTPUT_WIDTH = 80
"""Columns of human output: what every terminal and CI log shows without wrapping."""

SIZE_UNIT_NAMES = ("B", "KB", "MB", "GB")


def format_size(count: int) -> str:
    """Return bytes for people, in the 1024-based units that AWS calls KB and MB."""
    amount = float(count)
    for unit in SIZE_UNIT_NAMES:
        if amount < 1024 or unit == SIZE_UNIT_NAMES[-1]:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError(count)


def format_count(count: int, noun: str) -> str:
    """Return "1 error", "2 errors", "0 binaries"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


BACKTICK_COMMAND = re.compile(r"`[^`]+`[.,;:]?")

NON_BREAKING_BLANK = "\x1f"
"""Stands for a blank inside of a command while a text is wrapped: no text has it, since `printable` writes it out."""


def wrap_paragraph(lead: str, text: str) -> str:
    """Wrap text behind a lead such as "  = why: "; continuation lines are indented below its first word.

    A command between backticks stays on one line where one can hold it, so that it can be copied.
    """
    room = OUTPUT_WIDTH - len(lead)
    lines: list[str] = []
    for part in map(escape_controls, text.splitlines() or [""]):
        indent = lead if not lines else " " * len(lead)
        wrapped = textwrap.wrap(
            BACKTICK_COMMAND.sub(lambda match: _keep_command_together(match[0], room), part),
            OUTPUT_WIDTH,
            initial_indent=indent,
            subsequent_indent=" " * len(lead),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [line.replace(NON_BREAKING_BLANK, " ") for line in wrapped] or [indent.rstrip()]
    return "\n".join(lines)


def _keep_command_together(command: str, room: int) -> str:
    return command.replace(" ", NON_BREAKING_BLANK) if len(command) <= room else command


def join_parts(parts: Sequence[str], separator: str) -> str:
    """Return parts on one line; one that would reach beyond the width begins another, indented."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1] + separator + part) <= OUTPUT_WIDTH:
            lines[-1] += separator + part
        else:
            lines.append(f"  {part}" if lines else part)
    return "\n".join(lines)


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def quote_lines(text: str) -> str:
    """Return another program's words, each line behind a bar and as long as it is."""
    return "\n".join(f"  | {escape_controls(line)}".rstrip() for line in text.splitlines())


def escape_controls(text: str) -> str:
    """Return text whose control characters are written out: a name in a zip must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\t" else repr(sign)[1:-1] for sign in text)
