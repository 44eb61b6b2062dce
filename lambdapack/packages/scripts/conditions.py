"""Which parts of a JavaScript text never run on Lambda, or hardly ever do. No parser: brackets, words, what they say.

Lambda is Linux: what asks `process.platform` is answered here. A test for something that Node.js may have itself
(`typeof fs.statfs === 'function'`) is most likely answered with yes: packages fill the gaps of older versions.
"""

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum

from lambdapack.packages.scripts.masked import MaskedSource


class Likelihood(IntEnum):
    """How likely a condition holds: `and` is the least of several, `or` the greatest."""

    NEVER = 0
    HARDLY = 1
    PERHAPS = 2
    MOSTLY = 3
    ALWAYS = 4

    @property
    def opposite(self) -> "Likelihood":
        """How likely it does not hold."""
        return Likelihood(4 - self)


Span = tuple[int, int]
ConditionNames = Mapping[str, Likelihood]

MAX_NESTING = 20
"""Brackets in brackets, and statements without braces in one another, that are followed."""

MAX_EXPRESSION_LENGTH = 2000
"""Characters of a condition, or of an expression, that are read; nothing is said of a longer one."""

_MODULES = r"\b(?:buffer|Buffer|child_process|crypto|dns|fs|globalThis|http2?|net|os|stream|tls|url|util|v8|vm|zlib)"
"""Modules of Node.js that grow, by the names that they are given when they are required."""

_SYSTEM = r"(?:(?:\bprocess|\bos|\brequire\(['\"](?:node:)?os['\"]\))\.platform(?:\(\))?|(?<![.\w])platform(?:\(\))?)"
_ASKS = rf"{_SYSTEM}\s*(?P<asks>[!=])==?\s*['\"](?P<system>\w+)['\"]"
_TYPE = rf"typeof\s+{_MODULES}(?:\.\w+)+\s*(?P<type>[!=])==?\s*['\"](?P<kind>function|undefined)['\"]"
_HAS = rf"(?:{_MODULES}(?:\.\w+)+|['\"]\w+['\"]\s+in\s+{_MODULES})"
_ATOM = re.compile(rf"{_ASKS}|{_TYPE}|(?P<has>{_HAS})")

_NAMED = re.compile(rf"\b(?:const|let|var)\s+(\w+)\s*=\s*(?=[(!]*(?:{_SYSTEM}|typeof\s))")
_IF = re.compile(r"\bif\s*\(")
_ELSE = re.compile(r"\s*else\b\s*")
_THROW = re.compile(r"\bthrow\b")
_BEFORE = re.compile(r"(?<![=!])=(?!=)|[(,:;{}\[>\n]|\breturn\b|\bcase\b")
"""What the condition of `?` or `&&` begins after."""

_STOPS = re.compile(r"[,;)\]}:\n({\[]|\?(?:[.?])?")
_GOES_ON = re.compile(r"\s*[.?:+\-*/%=&|,(\[<>]")
_UNFINISHED = re.compile(r"[=(+\-&|?:,]\s*\Z")


def find_rare_spans(text: MaskedSource) -> Iterator[tuple[Span, Likelihood]]:
    """Yield the spans that never or hardly ever run, each with how likely it does."""
    names = dict(_find_named_conditions(text))
    for span, likely in (*_find_if_branches(text, names), *_find_expression_branches(text, names)):
        if likely < Likelihood.PERHAPS:
            yield span, likely


def _find_named_conditions(text: MaskedSource) -> Iterator[tuple[str, Likelihood]]:
    """Yield the constants that stand for a condition: `const isWindows = process.platform === 'win32'`."""
    for match in _NAMED.finditer(text.source):
        likely = judge_condition(text.source[match.end() : _expression_end(text, match.end())], {})
        if likely is not Likelihood.PERHAPS:
            yield match.group(1), likely


def judge_condition(condition: str, names: ConditionNames, depth: int = 0) -> Likelihood:
    """Return how likely a condition holds on Lambda; PERHAPS for all that is not understood."""
    plain = condition.strip()
    if depth > MAX_NESTING or len(plain) > MAX_EXPRESSION_LENGTH:
        return Likelihood.PERHAPS
    for operator, of in (("||", max), ("&&", min)):
        parts = _split_condition(plain, operator)
        if len(parts) > 1:
            return of(judge_condition(part, names, depth + 1) for part in parts)
    if plain.startswith("(") and plain.endswith(")"):
        return judge_condition(plain[1:-1], names, depth + 1)
    if plain.startswith("!") and not plain.startswith("!="):
        return judge_condition(plain[1:], names, depth + 1).opposite
    return names[plain] if plain in names else _judge_atom(plain)


def _split_condition(condition: str, operator: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[()\[\]{}]|\|\||&&", condition):
        mark = match.group()
        if mark == operator and depth == 0:
            parts.append(condition[start : match.start()])
            start = match.end()
        elif len(mark) == 1:
            depth += 1 if mark in "([{" else -1
    return [*parts, condition[start:]]


def _judge_atom(condition: str) -> Likelihood:
    match = _ATOM.fullmatch(condition)
    if match is None:
        return Likelihood.PERHAPS
    if match["asks"]:
        likely = Likelihood.ALWAYS if match["system"] == "linux" else Likelihood.NEVER
        return likely if match["asks"] == "=" else likely.opposite
    if match["type"]:
        likely = Likelihood.MOSTLY if match["kind"] == "function" else Likelihood.HARDLY
        return likely if match["type"] == "=" else likely.opposite
    return Likelihood.MOSTLY


def _find_if_branches(text: MaskedSource, names: ConditionNames) -> Iterator[tuple[Span, Likelihood]]:
    """Yield both branches; of one whose other branch throws, nothing is told: the package is for other systems."""
    for match in _IF.finditer(text.code):
        close = text.closing_offset(match.end() - 1)
        likely = (
            judge_condition(text.source[match.end() : close], names)
            if close - match.end() < MAX_EXPRESSION_LENGTH
            else Likelihood.PERHAPS
        )
        if likely is Likelihood.PERHAPS:
            continue
        end = _statement_end(text, close + 1)
        otherwise = _ELSE.match(text.code, end)
        last = _statement_end(text, otherwise.end()) if otherwise else end
        if _THROW.search(text.code, end, last) is None:
            yield (close + 1, end), likely
        if otherwise and _THROW.search(text.code, close, end) is None:
            yield (otherwise.end(), last), likely.opposite


def _find_expression_branches(text: MaskedSource, names: ConditionNames) -> Iterator[tuple[Span, Likelihood]]:
    """Yield the branches of `condition ? a : b`, and what `condition && a` guards."""
    alternatives = "".join(rf"|\b{re.escape(name)}" for name in names)
    pattern = re.compile(
        rf"(?:{_SYSTEM}\s*[!=]==?\s*['\"]\w+['\"]|typeof[^'\"\n]+['\"]\w+['\"]|{_HAS}{alternatives})[\s)]*(\?|&&)"
    )
    for match in pattern.finditer(text.source):
        operator = match.start(1)
        likely = judge_condition(_condition_before(text, operator), names)
        if likely is Likelihood.PERHAPS or text.code[operator] != text.source[operator]:
            continue
        end = _expression_end(text, match.end())
        yield (match.end(), end), likely
        if match.group(1) == "?" and text.code[end : end + 1] == ":":
            yield (end + 1, _expression_end(text, end + 1)), likely.opposite


def _condition_before(text: MaskedSource, end: int) -> str:
    """Return what is asked right before an operator, back to where its expression begins; "" when that is far."""
    first = max(0, end - MAX_EXPRESSION_LENGTH // 10)
    begins = [match.end() for match in _BEFORE.finditer(text.code, first, end) if _is_condition_start(text.code, match)]
    return text.source[begins[-1] : end] if begins else "" if first else text.source[:end]


def _is_condition_start(code: str, match: re.Match[str]) -> bool:
    return match.group() != "\n" or _is_expression_done(code, 0, match.start())


def _statement_end(text: MaskedSource, start: int, depth: int = 0) -> int:
    """Return where a statement ends: a block, an if with all its branches, or an expression up to its semicolon."""
    code = text.code
    start += len(code[start : start + MAX_EXPRESSION_LENGTH]) - len(
        code[start : start + MAX_EXPRESSION_LENGTH].lstrip()
    )
    if code[start : start + 1] == "{":
        return text.closing_offset(start) + 1
    nested = _IF.match(code, start)
    if nested:
        return _branches_end(text, nested, depth)
    end = _expression_end(text, start)
    while code[end : end + 1] == "," and end - start < MAX_EXPRESSION_LENGTH:
        end = _expression_end(text, end + 1)
    return end + 1 if code[end : end + 1] == ";" else end


def _branches_end(text: MaskedSource, nested: re.Match[str], depth: int) -> int:
    """Return where an if ends with all its branches; one that is too deep or long has no length at all."""
    chain = nested
    for _ in range(MAX_NESTING if depth < MAX_NESTING else 0):
        end = _statement_end(text, text.closing_offset(chain.end() - 1) + 1, depth + 1)
        otherwise = _ELSE.match(text.code, end)
        if otherwise is None:
            return end
        following = _IF.match(text.code, otherwise.end())
        if following is None:
            return _statement_end(text, otherwise.end(), depth + 1)
        chain = following
    return nested.start()


def _expression_end(text: MaskedSource, start: int) -> int:
    """Return where an expression ends: at a comma, a semicolon, a closing bracket, its `:`, or a line that is done.

    One that is too long to follow has no length at all.
    """
    code, questions, at = text.code, 0, start
    while (match := _STOPS.search(code, at, start + MAX_EXPRESSION_LENGTH)) is not None:
        mark, at = match.group(), match.end()
        if mark in {"(", "[", "{"}:
            at = text.closing_offset(match.start()) + 1
        elif mark[0] == "?":
            questions += mark == "?"
        elif mark == ":" and questions:
            questions -= 1
        elif mark != "\n" or _is_expression_done(code, start, match.start()):
            return match.start()
    return len(code) if start + MAX_EXPRESSION_LENGTH >= len(code) else start


def _is_expression_done(code: str, start: int, newline: int) -> bool:
    """Tell whether a line's end ends the expression as well, as it does where no semicolons are written."""
    before = code[max(start, newline - 200) : newline]
    return bool(before.strip()) and not _UNFINISHED.search(before) and not _GOES_ON.match(code, newline)
