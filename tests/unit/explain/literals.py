"""Which words every match of a regular expression has, read from its parsed form. Proves what a Message declares."""

import re
from collections.abc import Iterator, Sequence
from re import _constants as codes
from re import _parser as parser
from typing import Any

Item = tuple[Any, Any]


def demands_one_of(pattern: re.Pattern[str], words: Sequence[str]) -> bool:
    """Tell whether no text without any of the words can match."""
    return _demands(parser.parse(pattern.pattern, pattern.flags), words)


def _demands(items: Sequence[Item], words: Sequence[str]) -> bool:
    runs = "".join(chr(value) if code is codes.LITERAL else "\0" for code, value in items)
    return any(word in run for run in runs.split("\0") for word in words) or any(
        all(_demands(branch, words) for branch in branches) for item in items for branches in _branches(item)
    )


def _branches(item: Item) -> Iterator[Sequence[Sequence[Item]]]:
    """Yield the alternatives of a part, one of which every match has; nothing for what may be absent."""
    code, value = item
    if code is codes.BRANCH:
        yield value[1]
    elif code is codes.SUBPATTERN:
        yield (value[3],)
    elif code in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT} and value[0] > 0:
        yield (value[2],)
    elif code is codes.ATOMIC_GROUP:
        yield (value,)
