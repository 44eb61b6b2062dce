"""What a JavaScript text requires, and whether it survives when that fails. No parser: marks, braces and words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MARKS = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
    r"|(?<=[=(,:;!&|?{}\[])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
    re.DOTALL,
)
"""Comments, strings, templates, and regular expressions where a value may begin (ECMA-262, 12)."""

_WANTS = re.compile(
    r"\brequire\w*(?:\.resolve)?\s*\(|\bimport\s*\(|\bfrom\s*(?=['\"])|\bimport\s*(?=['\"])|\bdlopen\s*\("
)

_TRY = re.compile(r"\btry\s*\{")
_CATCH = re.compile(r"\s*catch\s*(?:\(\s*(\w+)\s*\))?\s*\{")
_TELLS = re.compile(r"\b(?:console\.\w+|debug\w*|process\.emitWarning|log\w*)\s*\([^;\n]*")
_GIVES_UP = re.compile(r"\bthrow\b|\breject\b|\bprocess\.exit\b")


_COMPLAINS = re.compile(
    r"\bthrow\s+(?:new\s+)?\w*Error\s*\([^;]*?"
    r"(?:\bbindings?\b|\bnative\b|\baddon\b|\bprebuil|\bplatform\b|\bbinary\b)[^;]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that a text asks to be loaded."""

    text: str  # the argument as written: `'./build/Release/a.node'`, `path.join(__dirname, x)`
    guarded: bool  # inside a try whose catch goes on without it

    @property
    def literal(self) -> str:
        """The string, when it is nothing but one."""
        found = re.fullmatch(r"\s*(['\"`])([^'\"`$]*)\1\s*", self.text)
        return found.group(2) if found else ""


def wants(source: str) -> Iterator[Want]:
    """Yield all that is required or imported, by whatever argument."""
    masked = _MARKS.sub(_blank, source)
    safe = tuple(_forgiving(masked))
    for found in _WANTS.finditer(masked):
        start = found.end()
        text = source[start : _closing(masked, start, "(", ")")] if masked[start - 1] == "(" else _string(source, start)
        yield Want(text, guarded=any(first <= start < last for first, last in safe))


def complains(source: str) -> bool:
    """Tell whether a text throws an error of its own about a native part: then what it caught before comes back."""
    plain = re.sub(r"(?<!:)//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    return _COMPLAINS.search(plain) is not None


def _blank(found: re.Match[str]) -> str:
    """Spaces for what is no code; a string keeps its quotation marks, and every line its end."""
    text = found.group()
    inside = re.sub(r"[^\n]", " ", text[1:-1])
    return text[0] + inside + text[-1] if text[0] in "'\"`" and len(text) > 1 else re.sub(r"[^\n]", " ", text)


def _string(source: str, start: int) -> str:
    end = source.find(source[start], start + 1)
    return source[start : end + 1]


def _forgiving(masked: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of try blocks after whose failure the text goes on: nothing thrown, the error not kept."""
    for found in _TRY.finditer(masked):
        end = _closing(masked, found.end(), "{", "}")
        caught = _CATCH.match(masked, end + 1)
        if caught is None:
            continue
        body = masked[caught.end() : _closing(masked, caught.end(), "{", "}")]
        if not _GIVES_UP.search(body) and not _keeps(body, caught.group(1)):
            yield found.end(), end


def _keeps(body: str, error: str | None) -> bool:
    """An error that is kept is thrown later; one that is told, or asked for its code, is not."""
    if error is None:
        return False
    kept = rf"=\s*{error}\b(?!\s*[.?])|[(,]\s*{error}\s*[,)]|\breturn\s+{error}\b"
    return re.search(kept, _TELLS.sub("", body)) is not None


def _closing(masked: str, start: int, opens: str, closes: str) -> int:
    """Return where the bracket closes that was open before `start`; the end of a text that never closes it."""
    depth = 1
    for found in re.compile(f"[{re.escape(opens + closes)}]").finditer(masked, start):
        depth += 1 if found.group() == opens else -1
        if depth == 0:
            return found.start()
    return len(masked)
