"""What a JavaScript text requires, and whether it survives when that fails. No parser: marks, braces and words."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambdapack.project.conditions import LONGEST, Likely, Span, rare
from lambdapack.project.masked import Masked, masked

_WANTS = re.compile(
    r"\brequire\w*(?:\.resolve)?\s*\(|\bimport\s*\(|\bfrom\s*(?=['\"])|\bimport\s*(?=['\"])|\bdlopen\s*\("
)

_TRY = re.compile(r"\btry\s*\{")
_CATCH = re.compile(r"\s*catch\s*(?:\(\s*(\w+)\s*\))?\s*\{")
_TELLS = re.compile(r"\b(?:console\.\w+|debug\w*|process\.emitWarning|log\w*)\s*\([^;\n]*")
_GIVES_UP = re.compile(r"\bthrow\b|\breject\b|\bprocess\.exit\b")

_COMPLAINS = re.compile(
    r"\bthrow\s+(?:new\s+)?\w*Error\s*\([^;]{0,300}?"
    r"(?:\bbindings?\b|\bnative\b|\baddon\b|\bprebuil|\bplatform\b|\bbinary\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that a text asks to be loaded."""

    text: str  # the argument as written: `'./build/Release/a.node'`, `path.join(__dirname, x)`
    guarded: bool  # inside a try whose catch goes on without it
    likely: Likely = Likely.PERHAPS  # NEVER where only other systems come by, HARDLY where Node.js lacks something

    @property
    def literal(self) -> str:
        """The string, when it is nothing but one."""
        found = re.fullmatch(r"\s*(['\"`])([^'\"`$]*)\1\s*", self.text)
        return found.group(2) if found else ""


def wants(source: str) -> Iterator[Want]:
    """Yield all that is required or imported, by whatever argument."""
    text = masked(source)
    safe = _joined(_forgiving(text))
    seldom = tuple(rare(text))
    spans = {each: _joined(span for span, likely in seldom if likely is each) for each in (Likely.NEVER, Likely.HARDLY)}
    for found in _WANTS.finditer(text.code):
        start = found.end()
        likely = next((each for each in spans if _holds(spans[each], start)), Likely.PERHAPS)
        yield Want(_argument(text, start), guarded=_holds(safe, start), likely=likely)


def _argument(text: Masked, start: int) -> str:
    if text.code[start - 1] == "(":
        return text.source[start : min(text.closing(start - 1), start + LONGEST)]
    end = text.source.find(text.source[start], start + 1)
    return text.source[start : end + 1]


def complains(source: str) -> bool:
    """Tell whether a text throws an error of its own about a native part: then what it caught before comes back."""
    plain = re.sub(r"(?<!:)//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    return _COMPLAINS.search(plain) is not None


def _joined(spans: Iterable[Span]) -> Sequence[Span]:
    """Return what the spans cover, in order and without overlaps."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _holds(joined: Sequence[Span], place: int) -> bool:
    at = bisect(joined, place, key=lambda each: each[0])
    return at > 0 and place < joined[at - 1][1]


def _forgiving(text: Masked) -> Iterator[Span]:
    """Yield the spans of try blocks after whose failure the text goes on: nothing thrown, the error not kept."""
    for found in _TRY.finditer(text.code):
        end = text.closing(found.end() - 1)
        caught = _CATCH.match(text.code, end + 1)
        if caught is None:
            continue
        body = text.code[caught.end() : text.closing(caught.end() - 1)]
        if not _GIVES_UP.search(body) and not _keeps(body, caught.group(1)):
            yield found.end(), end


def _keeps(body: str, error: str | None) -> bool:
    """An error that is kept is thrown later; one that is told, or asked for its code, is not."""
    if error is None:
        return False
    kept = rf"=\s*{error}\b(?!\s*[.?])|[(,]\s*{error}\s*[,)]|\breturn\s+{error}\b"
    return re.search(kept, _TELLS.sub("", body)) is not None
