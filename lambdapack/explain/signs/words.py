"""Parts of regular expressions, and functions that build message patterns."""

import re

from lambdapack.explain.nouns import Certainty, Meaning, MessagePattern, Rank

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE
ROOT, SYMPTOM = Rank.ROOT, Rank.SYMPTOM

_START = r"(?<![^\s:='\"`(){}<>,|;\[\]])"  # of a word: a search never begins inside one
_PATH = r"(?:\\\\[?.]\\)?(?:[A-Za-z]:)?[^\s:'\"`(){}<>,|;\[\]]{1,1024}"
_LIKE_A_PATH = r"(?=(?:[A-Za-z]:)?[^\s:'\"`(){}<>,|;\[\]]{0,1024}?[./\\])"
FILE = rf"{_START}{_LIKE_A_PATH}(?P<file>{_PATH})"
"""A path as programs print it: no blanks, a drive letter perhaps, and no mere word such as Error."""

ADDON = rf"{_START}(?P<file>{_PATH}\.node)"
"""The path of an addon."""

QUOTED = r"['\"`\u2018\u201c](?P<{}>[^'\"`\u2019\u201d\n]+)['\"`\u2019\u201d]"
"""A slot between any quotes."""

LIBRARY_SLOT = r"(?P<library>[\w.+@-]+(?:\.so(?:\.[\w.]+)*|\.dylib))"

NAME = r"(?:@[a-z0-9~._-]+/)?[a-z0-9~._][a-z0-9~._-]*"
"""An npm package."""


def compile_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile; where the pattern has a blank, the text may have any blanks and one line end."""
    return re.compile(text.replace(" ", "(?:[ \\t]*\\n?[ \\t]+|[ \\t]*\\n)"), flags | re.MULTILINE)


def message_pattern(  # noqa: PLR0913, PLR0917  # a row of a table
    speaker: str,
    example: str,
    text: str,
    cause: str,
    certainty: Certainty,
    says: str,
    rank: Rank = Rank.PLAIN,
    package: str = "",
) -> MessagePattern:
    """Return a row whose message always means the same."""
    return MessagePattern(speaker, example, compile_pattern(text), Meaning(cause, certainty, says), rank, package)
