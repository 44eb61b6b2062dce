"""For a text that is not known: the known message that reads most like it."""

import re

from lambdapack.explain.registry import SIGNS

_WORD = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
ALIKE = 0.3
"""Share of words in common from which a message is worth naming."""


def nearest(text: str) -> str:
    """Return the known message that shares most words with a line of the text, "" when none is alike."""
    lines = [set(map(str.lower, _WORD.findall(line))) for line in text.splitlines()[:200]]
    best, found = ALIKE, ""
    for sign in SIGNS:
        words = set(map(str.lower, _WORD.findall(sign.example)))
        for line in lines:
            alike = len(words & line) / len(words | line) if words | line else 0.0
            if alike > best:
                best, found = alike, sign.example
    return found
