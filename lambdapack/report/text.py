"""Text pieces that renderers share: wrapped paragraphs, columns, counts, sizes, printable names."""

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Any

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


def format_duration(seconds: float) -> str:
    """Return "0.4 s", "12 s", "3 min 20 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


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
    return "\n".join(break_command(line) for text in lines for line in text.split("\n"))


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
    rows = [[escape_controls(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(map(break_command, lines)) + "\n"


def quote_lines(text: str) -> str:
    """Return another program's words, each line behind a bar and as long as it is."""
    return "\n".join(f"  | {escape_controls(line)}".rstrip() for line in text.splitlines())


OLD_COMMAND = re.compile(r"##(?=(?:vso)?\[)")
"""Begins a command of GitHub's and Azure's runners wherever it stands in a line (actions/runner, ActionCommand.cs)."""

LINE_COMMAND = re.compile(r"^(\s*):(?=:)")
"""Begins a command of GitHub's runner when nothing but blanks stands before it ("Workflow commands", read 2026-11)."""


def break_command(line: str) -> str:
    """Return a line that no CI runner takes for a command: a blank stands where the command would begin."""
    return LINE_COMMAND.sub(r"\1: ", line)


def format_json(document: Any) -> str:
    """Return a document as JSON, ASCII, with a line end; a log that shows it has no command of a CI runner in it."""
    return OLD_COMMAND.sub(r"#\\u0023", json.dumps(document, indent=2)) + "\n"


def escape_controls(text: str) -> str:
    """Return text whose control characters are written out: a name in a zip must not steer the terminal or a CI runner.

    Characters that turn or break lines (U+202E, U+2028) are among them.
    """
    if "##" in text:
        text = OLD_COMMAND.sub("# #", text)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\t" else repr(sign)[1:-1] for sign in text)
