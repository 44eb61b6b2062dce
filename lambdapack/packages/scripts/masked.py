"""JavaScript source with comments and strings blanked out, and where each bracket closes. One pass, no parser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARKS = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
    r"|(?<=[=(,:;!&|?{}\[])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
    re.DOTALL,
)
"""Comments, strings, templates, and regular expressions where a value may begin (ECMA-262, 12)."""

_BRACKETS = re.compile(r"[()\[\]{}]")

_OPENER = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class MaskedSource:
    """A text twice: as written, and with spaces for comments and for what is inside strings; same offsets."""

    source: str
    code: str
    closes: Mapping[int, int]  # offset of a bracket to that of the one that closes it

    def closing_offset(self, opening: int) -> int:
        """Return where the bracket at an offset closes; the end of a text that never closes it."""
        return self.closes.get(opening, len(self.code))


def mask_source(source: str) -> MaskedSource:
    """Return a text made ready to be looked through."""
    code = _MARKS.sub(_blank, source)
    opened: dict[str, list[int]] = {"(": [], "[": [], "{": []}
    closes: dict[int, int] = {}
    for found in _BRACKETS.finditer(code):
        bracket = found.group()
        if bracket in opened:
            opened[bracket].append(found.start())
        elif opened[_OPENER[bracket]]:
            closes[opened[_OPENER[bracket]].pop()] = found.start()
    return MaskedSource(source, code, closes)


def _blank(found: re.Match[str]) -> str:
    """Spaces for what is no code; a string keeps its quotation marks, and every line its end."""
    text = found.group()
    inside = re.sub(r"[^\n]", " ", text[1:-1])
    return text[0] + inside + text[-1] if text[0] in "'\"`" and len(text) > 1 else re.sub(r"[^\n]", " ", text)
