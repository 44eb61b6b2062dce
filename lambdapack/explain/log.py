"""Explains a text or a log: what people paste as a whole, a longer one by its passages."""

from typing import Protocol

from lambdapack.explain.diagnose import diagnose, find_nearest_message
from lambdapack.explain.nouns import Explanation
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget


class LogSource(Protocol):
    """Where the bytes come from: a file, standard input, a log group."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


MAX_WHOLE_TEXT_BYTES = 64 << 10
"""Bytes up to which a text is looked at as a whole: what people paste."""


def explain_text(source: LogSource, aim: ExplainTarget) -> Explanation:
    """Return what a text or a log says is wrong, best first, the same trouble once with its count."""
    head = _read_head(source)
    if len(head) <= MAX_WHOLE_TEXT_BYTES:
        raw = head.decode("utf-8", "replace")
        text = strip_log_markup(raw)
        found = diagnose(text, aim, raw)
        return Explanation(found) if found else _describe_unknown(text, raw)
    from lambdapack.explain.passages import explain_passages  # noqa: PLC0415  # what people paste needs none of it

    return explain_passages(source, head, aim)


def _describe_unknown(text: str, raw: str) -> Explanation:
    """Return the answer to a text without a diagnosis: what was read of it, and what is to be asked."""
    from lambdapack.explain.facts.place import read_facts, render_facts  # noqa: PLC0415  # a diagnosis needs none of it
    from lambdapack.explain.unknown import find_question  # noqa: PLC0415

    facts = read_facts(text, raw)
    return Explanation((), find_nearest_message(text), render_facts(facts), find_question(text, facts))


def _read_head(source: LogSource) -> bytes:
    head = b""
    while len(head) <= MAX_WHOLE_TEXT_BYTES and (more := source.read(MAX_WHOLE_TEXT_BYTES + 1 - len(head))):
        head += more
    return head
