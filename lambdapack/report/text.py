"""Pieces of text that several renderers share: sizes, counts, wrapped paragraphs."""

import textwrap

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


def paragraph(lead: str, text: str) -> str:
    """Wrap text behind a lead such as "  = why: "; continuation lines are indented below its first word."""
    lines: list[str] = []
    for part in text.splitlines() or [""]:
        indent = lead if not lines else " " * len(lead)
        wrapped = textwrap.wrap(
            part,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=" " * len(lead),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrapped or [indent.rstrip()]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return another program's words, each line behind a bar and as long as it is."""
    return "\n".join(f"  | {line}".rstrip() for line in text.splitlines())
