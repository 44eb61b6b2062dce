"""A text or log of any size, explained: passages that say the same are looked at once, and counted."""

from dataclasses import dataclass, replace

from lambdapack.explain.cures import Aim
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.nearest import nearest
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.explain.sieve import Passage, Source, passages
from lambdapack.explain.text import undressed

WHOLE = 64 << 10
"""Bytes up to which a text is looked at as a whole: what people paste."""

MOST_PASSAGES = 300
"""Passages that all read differently, of one log; more are counted and named as left out."""


@dataclass(slots=True)
class _Known:
    diagnoses: tuple[Diagnosis, ...]
    hits: int
    times: float = 1.0


def explain(source: Source, aim: Aim) -> Explanation:
    """Return what a text or a log says is wrong, best first, the same trouble once with its count."""
    head = _head(source)
    if len(head) <= WHOLE:
        text = undressed(head.decode("utf-8", "replace"))
        found = diagnose(text, aim)
        return Explanation(found, "" if found else nearest(text))
    return _sifted(source, head, aim)


def _head(source: Source) -> bytes:
    head = b""
    while len(head) <= WHOLE and (more := source.read(WHOLE + 1 - len(head))):
        head += more
    return head


def _sifted(source: Source, head: bytes, aim: Aim) -> Explanation:
    known: dict[tuple[str, ...], _Known] = {}
    left_out = 0
    for each in passages(source, head):
        before = known.get(each.key)
        if before is not None:
            before.times += each.hits / before.hits
        elif len(known) < MOST_PASSAGES:
            known[each.key] = _looked_at(each, aim)
        else:
            left_out += 1
    found = _together(tuple(known.values()))
    return Explanation(found, "", left_out)


def _looked_at(passage: Passage, aim: Aim) -> _Known:
    return _Known(diagnose(undressed(passage.text), aim), passage.hits)


def _together(known: tuple[_Known, ...]) -> tuple[Diagnosis, ...]:
    """Merge what several passages say alike; the most certain first, then the most frequent."""
    found: dict[tuple[str, str | None, str | None], Diagnosis] = {}
    for one in known:
        for each in one.diagnoses:
            key = (each.cause, each.file, each.package)
            count = max(1, round(each.count * one.times))
            if key in found:
                found[key] = replace(found[key], count=found[key].count + count)
            else:
                found[key] = replace(each, count=count)
    return tuple(sorted(found.values(), key=lambda each: (each.rank.value, each.certainty.rank, -each.count)))
