"""What JavaScript requires or imports, and whether it goes on when that fails. No parser, only regular expressions."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambdapack.packages.scripts.conditions import MAX_EXPRESSION_LENGTH, Likelihood, Span, find_rare_spans
from lambdapack.packages.scripts.masked import MaskedSource, mask_source

_REQUEST = re.compile(
    r"\brequire\w*(?:\.resolve)?\s*\(|\bimport\s*\(|\bfrom\s*(?=['\"])|\bimport\s*(?=['\"])|\bdlopen\s*\("
)

_TRY = re.compile(r"\btry\s*\{")
_CATCH = re.compile(r"\s*catch\s*(?:\(\s*(\w+)\s*\))?\s*\{")
_LOG_CALL = re.compile(r"\b(?:console\.\w+|debug\w*|process\.emitWarning|log\w*)\s*\([^;\n]*")
_RETHROW = re.compile(r"\bthrow\b|\breject\b|\bprocess\.exit\b")

_NATIVE_ERROR = re.compile(
    r"\bthrow\s+(?:new\s+)?\w*Error\s*\([^;]{0,300}?"
    r"(?:\bbindings?\b|\bnative\b|\baddon\b|\bprebuil|\bplatform\b|\bbinary\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ModuleRequest:
    """One thing that a text asks to be loaded."""

    text: str  # the argument as written: `'./build/Release/a.node'`, `path.join(__dirname, x)`
    guarded: bool  # inside a try whose catch goes on without it
    likely: Likelihood = (
        Likelihood.PERHAPS
    )  # NEVER where only other systems come by, HARDLY where Node.js lacks something

    @property
    def literal(self) -> str:
        """The string, when it is nothing but one."""
        match = re.fullmatch(r"\s*(['\"`])([^'\"`$]*)\1\s*", self.text)
        return match.group(2) if match else ""


def find_module_requests(source: str) -> Iterator[ModuleRequest]:
    """Yield all that is required or imported, by whatever argument."""
    text = mask_source(source)
    safe = _merge_spans(_find_forgiving_tries(text))
    seldom = tuple(find_rare_spans(text))
    spans = {
        degree: _merge_spans(span for span, likely in seldom if likely is degree)
        for degree in (Likelihood.NEVER, Likelihood.HARDLY)
    }
    for match in _REQUEST.finditer(text.code):
        start = match.end()
        likely = next((likelihood for likelihood in spans if _is_covered(spans[likelihood], start)), Likelihood.PERHAPS)
        yield ModuleRequest(_argument(text, start), guarded=_is_covered(safe, start), likely=likely)


def _argument(text: MaskedSource, start: int) -> str:
    if text.code[start - 1] == "(":
        return text.source[start : min(text.closing_offset(start - 1), start + MAX_EXPRESSION_LENGTH)]
    end = text.source.find(text.source[start], start + 1)
    return text.source[start : end + 1]


def has_native_error(source: str) -> bool:
    """Tell whether a text throws an error of its own about a native part: then what it caught before comes back."""
    plain = re.sub(r"(?<!:)//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    return _NATIVE_ERROR.search(plain) is not None


def _merge_spans(spans: Iterable[Span]) -> Sequence[Span]:
    """Return what the spans cover, in order and without overlaps."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _is_covered(joined: Sequence[Span], place: int) -> bool:
    at = bisect(joined, place, key=lambda span: span[0])
    return at > 0 and place < joined[at - 1][1]


def _find_forgiving_tries(text: MaskedSource) -> Iterator[Span]:
    """Yield the spans of try blocks after whose failure the text goes on: nothing thrown, the error not kept."""
    for match in _TRY.finditer(text.code):
        end = text.closing_offset(match.end() - 1)
        caught = _CATCH.match(text.code, end + 1)
        if caught is None:
            continue
        body = text.code[caught.end() : text.closing_offset(caught.end() - 1)]
        if not _RETHROW.search(body) and not _is_error_kept(body, caught.group(1)):
            yield match.end(), end


def _is_error_kept(body: str, error: str | None) -> bool:
    """An error that is kept is thrown later; one that is told, or asked for its code, is not."""
    if error is None:
        return False
    kept = rf"=\s*{error}\b(?!\s*[.?])|[(,]\s*{error}\s*[,)]|\breturn\s+{error}\b"
    return re.search(kept, _LOG_CALL.sub("", body)) is not None
